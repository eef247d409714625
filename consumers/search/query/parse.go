package query

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The limits of a query.
const (
	// MaxText is how many bytes a query has at most.
	MaxText = 1024
	// MaxTerms is how many terms it has at most.
	MaxTerms = 32
)

// kind is what a term asks of a field.
type kind uint8

const (
	word    kind = iota // has the word
	phrase              // has the words in quotes, in their order
	prefix              // has a word that begins so
	exists              // has any value
	compare             // is greater or less
	between             // lies between two values, both included
)

// term is one condition of a query.
type term struct {
	column  int
	negated bool
	field   string // "": any field
	kind    kind
	op      string // of compare: > >= < <=
	value   string
	upper   string // of between; it and value may be "": no bound
	// valueColumn and upperColumn are where these stand.
	valueColumn, upperColumn int
}

// parser reads a query. It knows nothing of the index's fields.
type parser struct {
	text  []rune
	at    int
	terms int
}

// parse reads a query: all clauses must hold, and of the terms of a clause one.
func parse(text string) ([][]term, error) {
	if len(text) > MaxText {
		return nil, fault("query", "it has %d bytes; %d are the most", len(text), MaxText)
	}
	if !utf8.ValidString(text) {
		return nil, fault("query", "it isn't valid UTF-8")
	}
	p := &parser{text: []rune(text)}
	var clauses [][]term
	or := 0 // the column of an OR that waits for its second term
	for p.skipSpace(); !p.end(); p.skipSpace() {
		t, err := p.term()
		if err != nil {
			return nil, err
		}
		if isOr := p.isOr(t); isOr && (len(clauses) == 0 || or > 0) {
			return nil, faultAt(t.column, "OR must stand between two terms; in quotes it is a word")
		} else if isOr {
			or = t.column
			continue
		}
		if p.terms++; p.terms > MaxTerms {
			return nil, faultAt(t.column, "there are more than %d terms", MaxTerms)
		}
		if or > 0 {
			last := len(clauses) - 1
			clauses[last] = append(clauses[last], t)
			or = 0
			continue
		}
		clauses = append(clauses, []term{t})
	}
	if or > 0 {
		return nil, faultAt(or, "OR must stand between two terms; in quotes it is a word")
	}
	return clauses, nil
}

func (p *parser) isOr(t term) bool {
	return t.kind == word && t.field == "" && !t.negated && t.value == "OR"
}

func (p *parser) end() bool { return p.at == len(p.text) }

func (p *parser) column() int { return p.at + 1 }

func (p *parser) atSpace() bool { return p.end() || unicode.IsSpace(p.text[p.at]) }

func (p *parser) skipSpace() {
	for !p.end() && unicode.IsSpace(p.text[p.at]) {
		p.at++
	}
}

// take skips a text if it comes next.
func (p *parser) take(text string) bool {
	if !p.next(text) {
		return false
	}
	p.at += utf8.RuneCountInString(text)
	return true
}

func (p *parser) next(text string) bool {
	runes := []rune(text)
	return len(p.text)-p.at >= len(runes) && slices.Equal(p.text[p.at:p.at+len(runes)], runes)
}

// term reads a term up to its end.
func (p *parser) term() (term, error) {
	t := term{column: p.column()}
	if dashes := p.dashes(); dashes != "" {
		t.value, t.valueColumn = dashes, t.column
		return t, nil
	}
	if p.take("-") {
		t.negated = true
		if p.atSpace() || p.next("-") {
			return t, faultAt(t.column, "- must stand right before what is to be left out; in quotes it is a text")
		}
	}
	if p.next("(") && (t.negated || p.hasOr()) {
		return t, faultAt(p.column(), "parentheses group nothing: OR stands between two terms, all else must hold together; quote what you look for")
	}
	t.valueColumn = p.column()
	quoted := p.next(`"`)
	text, err := p.operand(false)
	if err != nil {
		return t, err
	}
	if p.take(":") {
		if t.field = text; text == "" {
			return t, faultAt(t.valueColumn, "a field's name is missing before the colon; quote what you look for if it has a colon")
		}
		return p.value(t)
	}
	if !p.atSpace() {
		return t, faultAt(p.column(), "a space is missing here")
	}
	if t.value = text; quoted {
		t.kind = phrase
		return t, nil
	}
	if text == "AND" || text == "NOT" {
		return t, faultAt(t.valueColumn, "all terms must hold anyway, and -term is what must not; in quotes %s is a word", text)
	}
	return p.wordOrPrefix(t)
}

