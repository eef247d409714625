package ops

import (
	"context"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"sluice/cli/verb"
	"sluice/consumers/badges"
	"sluice/consumers/badges/rule"
	"sluice/shared/operate"
	"sluice/shared/view"
)

// Consumer returns badges as the command line knows them.
func Consumer() operate.Consumer { return registered{} }

type registered struct{}

var (
	_ operate.Linter    = registered{}
	_ operate.Rebuilder = registered{}
	_ operate.Commander = registered{}
)

// Name implements operate.Consumer.
func (registered) Name() string { return "badges" }

// Declares implements operate.Linter.
func (registered) Declares() []operate.Declares {
	return []operate.Declares{
		{What: "the rules of badges", Keys: []string{"plays", "badges"}, Path: badges.RulesPath},
		{What: "cases for sluice badges test", Keys: []string{"cases"}, Instead: "sluice badges test FILE runs them"},
	}
}

// Lint implements operate.Linter.
func (registered) Lint(out io.Writer, file *operate.File) error {
	settings := badges.DefaultSettings()
	read := settings.Rules
	if file != nil {
		read = func() (*rule.Book, error) { return settings.ReadRules(file.Name, file.Text) }
	}
	book, err := read()
	if err != nil {
		return fmt.Errorf("the badges can't be awarded:\n%w", err)
	}
	for _, r := range book.Rules {
		fmt.Fprintf(out, "%s: %s\n", r.Name, r)
	}
	for _, v := range book.Views {
		fmt.Fprintf(out, "%s: %s → %s\n", v.Name, v.Source, v.Table)
	}
	return nil
}

// Views implements operate.Rebuilder.
func (registered) Views() ([]*view.View, error) {
	book, err := badges.DefaultSettings().Rules()
	if err != nil {
		return nil, err
	}
	return book.Views, nil
}

// Rebuild implements operate.Rebuilder.
func (registered) Rebuild(ctx context.Context, p operate.Part, name string) (operate.Rebuild, error) {
	o, err := NewOperator(p)
	if err != nil {
		return operate.Rebuild{}, err
	}
	v, err := o.Auditor().Rebuildable(ctx, name)
	return operate.Rebuild{View: v, Ledger: o.Settings.LedgerTable, Horizon: o.Settings.Horizon, After: "What its sums earn now, sluice verify badges --repair awards."}, err
}

// Operator is the badges' consumer of a pipeline, with the rules that are part of this program.
type Operator struct {
	Settings       badges.Settings
	Book           *rule.Book
	Tables, Topics aws.Config // lead to DynamoDB, and to SNS
}

// FindOperator finds the badges' consumer of the chosen pipeline.
func FindOperator(ctx context.Context, f verb.PipelineFlags) (Operator, error) {
	p, err := f.Part(ctx, "badges")
	if err != nil {
		return Operator{}, err
	}
	return NewOperator(p)
}

// NewOperator makes it of the outputs of badges' template.
func NewOperator(p operate.Part) (Operator, error) {
	o := Operator{Settings: badges.DefaultSettings(), Tables: p.Tables, Topics: p.AWS}
	if err := p.Read(&o.Settings); err != nil {
		return o, err
	}
	if err := o.Settings.Validate(); err != nil {
		return o, err
	}
	var err error
	o.Book, err = o.Settings.Rules()
	return o, err
}

// Auditor returns what compares badges with plays.
func (o Operator) Auditor() *Auditor {
	return NewAuditor(dynamodb.NewFromConfig(o.Tables), sns.NewFromConfig(o.Topics), o.Settings, o.Book)
}

// Reader returns what reads a player's badges.
func (o Operator) Reader() *Reader {
	return NewReader(dynamodb.NewFromConfig(o.Tables), o.Settings, o.Book)
}
