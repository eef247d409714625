// Package servers installs and runs the real servers that stand for AWS on one machine: [DynamoDBLocal], which is
// AWS's own engine, [Ministack] for Kinesis, SQS, SNS, S3 and Secrets Manager, and [OpenSearch]. All are pinned to one version.
// Their data is in memory, or in the directory given to [Server.Start].
//
// # Guarantees
//
//   - A server listens on 127.0.0.1 alone. Its socket is opened here and handed to it, so its port cannot be taken
//     by anyone else between the choice and the start. OpenSearch can't take a socket: it opens one and tells which
//     in a file, so that what is asked there is always the server that was started (TestServersListenOnLoopbackOnly, TestPreferredPortIsLost).
//   - What is installed is whole: an install happens beside its place and is renamed into it, under a lock that
//     holds off other processes (TestSideBySideInstallsAreOne). One that was cut short is done again (TestFailedInstallIsDoneAgain).
//   - Once a server is installed, checking, installing and starting it make no network call (TestInstalledServersNeedNoInstaller).
//   - A web page that a browser has open is refused by each server, whether it names itself (Origin, Sec-Fetch-Site), sends text as
//     pages may, or has reached this machine by a name of its own (TestDynamoDBLocalRefusesPages, TestOpenSearchRefusesPages).
//   - [Server.StartFor] makes Ministack refuse every other access key (TestMinistackRefusesPagesAndOtherKeys).
//   - A server gets none of our environment but where programs are, so none of the developer's AWS variables (TestDynamoDBLocalRefusesPages).
//   - Only jars with a SHA-256 that is listed in this package are run (TestChecksums); pip checks Python's packages by their hashes.
//     Maven checks its own plugin, which fetches the jars, against its repository's checksums.
//   - A server does not outlive the process that started it, not even one that is killed with SIGKILL (TestNothingOutlivesAKilledParent).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - OpenSearch opens its own port. It is the only server that keeps data; the local stack clears them (TestPreferredPortIsLost).
//   - The servers' sockets have TCP_NODELAY. Otherwise each answer of Ministack waits 40 ms (TestSocketsSendAtOnce).
//   - Guards against web pages are inside the servers (Guard.java, guard.py): a proxy in front leaves the server's own port open
//     behind it. Eclipse's compiler, fetched with the jars, compiles them, since a JRE has none (TestDynamoDBLocalRefusesPages).
//   - Functions have one access key for all services, and DynamoDB Local keeps a database for each key. So its guard gives the
//     stack's key the database of the key sluice, which people's scripts use (TestDynamoDBLocalRefusesPages).
//   - The directory of an installed server has its recipe's checksum in its name, so checkouts with different recipes don't replace
//     each other's (TestChangedRecipeAndBrokenInstallAreInstalledAnew).
//
// # Not guaranteed
//
//   - That other users of this machine are kept out of DynamoDB Local and OpenSearch. Neither of them runs programs.
//   - The preferred port: a taken one is replaced by a free one. Read [Process.Endpoint].
//   - That OpenSearch starts if its port is taken by somebody in the moment before it opens it: it dies then, and says so.
//   - That a running server answers: it may hang. [Process.Exited] tells of its end only.
package servers