// dashes takes dashes that stand alone, as between two words of a title.
func (p *parser) dashes() string {
	end := p.at
	for end < len(p.text) && p.text[end] == '-' {
		end++
	}
	if end == p.at || end < len(p.text) && !unicode.IsSpace(p.text[end]) || p.terms == 0 {
		return ""
	}
	found := string(p.text[p.at:end])
	p.at = end
	return found
}

// hasOr reports whether the query has an OR, for which parentheses would make a difference.
func (p *parser) hasOr() bool { return slices.Contains(strings.Fields(string(p.text)), "OR") }

// value reads what stands behind a field's colon.
func (p *parser) value(t term) (term, error) {
	for _, op := range []string{">=", "<=", ">", "<"} {
		if p.take(op) {
			t.kind, t.op = compare, op
			break
		}
	}
	t.valueColumn = p.column()
	if p.atSpace() {
		return t, faultAt(t.column, "field %s: a value is missing; * is for any", t.field)
	}
	quoted := p.next(`"`)
	var err error
	if t.value, err = p.operand(true); err != nil {
		return t, err
	}
	if t.kind != compare && p.take("..") {
		t.kind, t.upperColumn = between, p.column()
		if t.upper, err = p.operand(true); err != nil {
			return t, err
		}
		if t.value == "" && t.upper == "" {
			return t, faultAt(t.valueColumn, "field %s: .. needs a value on one side at least", t.field)
		}
	}
	switch {
	case !p.atSpace():
		return t, faultAt(p.column(), "field %s: a space is missing here; quote a value that has quotes or .. in it", t.field)
	case t.kind == compare || t.kind == between:
		return t, nil
	case quoted:
		t.kind = phrase
		return t, nil
	case t.value == "*":
		t.kind = exists
		return t, nil
	}
	return p.wordOrPrefix(t)
}

// wordOrPrefix looks for the * that makes a word a prefix.
func (p *parser) wordOrPrefix(t term) (term, error) {
	star := strings.IndexByte(t.value, '*')
	switch {
	case star < 0:
		return t, nil
	case star == 0:
		return t, faultAt(t.valueColumn, "a * needs letters before it; field:* finds what has any value")
	case star < len(t.value)-1:
		return t, faultAt(t.valueColumn+utf8.RuneCountInString(t.value[:star]), "a * may only stand at a word's end; in quotes it is a text")
	}
	t.kind, t.value = prefix, t.value[:star]
	return t, nil
}

// operand reads a text in quotes, where \" is a quote and \\ a backslash, or up to
// what ends one without: a space, a quote, and a colon or, as a field's value, two
// dots.
func (p *parser) operand(value bool) (string, error) {
	start := p.at
	if !p.take(`"`) {
		for !p.atSpace() && !p.next(`"`) && (value || !p.next(":")) && (!value || !p.next("..")) {
			p.at++
		}
		return string(p.text[start:p.at]), nil
	}
	var text strings.Builder
	for !p.end() && !p.next(`"`) {
		if p.next(`\"`) || p.next(`\\`) {
			p.at++
		}
		text.WriteRune(p.text[p.at])
		p.at++
	}
	if !p.take(`"`) {
		return "", faultAt(start+1, "the quote that begins here doesn't end")
	}
	return text.String(), nil
}
