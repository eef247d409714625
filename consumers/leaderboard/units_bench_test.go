package leaderboard

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"sluice/shared/aggregate"
	"sluice/shared/consumer"
	"sluice/shared/consumertest/meter"
)

// These benchmarks report what a change costs in write units and calls, as
// DynamoDB itself counts them: this consumer's beside those of the plain ADD and
// of a ledger row and a transaction for each change. They count and don't time,
// so once (-benchtime 1x, as `make bench` has it) is enough.

// BenchmarkUnits has so many changes a player in each batch, in the long run: as
// many as a player's item remembers came before.
func BenchmarkUnits(b *testing.B) {
	const players, warmUp, measured = 10, 100, 200 // changes of each player
	for _, size := range []int{1, 10, 100} {
		for _, c := range []contender{sluice, plain, ledgerRow, threeBoards} {
			b.Run(fmt.Sprintf("changes=%d/%s", size, c.name), func(b *testing.B) {
				m := newMeasured(b, 1, c)
				turns := func(from, to int) (records [][]byte) {
					for turn := from * players; turn < to*players; turn++ {
						records = append(records, insert(playerName(turn%players), turn, "1"))
					}
					return records
				}
				m.deliver(100*players, turns(0, warmUp))
				m.report(players*size, turns(warmUp, warmUp+measured))
				m.checkTotals()
			})
		}
	}
}

// BenchmarkUnitsHot gives one player all the changes, up to 10,000: what a change
// costs must not grow with how many came before.
func BenchmarkUnitsHot(b *testing.B) {
	for _, size := range []int{1, 10, 100} {
		for _, c := range []contender{sluice, plain, ledgerRow} {
			if c.name != sluice.name && size > 1 {
				continue // they know no batches
			}
			b.Run(fmt.Sprintf("batch=%d/%s", size, c.name), func(b *testing.B) {
				m, from := newMeasured(b, 1, c), 0
				for _, to := range []int{100, 1_000, 10_000} {
					b.Run(fmt.Sprintf("from=%d/to=%d", from, to), func(b *testing.B) {
						var records [][]byte
						for turn := from; turn < to; turn++ {
							records = append(records, insert("reed", turn, "1"))
						}
						m.of(b).report(size, records)
					})
					from = to
				}
				m.checkTotals()
			})
		}
	}
}

// BenchmarkUnitsPlayers has each change from another player, up to 100,000.
func BenchmarkUnitsPlayers(b *testing.B) {
	const databases = 4 // side by side, since one takes some 600 writes a second
	for _, c := range []contender{sluice, plain, ledgerRow} {
		b.Run(c.name, func(b *testing.B) {
			m, from := newMeasured(b, databases, c), 0
			for _, to := range []int{1_000, 10_000, 100_000} {
				b.Run(fmt.Sprintf("from=%d/to=%d", from, to), func(b *testing.B) {
					var records [][]byte
					for turn := from; turn < to; turn++ {
						records = append(records, insert(playerName(turn), turn, "1"))
					}
					m.of(b).report(100, records)
				})
				from = to
			}
			m.checkTotals()
		})
	}
}

// BenchmarkUnitsLate lets a share of the changes come late: after so many newer
// ones of their player that they have to be looked up in the ledger.
func BenchmarkUnitsLate(b *testing.B) {
	const players, warmUp, measured = 10, 2 * aggregate.Capacity, 300 // changes of each player
	for _, size := range []int{1, 10} {
		for _, percent := range []int{0, 1, 10} {
			b.Run(fmt.Sprintf("changes=%d/late=%d%%", size, percent), func(b *testing.B) {
				type delivery struct {
					at     int
					record []byte
				}
				var deliveries []delivery
				for turn := range players * (warmUp + measured) {
					at := turn
					if percent > 0 && (turn/players+7*(turn%players))%(100/percent) == 0 { // now this player, now that one
						at += players * warmUp
					}
					deliveries = append(deliveries, delivery{at, insert(playerName(turn%players), turn, "1")})
				}
				slices.SortStableFunc(deliveries, func(x, y delivery) int { return x.at - y.at })
				var first, then [][]byte
				for _, d := range deliveries {
					switch {
					case d.at < players*warmUp:
						first = append(first, d.record)
					case d.at < players*(warmUp+measured): // what would come still later is left out
						then = append(then, d.record)
					}
				}
				m := newMeasured(b, 1, sluice)
				m.deliver(players*10, first)
				used := m.report(players*size, then)
				changes := float64(len(then))
				b.ReportMetric(float64(used.Reads)/changes, "ledger-reads/change")
				b.ReportMetric(used.ReadUnits/changes, "read-units/change")
				m.checkTotals()
			})
		}
	}
}

