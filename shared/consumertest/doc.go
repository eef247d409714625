// Package consumertest makes what a consumer is tested with: changes as the
// stream carries them, in batches as Lambda delivers them. Below it, package
// simulator tests any consumer against everything that the stream and the network
// may do to it, and package wire injects single faults.
package consumertest
