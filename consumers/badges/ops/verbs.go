package ops

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sluice/cli/verb"
	"sluice/consumers/badges/rule"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

func (registered) Verbs() any {
	return &struct {
		Badges badgesCommand `cmd:"" help:"Try the rules of badges, and tell why a player has one or not."`
	}{}
}

type badgesCommand struct {
	Test    badgesTestCommand    `cmd:"" help:"Play the cases of a file through the rules, and compare the badges that they earn. Exits with 1 if any differs."`
	Explain badgesExplainCommand `cmd:"" help:"Tell why a player has a badge, or what is missing."`
}

type badgesTestCommand struct {
	File string `arg:"" type:"existingfile" help:"The file of cases, such as pipeline/rules_test.yaml. - reads standard input."`
}

// Run plays the cases in memory; it needs no pipeline.
func (c *badgesTestCommand) Run(p declaration.Pipeline) error {
	text, err := verb.ReadText(c.File)
	if err != nil {
		return err
	}
	d, err := p.Defaults()
	if err != nil {
		return err
	}
	cases, err := OpenCases(c.File, text, d.Settings)
	if err != nil {
		return fmt.Errorf("the cases can't be played:\n%w", err)
	}
	rules := cases.Rules
	if rules != "" && !filepath.IsAbs(rules) {
		rules = filepath.Join(filepath.Dir(c.File), rules)
	}
	book, err := readBook(p, rules)
	if err != nil {
		return fmt.Errorf("the badges can't be awarded:\n%w", err)
	}
	list, err := cases.Of(book)
	if err != nil {
		return fmt.Errorf("the cases can't be played:\n%w", err)
	}
	wrong := 0
	for _, one := range list {
		mistakes := one.Run(book)
		if len(mistakes) == 0 {
			verb.Say("ok       %s\n", one.Name)
			continue
		}
		wrong++
		verb.Say("differs  %s (line %d)\n", one.Name, one.At.Line)
		for _, m := range mistakes {
			for _, key := range m.Missing {
				verb.Say("           %s doesn't earn %s\n", m.Player, key)
			}
			for _, key := range m.Extra {
				verb.Say("           %s earns %s, which isn't among the case's badges\n", m.Player, key)
			}
		}
	}
	if wrong > 0 {
		return errors.New(operate.Count(wrong, "case differs", "cases differ"))
	}
	verb.Say("%s: the rules give each the badges it says.\n", operate.Count(len(list), "case"))
	return nil
}

// readBook reads the rules that a file declares, or those of the pipeline.
func readBook(p declaration.Pipeline, path string) (*rule.Book, error) {
	if path == "" {
		return registered{p}.book(nil)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return registered{p}.book(&operate.File{Path: path, Name: path, Text: text})
}
