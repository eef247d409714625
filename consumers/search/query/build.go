package query

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"sluice/consumers/search/internal/document"
)

// What a hit's score is the sum of: for each clause, how well its best term matches.
// They depend on the document and the query alone. The engine's own scores change
// with every document that comes or goes, and paging by them would miss hits.
const (
	entirely = exactly*MaxTerms + 1 // a value that is the whole text; better than all terms together
	exactly  = 4                    // a keyword's whole value, or a phrase
	as       = 3                    // a word as written, or its beginning
	nearly   = 1                    // a word with a typo
	unasked  = 0                    // numbers, dates: no match is better than another
)

// build makes the query that finds what a text asks for. Words that consist of nothing
// but signs ask for nothing beside others, since texts are searched by their words. A
// value that is the whole text is found in any case, and is the best match: people paste
// titles.
func build(text string, f fields) (object, error) {
	clauses, err := parse(text)
	if err != nil {
		return nil, err
	}
	asking := askingOf(clauses)
	alone := len(asking) == 1 && len(asking[0]) == 1
	var must []object
	for _, clause := range asking {
		var terms []object
		for _, t := range clause {
			q, err := t.build(f, alone)
			if err != nil {
				return nil, err
			}
			terms = append(terms, q)
		}
		must = append(must, best(terms))
	}
	switch {
	case len(clauses) > 0 && len(asking) == 0:
		must = []object{wholeText(text, clauses, f)}
	case len(clauses) > 0:
		must = []object{best([]object{{"bool": object{"must": must}}, wholeText(text, nil, f)})}
	}
	return shown(must), nil
}

// shown finds what all queries find, but for removed items.
func shown(must []object) object {
	return object{"bool": object{
		"must": must,
		// The alias hides these already, unless somebody made it anew without its filter.
		"must_not": object{"term": object{document.Field + ".deleted": true}},
	}}
}

// askingOf returns the clauses without the terms that ask for nothing.
func askingOf(clauses [][]term) [][]term {
	var asking [][]term
	for _, clause := range clauses {
		kept := slices.DeleteFunc(slices.Clone(clause), func(t term) bool { return t.field == "" && t.kind <= prefix && wordless(t.value) })
		if len(kept) > 0 {
			asking = append(asking, kept)
		}
	}
	return asking
}

// wordless reports whether a text has no letter, no digit and no picture, so that
// OpenSearch's analyzers find no word in it. Letters that only extend the letter before
// them, such as the halfwidth sound marks of Japanese, make no word (Unicode UAX #29, WB4).
func wordless(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return (unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.So, r)) && !unicode.Is(unicode.Other_Grapheme_Extend, r)
	})
}

// wholeText finds keywords, and texts with a keyword beneath them, whose value is the
// text, or the one term that it consists of.
func wholeText(text string, clauses [][]term, f fields) object {
	queries := []object{nothing()}
	values := []string{text}
	if trimmed := strings.TrimSpace(text); trimmed != text {
		values = append(values, trimmed)
	}
	only := term{kind: word}
	if len(clauses) == 1 && len(clauses[0]) == 1 {
		only = clauses[0][0]
		values = append(values, only.value)
	}
	for _, name := range f.searched() {
		one := f.whole(f[name])
		if one.class != keyword {
			continue
		}
		for _, value := range values {
			queries = append(queries, scored(entirely, wholeValue(one.name, value)))
		}
		if only.kind == prefix {
			queries = append(queries, scored(as, valueBegins(one.name, only.value)))
		}
	}
	return best(queries)
}

// best finds what one of the queries finds, with the best score of these.
func best(queries []object) object {
	if len(queries) == 1 {
		return queries[0]
	}
	return object{"dis_max": object{"queries": queries}}
}

func scored(score float64, q object) object {
	return object{"constant_score": object{"filter": q, "boost": score}}
}

// build makes the query of a term; alone says that it is the only one.
func (t term) build(f fields, alone bool) (object, error) {
	var q object
	if t.field == "" {
		var anywhere []object
		for _, name := range f.searched() {
			anywhere = append(anywhere, t.matches(f[name], f, alone)...)
		}
		if q = nothing(); len(anywhere) > 0 {
			q = best(anywhere)
		}
	} else {
		found, err := f.find(t.field)
		if err != nil {
			return nil, faultAt(t.column, "%v; quote what you look for if it has a colon", err)
		}
		if q, err = t.in(found, f, alone); err != nil {
			return nil, err
		}
	}
	if t.negated {
		return object{"bool": object{"must_not": q}}, nil
	}
	return q, nil
}

// in makes the query of a term that names its field.
func (t term) in(f field, all fields, alone bool) (object, error) {
	if t.kind == exists {
		return scored(unasked, inRange(f, nil)), nil
	}
	var q object
	var err error
	switch f.class {
	case text, keyword:
		if t.kind != compare && t.kind != between {
			return best(t.matches(f, all, alone)), nil
		}
		if f.class == text {
			return nil, t.fault(f, "it has no order; look for words, or sort by it")
		}
		q = t.keywords(f)
	case number:
		q, err = t.numbers(f)
	case date:
		q, err = t.dates(f)
	case boolean:
		if t.kind > phrase || t.value != "true" && t.value != "false" {
			return nil, t.fault(f, "write %s:true or %s:false", f.name, f.name)
		}
		q = object{"term": object{f.name: t.value}}
	default:
		return nil, t.fault(f, "it isn't searched; only %s:* asks whether it is there", f.name)
	}
	if err != nil {
		return nil, err
	}
	return scored(unasked, q), nil
}

