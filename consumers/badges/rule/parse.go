package rule

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"sluice/shared/declaration"
)

type node = declaration.Node

// reader reads rules.
type reader struct {
	*declaration.Reader
	book   *Book
	played bool // the file says what a play is
}

// Parse reads the rules that a file declares and checks them, each for itself and all
// together. In the file, ${NAME} stands for a variable's value. stateTable is where the
// players' states are kept. Path is for the errors, which are of type
// [*declaration.Error], joined: every fault, not just the first.
func Parse(path string, text []byte, variables map[string]string, stateTable string) (*Book, error) {
	r := &reader{Reader: declaration.NewReader(path, variables), book: &Book{}}
	root, ok := r.Parse(text)
	if !ok {
		return nil, r.Err()
	}
	f := r.Fields(root, "the file", "plays", "badges")
	r.played = f["plays"].Kind != declaration.Absent
	r.plays(f["plays"])
	if f["badges"].Kind != declaration.List {
		r.Fault(f["badges"].At, "badges must be a list of rules")
	}
	for _, n := range f["badges"].Items {
		r.book.Rules = append(r.book.Rules, r.rule(n))
	}
	r.checkTogether()
	if err := r.Err(); err != nil {
		return nil, err
	}
	return r.book, r.book.makeViews(stateTable)
}

// names are of badges, levels and blocks of plays: they are in keys, subjects and addresses.
var names = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

func (r *reader) name(at declaration.Position, text, what string) {
	if text != "" && !names.MatchString(text) {
		r.Fault(at, "%s %q must be of small letters, digits and -, begin with a letter or digit, and have at most 64 of them", what, text)
	}
}

// rule reads one rule.
func (r *reader) rule(n node) *Rule {
	f := r.Fields(n, "badge", append([]string{"name", "title", "text", "hidden", "revoke", "quiet", "eventType", "from", "where"}, Kinds()...)...)
	b := &Rule{at: n.At, Repeat: once, EventType: "BADGE_EARNED"}
	b.Name = r.Text(f["name"], "name")
	r.name(f["name"].At, b.Name, "name")
	b.Title, b.Text = r.texts(f["title"], "title"), r.texts(f["text"], "text")
	for language := range b.Text {
		if b.Title[language] == "" {
			r.Fault(f["title"].At, "title: language %s, which text has, is missing", language)
		}
	}
	b.Hidden, b.Revoke, b.Quiet = r.Boolean(f["hidden"], "hidden", false), r.Boolean(f["revoke"], "revoke", false), r.Boolean(f["quiet"], "quiet", false)
	if f["eventType"].Kind != declaration.Absent {
		b.EventType = r.Text(f["eventType"], "eventType")
	}
	b.where = r.Conditions(f["where"], "where")
	var declared []string
	for _, k := range kinds {
		if f[string(k.name)].Kind != declaration.Absent {
			declared = append(declared, string(k.name))
			b.Kind, b.kind = k.name, k.make()
		}
	}
	if len(declared) != 1 {
		r.Fault(n.At, "badge %s must have one of %s, and has %s", b.Name, strings.Join(Kinds(), ", "), cmp.Or(strings.Join(declared, " and "), "none"))
		return b
	}
	b.kind.read(r, b, f[declared[0]])
	slices.SortStableFunc(b.Levels, func(l, o Level) int { return cmp.Or(l.Need.Cmp(o.Need), cmp.Compare(l.Name, o.Name)) })
	noPlays := b.kind.looks().none
	if r.countedFrom(b, f["from"]); noPlays && len(b.where) > 0 {
		r.Fault(f["where"].At, "where is about plays; %s looks at none", b.Kind)
	}
	if noPlays && b.Revoke {
		r.Fault(f["revoke"].At, "revoke: what %s has earned is never taken back", b.Kind)
	}
	if _, is := b.kind.(undone); is {
		for _, flag := range []struct {
			name string
			set  *bool
		}{{"revoke", &b.Revoke}, {"quiet", &b.Quiet}} {
			if f[flag.name].Kind != declaration.Absent && !*flag.set {
				r.Fault(f[flag.name].At, "%s: a play that arrives late may undo what %s has earned, so its badge is taken back then, and nobody is told of it; leave %[1]s out", flag.name, b.Kind)
			}
			*flag.set = true
		}
	}
	r.placeholders(b, f["text"])
	return b
}

