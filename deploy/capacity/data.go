package capacity

import (
	_ "embed" // the figures and prices
	"fmt"
	"sync"

	"github.com/goccy/go-yaml"
	"github.com/shopspring/decimal"
)

//go:embed figures.yaml
var figuresText []byte

//go:embed prices.yaml
var pricesText []byte

// Measured says where a figure is from.
type Measured struct {
	Command string `yaml:"command" json:"command"`
	Date    string `yaml:"date" json:"date"`
	Note    string `yaml:"note" json:"note,omitempty"`
}

type figure struct {
	Measured `yaml:",inline"`
	Value    decimal.Decimal `yaml:"value"`
	What     string          `yaml:"what"`
}

// step is what a change costs from so many changes a group and batch on.
type step struct {
	From       int64           `yaml:"from"`
	WriteUnits decimal.Decimal `yaml:"writeUnits"`
	ReadUnits  decimal.Decimal `yaml:"readUnits"`
	Calls      decimal.Decimal `yaml:"calls"`
	CPUMicros  decimal.Decimal `yaml:"cpuMicros"`
	WaitMicros decimal.Decimal `yaml:"waitMicros"`
	Totals     decimal.Decimal `yaml:"totals"` // writes of the table of totals, each a change in the stream too
}

// profile is what is known of a shipped consumer.
type profile struct {
	Name            string          `yaml:"name"`
	Batch           int64           `yaml:"batch"`
	WindowSeconds   int64           `yaml:"windowSeconds"`
	Parallelization int64           `yaml:"parallelization"`
	MemoryMB        int64           `yaml:"memoryMB"`
	AtOnce          int64           `yaml:"atOnce"` // calls side by side
	Units           Measured        `yaml:"units"`
	Time            Measured        `yaml:"time"`
	Steps           []step          `yaml:"steps"`
	MarkBytes       Size            `yaml:"markBytes"`
	InsertReadUnits decimal.Decimal `yaml:"insertReadUnits"`
	OtherRegion     bool            `yaml:"otherRegion"`
	TakesTotals     bool            `yaml:"takesTotals"`
	Documents       bool            `yaml:"documents"`
	Notices         bool            `yaml:"notices"`
	LargestTable    struct {
		Name string          `yaml:"name"`
		Of   decimal.Decimal `yaml:"of"`
		In   decimal.Decimal `yaml:"in"`
	} `yaml:"largestTable"`
}

type figures struct {
	Figures map[string]figure `yaml:"figures"`
	Record  struct {
		Envelope Size `yaml:"envelope"`
		Total    Size `yaml:"total"`
	} `yaml:"record"`
	Consumers []profile `yaml:"consumers"`
}

// Price is what AWS asks for one thing.
type Price struct {
	USD  decimal.Decimal `yaml:"usd" json:"usd"`
	Per  string          `yaml:"per" json:"per"`
	Page string          `yaml:"page" json:"page"`
}

// Prices are those of one date and region, on demand.
type Prices struct {
	Date   string           `yaml:"date" json:"date"`
	Region string           `yaml:"region" json:"region"`
	Of     map[string]Price `yaml:"prices" json:"prices"`
}

// read parses what is embedded, once. That it parses is tested, so a fault here can only be a broken build.
func read[T any](name string, text []byte) func() *T {
	return sync.OnceValue(func() *T {
		v := new(T)
		if err := yaml.UnmarshalWithOptions(text, v, yaml.Strict()); err != nil {
			panic(fmt.Sprintf("%s: %v", name, err))
		}
		return v
	})
}

var (
	measured = read[figures]("figures.yaml", figuresText)
	prices   = read[Prices]("prices.yaml", pricesText)
)

// Consumers are the names of those with figures.
func Consumers() []string {
	var names []string
	for _, p := range measured().Consumers {
		names = append(names, p.Name)
	}
	return names
}

func profileOf(name string) profile {
	for _, p := range measured().Consumers {
		if p.Name == name {
			return p
		}
	}
	return profile{}
}

// at is the step for so many changes a group and batch: the last one that was measured with no more.
func (p profile) at(perGroup decimal.Decimal) step {
	found := p.Steps[0]
	for _, s := range p.Steps[1:] {
		if perGroup.GreaterThanOrEqual(decimal.NewFromInt(s.From)) {
			found = s
		}
	}
	return found
}
