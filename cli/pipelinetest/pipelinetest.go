// Package pipelinetest tests that a pipeline's declarations, templates and rights fit together, whatever the pipeline declares.
package pipelinetest

import (
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sluice/cli/madeup"
	"sluice/deploy/local/rights/rightstest"
	"sluice/deploy/local/servers/servertest"
	"sluice/deploy/local/template"
	"sluice/deploy/sections"
	"sluice/shared/aggregate"
	"sluice/shared/consumertest"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

// root is the checkout's, from the folder pipeline/ops in which the tests are.
const root = "../.."

// Main runs the tests of a package, with servers that end with them. Call it in TestMain.
func Main(m *testing.M) { servertest.Main(m) }

// Run runs the tests, in the folder pipeline/ops:
//   - declarations: each can be read, as sluice lint reads it;
//   - templates: each has what the declarations ask for, and would lose no change;
//   - rights: the role of each function allows every call that made-up items lead to, on the wire to real servers.
//
// Not tested is whether a role allows more than the function needs.
func Run(t *testing.T, p declaration.Pipeline, consumers func(declaration.Pipeline) []operate.Consumer) {
	registered := consumers(p)
	declarers := operate.Offering[operate.Declarer](registered)
	t.Run("declarations", func(t *testing.T) {
		for _, l := range operate.Offering[operate.Linter](registered) {
			if err := l.Lint(io.Discard, nil); err != nil {
				t.Errorf("%s: %v", l.Name(), err)
			}
		}
	})
	t.Run("templates", func(t *testing.T) { templates(t, p, declarers) })
	t.Run("rights", func(t *testing.T) {
		tables, err := madeup.Tables(root, p, registered)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range declarers {
			if _, err := os.Stat(templateOf(c)); err == nil {
				t.Run(c.Name(), func(t *testing.T) { rightsOf(t, p, c, tables) })
			}
		}
	})
}

func templateOf(c operate.Consumer) string {
	return filepath.Join(root, "consumers", c.Name(), "template.yaml")
}

func templates(t *testing.T, p declaration.Pipeline, consumers []operate.Declarer) {
	files, err := sections.Checkout(root, p, consumers)
	if err != nil {
		t.Error(err)
	}
	for _, f := range files {
		if line, now, want := f.FirstDifference(); line > 0 {
			t.Errorf("%s:%d has %q, but the declarations ask for %q: sluice lint --fix writes it", f.Path, line, now, want)
		}
	}
	paths, err := template.Find(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		read, err := template.Read(path)
		if err == nil {
			err = read.Check(168 * time.Hour) // the default of deploy/stream.yaml
		}
		if err != nil {
			t.Error(err)
		}
	}
}

// rightsOf gives the function of a consumer changes of made-up items, and compares its calls with its role.
func rightsOf(t *testing.T, p declaration.Pipeline, c operate.Declarer, tables []madeup.Table) {
	d, err := p.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	n, err := c.Needs(d)
	if err != nil {
		t.Fatal(err)
	}
	account := rightstest.NewAccount(t)
	paths, err := filepath.Glob(filepath.Join(root, "deploy", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if filepath.Base(path) != "stream.yaml" { // nobody reads it here
			account.Create(t, path, "", nil)
		}
	}
	var regions []string
	for _, copied := range n.Copies {
		regions = append(regions, copied.Region)
	}
	for _, region := range operate.Distinct(regions) {
		account.Create(t, filepath.Join(root, "consumers", c.Name(), "destination.yaml"), region, nil)
	}
	f := rightstest.Start(t, account, rightstest.Suite{Template: templateOf(c), OnlyMissing: true})
	began := time.Now().Add(-time.Minute)
	for _, table := range tables {
		of := slices.DeleteFunc(slices.Clone(n.Samples), func(s declaration.Sample) bool { return s.Table != table.Name })
		for i, sample := range of {
			invoke(t, f, history{table: table, samples: append([]declaration.Sample{sample}, of...), began: began.Add(time.Duration(i) * time.Second)})
		}
	}
	f.Check()
}

// history is what happens to made-up items of a table, all in one group.
type history struct {
	table   madeup.Table
	samples []declaration.Sample
	began   time.Time
}

// change is a change of the nth item, so many microseconds after the history began.
func (h history) change(t *testing.T, n, at int, old, now bool) []byte {
	t.Helper()
	item := h.table.ItemOf(rand.New(rand.NewPCG(1, 1)), n, h.samples...)
	c := consumertest.Change{Table: h.table.Name, Time: h.began.Add(time.Duration(at) * time.Microsecond), Keys: consumertest.ItemOf(h.table.KeyOf(item))}
	if old {
		c.Old = consumertest.ItemOf(item)
	}
	if now {
		c.New = consumertest.ItemOf(item)
	}
	return c.Record()
}

// invoke has as many inserts that the oldest are forgotten, late ones, repeats, modifications and removals.
func invoke(t *testing.T, f *rightstest.Function, h history) {
	t.Helper()
	var full [][]byte
	for n := 1; n <= aggregate.Capacity; n++ {
		full = append(full, h.change(t, n, n, false, true))
	}
	f.Invoke(full...)
	next := aggregate.Capacity + 1
	f.Invoke(h.change(t, next, next, false, true))
	f.Invoke(h.change(t, 0, 0, false, true))                                       // late
	f.Invoke(h.change(t, 1, 1, false, true))                                       // late, and a repeat
	f.Invoke(h.change(t, next, next+1, true, true))                                // modified
	f.Invoke(h.change(t, next, next+2, true, false))                               // removed
	f.Invoke(h.change(t, 2, 2, false, true), h.change(t, next, next, false, true)) // after it was removed
}
