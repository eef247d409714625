// Package declaration reads the YAML files that declare what a consumer does, and
// tells every fault of a file with its line and column.
//
// A [Reader] makes a file's text into [Node] values, in which ${NAME} has been
// replaced by a setting, and reads texts, objects and truth values from them. What
// is wrong becomes a fault, and the value read is the zero one, so that its caller
// can go on and find the next.
package declaration
