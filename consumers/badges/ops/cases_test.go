package ops

import (
	"fmt"
	"strings"
	"testing"

	"sluice/consumers/badges"
	"sluice/consumers/badges/rule"
	"sluice/shared/consumertest/gametest"
)

func shippedRules(t testing.TB) *rule.Book {
	t.Helper()
	book, err := badges.DefaultSettings().Rules(gametest.Declarations())
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// The shipped cases hold for the shipped rules.
func TestShippedCases(t *testing.T) {
	const path = "rules_test.yaml"
	d := gametest.Declarations()
	_, text, err := d.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	book := shippedRules(t)
	cases, err := OpenCases(path, text, d.Settings)
	if err != nil || cases.Rules != "rules.yaml" {
		t.Fatalf("rules %q, %v", cases.Rules, err)
	}
	list, err := cases.Of(book)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		for _, m := range c.Run(book) {
			t.Errorf("%s:%d: %s: %s: missing %v, not expected %v", path, c.At.Line, c.Name, m.Player, m.Missing, m.Extra)
		}
	}
	if len(list) < 8 {
		t.Errorf("only %d cases", len(list))
	}
}

// What differs is told by player; what a case can't mean, with line and column.
func TestCases(t *testing.T) {
	book := shippedRules(t)
	cases, err := OpenCases("c.yaml", []byte(`cases:
  - name: wrong
    plays: [{Timestamp: "2024-01-15 10:00:00", Score: 9}]
    badges: [first-play, regular#bronze]
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	list, err := cases.Of(book)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(list[0].Run(book)), "[{player [regular#bronze] [nine]}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}

	cases, err = OpenCases("c.yaml", []byte(`cases:
  - name: faulty
    plays:
      - {Timestamp: "yesterday", Score: 1}
      - {Timestamp: "1999-01-01", Score: 1}
      - {days: 0, from: 2024-01-01}
      - {days: 3, from: soon}
      - {days: 3, from: 2024-01-01, Timestamp: "2024-01-01"}
      - {Timestamp: "2024-01-01", Score: [1, {of: 1e999}]}
    badges: [first-plai]
  - {name: two, plays: [{UserId: a, Timestamp: "2024-01-01", Score: 1}, {UserId: b, Timestamp: "2024-01-01", Score: 1}], badges: []}
  - {nam: none, plays: 3}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = cases.Of(book)
	if err == nil {
		t.Fatal("a faulty file was taken")
	}
	for _, want := range []string{
		`c.yaml:4:10: the consumer can't use this play: `, `"yesterday" is no timestamp`, `c.yaml:5:10: `, "before the earliest that is believed",
		`c.yaml:6:10: days must be from 1 to 10000, not "0"`, `c.yaml:7:10: from must be a date like 2024-01-01, not "soon"`,
		`c.yaml:8:10: a play a day has its Timestamp from days and from`, `c.yaml:9:51: Score: of: DynamoDB holds no such number as 1e999`,
		`c.yaml:10:14: there is no badge "first-plai"`, "several play here", `unknown key "nam"`, "plays must be a list",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
}
