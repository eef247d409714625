// Package capacity works out on paper what a stream of changes and the shipped consumers need and cost on AWS: shards, batches
// and instances of functions, units, money, and which limit comes first. It makes no calls and ships in no function.
//
// The measured figures are in figures.yaml, each with the command that measured it and the date; the prices in prices.yaml,
// from memory, which must be checked at the pages named there.
//
// # Guarantees
//
//   - Numbers are decimals, divided to 16 digits and rounded only by whoever prints them; shards, batches and units are
//     whole where AWS counts whole ones, rounded up (TestShards, TestUnitsAtKBs).
//   - Where a figure was measured at several points, the dearer neighbour counts: a [Plan] never interpolates (TestSteps).
//
// # Not guaranteed
//
//   - That AWS's processors and networks are like the machine of the figures. A plan says where to begin; the consumers' own
//     metrics say what is true.
//   - Peaks. A plan is for changes that come evenly, from players who are all as busy.
package capacity
