// Package stored keeps what earlier versions of Sluice stored, so that tests can run the current version on it.
//
// A change of a stored form needs a reader for the old form. An upgrade meets items, documents and messages of the version
// before it, and nobody rewrites them. Each package that stores something has fixtures in testdata/stored, in one folder
// for each version that wrote some, named by its commit. A test loads each folder into real servers and runs the current code.
//
// Fixtures are never edited, and never written anew: then they would hold the current forms alone. A version with a new
// stored form gets a folder of its own beside the others:
//
//	go test ./consumers/leaderboard -run TestStoredForms -store <commit>
//
// The code that writes the fixtures of 30c052d56959968458c625865ae83671cba49eb8 is newer than that commit. This package and
// the parts of the tests that write were copied into its tree, and run there with the command above. So the code of that
// commit wrote all that the fixtures hold.
package stored
