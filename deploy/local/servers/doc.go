// Package servers installs and runs the real servers that stand for AWS on one machine: [DynamoDBLocal], which is
// AWS's own engine, [Ministack] for Kinesis, SQS, SNS, S3 and Secrets Manager, and [OpenSearch]. All are pinned to one version.
//
// # Guarantees
//
//   - A server listens on 127.0.0.1 alone. Its socket is opened here and handed to it, so its port cannot be taken
//     by anyone else between the choice and the start. OpenSearch can't take a socket: it opens one and tells which
//     in a file, so that what is asked there is always the server that was started.
//   - What is installed is whole: an install happens beside its place and is renamed into it, under a lock that
//     holds off other processes. One that was cut short is done again, from the package manager's own cache.
//   - Once a server is installed, checking, installing and starting it make no network call.
//   - A server does not outlive the process that started it, not even one that is killed with SIGKILL.
//   - A server keeps nothing: its data is in memory, or in the directory given to [Server.Start].
//
// # Not guaranteed
//
//   - The preferred port: a taken one is replaced by a free one. Read [Process.Endpoint].
//   - That OpenSearch starts if its port is taken by somebody in the moment before it opens it: it dies then, and says so.
//   - That a running server answers: it may hang. [Process.Exited] tells of its end only.
package servers
