package view

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"sluice/shared/declaration"
)

// Keys of any shape that lint takes, with any values: two items of a view have one key only if all values in it are the
// same. Fails if values are joined without a look at what they hold.
func TestKeysAreUnambiguous(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	template := func() string {
		text := pick("", "", "#", "a#")
		for range 1 + random.IntN(3) {
			text += "{" + pick("x", "y", "z", "box", "bucket") + "}" + pick("", "#", "#", "##", "a", "#1", "-")
		}
		return text
	}
	value := func(name string) string {
		switch name {
		case "box":
			return pick("2024-01-15", "2024-01-16")
		case "bucket":
			return pick("1", "11", "-1", "12000", "0.5")
		}
		text := ""
		for range random.IntN(4) {
			text += pick("a", "#", "##", "1", "-", "2024-01-15")
		}
		return text
	}
	taken, refused := 0, 0
	for range 3000 {
		one, other := template(), pick("all", "{x}", "K#{y}", template())
		text := fmt.Sprintf(`views: [{name: v, from: {table: S}, into: {table: T, key: {A: %q, B: %q}}, count: n, box: {of: at, unit: day, zone: UTC}, bucket: {of: s, digits: 2}}]`, one, other)
		if !strings.Contains(one+other, "{box}") || !strings.Contains(one+other, "{bucket}") {
			continue
		}
		views, err := Parse("views.yaml", []byte(text), nil)
		if err != nil {
			if !strings.Contains(err.Error(), "run together") {
				t.Fatalf("seed %d: %s and %s: %v", seed, one, other, err)
			}
			refused++
			continue
		}
		taken++
		seen := map[string]string{}
		for range 300 {
			values := map[string]string{}
			of := func(p declaration.Path) (string, error) {
				name := p.String()
				if _, ok := values[name]; !ok {
					values[name] = value(name)
				}
				return values[name], nil
			}
			a, errA := views[0].key["A"].render(of)
			b, errB := views[0].key["B"].render(of)
			if errA != nil || errB != nil {
				continue
			}
			key, all := fmt.Sprintf("%q %q", a, b), fmt.Sprintf("%q", values)
			if before, ok := seen[key]; ok && before != all {
				t.Fatalf("seed %d: %s and %s give %s for %s and for %s", seed, one, other, key, before, all)
			}
			seen[key] = all
		}
	}
	if taken < 100 || refused < 10 {
		t.Errorf("only %d keys were taken and %d refused", taken, refused)
	}
}

// Which shapes are refused, and which values are.
func TestSeparators(t *testing.T) {
	for keys, want := range map[string]string{
		"{x}#{y} all": "", "{x}{y} all": "run together", "{x}{x} all": "", "{x}#{y} {y}": "", "{x}{y} {y}": "", "{y}{x}{z} {x}#{y}": "run together", "a{x} b{y}": "",
	} {
		a, b, _ := strings.Cut(keys, " ")
		_, err := Parse("v.yaml", []byte(fmt.Sprintf(`views: [{name: v, from: {table: S}, into: {table: T, key: {A: %q, B: %q}}, count: n}]`, a, b)), nil)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", keys, err)
		}
	}
	parsed, err := parseTemplate("{x}##{y}")
	if err == nil {
		err = parsed.separate(nothing)
	}
	if err != nil {
		t.Fatal(err)
	}
	for x, ok := range map[string]bool{"a": true, "": true, "#a": true, "a#": false, "a##": false, "##": false, "a##b": false} {
		_, err := parsed.render(func(p declaration.Path) (string, error) { return map[string]string{"x": x, "y": "##"}[p.String()], nil })
		if (err == nil) != ok {
			t.Errorf("%q: %v", x, err)
		}
	}
}
