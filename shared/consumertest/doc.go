// Package consumertest makes what a consumer is tested with: changes as the
// stream carries them, in batches as Lambda delivers them. Package wire, below
// it, makes the network misbehave.
package consumertest