// BenchmarkUnitsLateLanes has one player's changes go through several lanes at once, as through the
// templates' ParallelizationFactor: what one lane writes makes changes of the others late.
func BenchmarkUnitsLateLanes(b *testing.B) {
	const changes = 4000
	for _, size := range []int{10, 100} {
		for _, lanes := range []int{1, 2, 10} {
			b.Run(fmt.Sprintf("batch=%d/lanes=%d", size, lanes), func(b *testing.B) {
				m, began := newMeasured(b, 1, sluice), time.Now()
				var work sync.WaitGroup
				for first := range lanes {
					lane := *m.worlds[0] // the same tables
					var records [][]byte
					for turn := first; turn < changes; turn += lanes {
						records = append(records, insert("reed", turn, "1"))
					}
					work.Go(func() { lane.deliver(lane.handler(sluice.make(b, &lane)), size, records...) })
				}
				work.Wait()
				used := m.meter.Take()
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(used.WriteUnits/changes, "units/change")
				b.ReportMetric(float64(used.Calls)/changes, "calls/change")
				b.ReportMetric(changes/time.Since(began).Seconds(), "changes/s")
				m.delivered = changes
				m.checkTotals()
			})
		}
	}
}

func playerName(n int) string { return "player-" + strconv.Itoa(n) }

// measured is a contender at work, in one database or several that share the
// changes.
type measured struct {
	b         *testing.B
	worlds    []*world
	functions []*consumer.Handler
	meter     *meter.Meter
	delivered int
}

func newMeasured(b *testing.B, databases int, c contender) *measured {
	b.Helper()
	m := &measured{b: b, meter: &meter.Meter{}}
	for range databases {
		w := newWorld(b)
		w.config.APIOptions = append(w.config.APIOptions, m.meter.Install)
		m.worlds = append(m.worlds, w)
		m.functions = append(m.functions, w.handler(c.make(b, w)))
	}
	return m
}

// of is m reporting to a benchmark within its own.
func (m *measured) of(b *testing.B) *measured {
	m.b = b
	return m
}

// deliver delivers the records in batches of this size.
func (m *measured) deliver(size int, records [][]byte) {
	m.b.Helper()
	var work sync.WaitGroup
	share := (len(records) + len(m.worlds) - 1) / len(m.worlds)
	for i, w := range m.worlds {
		part := records[min(i*share, len(records)):min((i+1)*share, len(records))]
		work.Go(func() { w.deliver(m.functions[i], size, part...) })
	}
	work.Wait()
	m.delivered += len(records)
}

// report delivers the records and reports what a change costs.
func (m *measured) report(size int, records [][]byte) meter.Usage {
	m.b.Helper()
	m.meter.Take()
	m.deliver(size, records)
	used := m.meter.Take()
	m.b.ReportMetric(0, "ns/op") // it is about units, not about time
	m.b.ReportMetric(used.WriteUnits/float64(len(records)), "units/change")
	m.b.ReportMetric(float64(used.Calls)/float64(len(records)), "calls/change")
	return used
}

// checkTotals checks that the work was done: each record is one point.
func (m *measured) checkTotals() {
	m.b.Helper()
	sum := decimal.Zero
	for _, w := range m.worlds {
		for _, total := range w.totals() {
			sum = sum.Add(total)
		}
		if len(w.letters) > 0 {
			m.b.Fatalf("%d dead letters, the first: %s", len(w.letters), w.letters[0].Error)
		}
	}
	if !sum.Equal(decimal.NewFromInt(int64(m.delivered))) {
		m.b.Fatalf("the board has %s points after %d changes of one point", sum, m.delivered)
	}
}