// texts reads an object of texts by language.
func (r *reader) texts(n node, what string) map[string]string {
	texts := map[string]string{}
	for _, p := range r.Pairs(n, what) {
		if p.Key == "" {
			r.Fault(p.At, "%s: a language has no name", what)
		}
		texts[p.Key] = r.Text(p.Value, what+": "+p.Key)
	}
	if len(texts) == 0 && n.Kind != declaration.Scalar {
		r.Fault(n.At, "%s is missing; give it by language, like {en: …}", what)
	}
	return texts
}

// placeholders checks that a text of a rule has no other ones than it can fill in.
func (r *reader) placeholders(b *Rule, n node) {
	for _, p := range n.Pairs {
		for _, found := range Placeholder.FindAllStringSubmatch(p.Value.Text, -1) {
			name := found[1]
			if b.Kind == Item { // any value of the item
				r.Path(node{Kind: declaration.Scalar, At: p.Value.At, Text: name}, "text: "+p.Key)
				continue
			}
			if name != "level" && name != "of" {
				r.Fault(p.Value.At, "text: %s: {%s} is unknown; there are {level} and {of}, and attributes for rules of kind item", p.Key, name)
			}
		}
	}
}

// attributes reads the path to a value, or a list of paths.
func (r *reader) attributes(n node, what string) []declaration.Path {
	if n.Kind != declaration.List {
		return []declaration.Path{r.Path(n, what)}
	}
	var paths []declaration.Path
	for _, item := range n.Items {
		paths = append(paths, r.Path(item, what))
	}
	if len(paths) == 0 {
		r.Fault(n.At, "%s has no attributes", what)
	}
	return paths
}

// attribute reads the path to values that are told apart: it is in keys.
func (r *reader) attribute(n node, what string) string {
	text := r.Path(n, what).String()
	if strings.Contains(text, "#") || strings.ContainsAny(text, "{}") {
		r.Fault(n.At, "%s: attribute %q can't be told apart by: its name has #, { or }", what, text)
	}
	return text
}

func (r *reader) whole(n node, what string, least, most int) int {
	text := r.Text(n, what)
	number, err := strconv.Atoi(text)
	if text != "" && (err != nil || number < least || number > most) {
		r.Fault(n.At, "%s must be a whole number from %d to %d, not %q", what, least, most, text)
	}
	return number
}

// levels reads one number, or numbers by the names of levels.
func (r *reader) levels(n node, what string, whole bool) []Level {
	need := func(n node, what string) decimal.Decimal {
		number := r.Number(n, what)
		if n.Text != "" && (!number.IsPositive() || whole && !number.IsInteger()) {
			r.Fault(n.At, "%s must be a %snumber above 0, not %q", what, map[bool]string{true: "whole "}[whole], n.Text)
		}
		return number
	}
	if n.Kind != declaration.Object {
		return []Level{{Need: need(n, what)}}
	}
	var levels []Level
	for _, p := range r.Pairs(n, what) {
		if p.Key == "" {
			r.Fault(p.At, "%s: a level has no name", what)
		}
		r.name(p.At, p.Key, what+": level")
		l := Level{p.Key, need(p.Value, what+": "+p.Key)}
		if slices.ContainsFunc(levels, func(other Level) bool { return other.Name == l.Name || other.Need.Equal(l.Need) }) {
			r.Fault(p.At, "%s: two levels have the same name or need the same", what)
		}
		levels = append(levels, l)
	}
	if len(levels) == 0 {
		r.Fault(n.At, "%s has no levels", what)
	}
	return levels
}

// checkTogether checks what only all rules together tell.
func (r *reader) checkTogether() {
	r.checkViewNames()
	known, first := map[string]*Rule{}, map[string]int{}
	for _, b := range r.book.Rules {
		if line, taken := first[b.Name]; taken && b.Name != "" {
			r.Fault(b.at, "a badge named %s stands in line %d already", b.Name, line)
			continue
		}
		first[b.Name], known[b.Name] = b.at.Line, b
		for _, l := range b.Levels {
			known[b.Name+"#"+l.Name] = b
		}
	}
	for _, b := range r.book.Rules {
		for _, needed := range b.All {
			if needed != "" && known[needed] == nil {
				r.Fault(b.at, "badge %s needs %s, which there isn't", b.Name, needed)
			}
		}
		if path := needs(b, b, known, nil); path != nil {
			r.Fault(b.at, "badge %s needs itself: %s", b.Name, strings.Join(append([]string{b.Name}, path...), " needs "))
		}
	}
}
