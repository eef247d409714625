package ops

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"sluice/consumers/badges"
	"sluice/consumers/badges/rule"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

// Consumer returns badges for the command line.
func Consumer(p declaration.Pipeline) operate.Consumer { return registered{p} }

type registered struct{ pipeline declaration.Pipeline }

var (
	_ operate.Verifier   = registered{}
	_ operate.Backfiller = registered{}
)

func (registered) Name() string                    { return "badges" }
func (r registered) Verify() operate.Verification  { return &verification{pipeline: r.pipeline} }
func (r registered) Backfill() operate.Backfilling { return &backfilling{pipeline: r.pipeline} }

type verification struct {
	Notify bool `help:"With --repair, notify players of the badges that the repair awards."`

	pipeline declaration.Pipeline
}

var (
	_ operate.Repairing       = (*verification)(nil)
	_ operate.RepairValidator = (*verification)(nil)
)

func (*verification) RepairHelp() string {
	return "awards what is missing, takes back and restores what the rules say, and sends what is pending"
}

func (v *verification) ValidateRepair(repair bool) error {
	if v.Notify && !repair {
		return errors.New("--notify is for --repair")
	}
	return nil
}

func (v *verification) Open(_ context.Context, p operate.Part, o operate.Options) ([]operate.Comparison, error) {
	a, _, err := Open(p, v.pipeline, o.Segments)
	if err != nil {
		return nil, err
	}
	return []operate.Comparison{a.Comparison(v.Notify)}, nil
}

type backfilling struct {
	Notify   bool          `help:"Notify players of the badges that they are awarded."`
	Clocks   time.Duration `default:"10s" help:"By how much clocks, and a change's time and that of its write, may differ."`
	Patience time.Duration `default:"5s" help:"How long a state has to differ from the plays before it is rebuilt."`

	pipeline declaration.Pipeline
}

func (b *backfilling) Validate() error {
	if b.Clocks < 0 || b.Patience < 0 {
		return fmt.Errorf("--clocks and --patience must not be negative (got %v, %v)", b.Clocks, b.Patience)
	}
	return nil
}

func (b *backfilling) Open(_ context.Context, p operate.Part, o operate.Options) ([]operate.Backfill, error) {
	a, s, err := Open(p, b.pipeline, o.Segments)
	if err != nil {
		return nil, err
	}
	return []operate.Backfill{a.Backfill(BackfillOptions{
		Notify: b.Notify, Patience: b.Patience, Clocks: b.Clocks, Ledger: s.LedgerTable, Horizon: s.Horizon, Say: o.Say,
	})}, nil
}

// Open returns an Auditor of a pipeline's badges, by the declared rules, with the settings. It makes no call.
func Open(p operate.Part, pipeline declaration.Pipeline, segments int) (*Auditor, badges.Settings, error) {
	s, book, err := settings(p, pipeline)
	if err != nil {
		return nil, s, err
	}
	return NewAuditor(dynamodb.NewFromConfig(p.Tables), sns.NewFromConfig(p.AWS), s, book, segments), s, nil
}

// OpenReader returns a Reader of a pipeline's badges, by the declared rules. It makes no call.
func OpenReader(p operate.Part, pipeline declaration.Pipeline) (*Reader, error) {
	s, book, err := settings(p, pipeline)
	if err != nil {
		return nil, err
	}
	return NewReader(dynamodb.NewFromConfig(p.Tables), s, book), nil
}

func settings(p operate.Part, pipeline declaration.Pipeline) (badges.Settings, *rule.Book, error) {
	s := badges.DefaultSettings()
	if err := p.Read(&s); err != nil {
		return s, nil, err
	}
	if err := s.Validate(); err != nil {
		return s, nil, err
	}
	d, err := p.Settle(pipeline, badges.RulesFile)
	if err != nil {
		return s, nil, err
	}
	book, err := s.Rules(d)
	return s, book, err
}