func (t term) fault(f field, format string, args ...any) error {
	return faultAt(t.valueColumn, "field %s is of type %s: "+format, append([]any{f.name, f.kind}, args...)...)
}

// matches returns the queries one of which must find the term's words in a text or a
// keyword. In neither does it matter whether letters are small. alone says that the query
// has no other term.
func (t term) matches(f field, all fields, alone bool) []object {
	switch {
	case f.class == keyword && t.kind == prefix:
		return []object{scored(as, valueBegins(f.name, t.value))}
	case f.class == keyword:
		found := []object{scored(exactly, wholeValue(f.name, t.value))}
		if inner := strings.TrimFunc(t.value, unicode.IsPunct); t.field == "" && t.kind == word && inner != "" && inner != t.value {
			found = append(found, scored(as, wholeValue(f.name, inner))) // as a text's word would be found
		}
		return found
	case wordless(t.value) && all.whole(f).class == keyword:
		// No word of the text can be meant, so the whole of it is.
		return t.matches(all.whole(f), all, alone)
	case t.kind == prefix:
		return []object{scored(as, object{"match_bool_prefix": object{f.name: object{"query": t.value, "operator": "and"}}})}
	case t.kind == phrase:
		return append(t.matchesWhole(f, all), scored(exactly, object{"match_phrase": object{f.name: t.words(alone)}}))
	}
	found := []object{scored(as, object{"match": object{f.name: t.words(alone)}})}
	if t.field != "" {
		found = append(found, t.matchesWhole(f, all)...)
	}
	if !t.negated && mayHaveTypo(t.value) {
		found = append(found, scored(nearly, object{"match": object{f.name: object{
			"query": t.value, "operator": "and",
			"fuzziness": fuzziness, "prefix_length": 1,
			"fuzzy_rewrite": "constant_score", // all words that are near, not the 50 most frequent
		}}}))
	}
	return found
}

// matchesWhole finds a text whose whole value is the term's, in any case: analyzers know
// fewer letters that are the same.
func (t term) matchesWhole(f field, all fields) []object {
	whole := all.whole(f)
	if whole.class != keyword {
		return nil
	}
	return []object{scored(exactly, wholeValue(whole.name, t.value))}
}

// words are what a match asks for. A term that the field's analyzer makes nothing of asks
// for nothing, unless it is all that is asked for.
func (t term) words(alone bool) object {
	asked := object{"query": t.value}
	if t.kind == word {
		asked["operator"] = "and"
	}
	if !alone && !t.negated {
		asked["zero_terms_query"] = "all"
	}
	return asked
}

// fuzziness allows one letter to be wrong in a word of 4, and two in one of 8: almost
// any three letters are near some word.
const fuzziness = "AUTO:4,8"

// mayHaveTypo tells whether to look for words that are nearly the same: not for what
// has digits, such as a number or an id, nor for what is longer than words are.
func mayHaveTypo(text string) bool {
	return !strings.ContainsFunc(text, unicode.IsDigit) && len(text) <= 64
}

// limit is one end of what a term lets a value be.
type limit struct {
	text     string
	column   int
	included bool
}

// fault says why the limit is none of a field.
func (l *limit) fault(f field, err error) error {
	return faultAt(l.column, "field %s is of type %s: %v", f.name, f.kind, err)
}

// limits returns both ends; nil: none.
func (t term) limits() (lower, upper *limit) {
	switch t.kind {
	case compare:
		end := &limit{t.value, t.valueColumn, t.op == ">=" || t.op == "<="}
		if t.op[0] == '>' {
			return end, nil
		}
		return nil, end
	case between:
		if t.value != "" {
			lower = &limit{t.value, t.valueColumn, true}
		}
		if t.upper != "" {
			upper = &limit{t.upper, t.upperColumn, true}
		}
		return lower, upper
	}
	only := &limit{t.value, t.valueColumn, true}
	return only, only
}

// keywords compares as OpenSearch sorts keywords: byte by byte.
func (t term) keywords(f field) object {
	lower, upper := t.limits()
	bounds := object{}
	if lower != nil {
		bounds[bound("g", lower.included)] = lower.text
	}
	if upper != nil {
		bounds[bound("l", upper.included)] = upper.text
	}
	return inRange(f, bounds)
}

func (t term) numbers(f field) (object, error) {
	if t.kind == prefix {
		return nil, t.fault(f, "numbers have no beginning; write %s:>=%s, or %s:10..19", f.name, t.value, f.name)
	}
	lower, upper := t.limits()
	var ends [2]*numberLimit
	for i, l := range []*limit{lower, upper} {
		if l == nil {
			continue
		}
		value, err := parseNumber(l.text)
		if err != nil {
			return nil, l.fault(f, err)
		}
		ends[i] = &numberLimit{value, l.included}
	}
	return numbers(f, ends[0], ends[1]), nil
}

func (t term) dates(f field) (object, error) {
	if t.kind == prefix {
		return nil, t.fault(f, "a shorter date stands for all that begins so: %s:2026-01", f.name)
	}
	lower, upper := t.limits()
	var from, to *time.Time
	for _, l := range []*limit{lower, upper} {
		if l == nil {
			continue
		}
		p, err := parsePeriod(l.text)
		if err != nil {
			return nil, l.fault(f, err)
		}
		if l == lower {
			from = p.bound(!l.included)
		}
		if l == upper {
			to = p.bound(l.included)
		}
	}
	return dates(f, from, to), nil
}
