// Package blast sends requests that were made and signed before the clock starts,
// as fast as a server takes them. Beside that, a benchmark shows what a consumer
// costs over what its destination does at best: the requests may be the consumer's
// own, recorded on their way, or those of a simpler one.
package blast
