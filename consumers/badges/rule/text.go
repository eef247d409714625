package rule

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"sluice/shared/change"
	"sluice/shared/declaration"
)

// Languages are those that any rule has texts in, sorted.
func (b *Book) Languages() []string {
	known := map[string]bool{}
	for _, r := range b.Rules {
		for language := range r.Text {
			known[language] = true
		}
	}
	return slices.Sorted(maps.Keys(known))
}

// Placeholder is what stands for a value in a rule's text.
var Placeholder = regexp.MustCompile(`\{([^{}]+)\}`)

// Fill puts an award's values in the place of a text's placeholders, and those of the item that earned it. Without an item,
// the placeholders of its attributes stay.
func Fill(text string, a Award, item *change.Change) (string, error) {
	var fault error
	filled := Placeholder.ReplaceAllStringFunc(text, func(placeholder string) string {
		name := strings.Trim(placeholder, "{}")
		switch {
		case name == "level":
			return a.Level
		case name == "of":
			return a.Of
		case item == nil:
			return placeholder
		}
		path, err := declaration.ParsePath(name)
		text := ""
		if err == nil {
			text, err = Text(item, path)
		}
		if err != nil {
			fault = err
		}
		return text
	})
	return filled, fault
}

// InLanguage returns the text in a language, or in the first that there is.
func InLanguage(texts map[string]string, language string) string {
	if text, ok := texts[language]; ok {
		return text
	}
	first := ""
	for other := range texts {
		if first == "" || other < first {
			first = other
		}
	}
	return texts[first]
}

// FullName joins a badge's title with the level, and with which of several it is.
func FullName(title, level, of string) string {
	return strings.Join(slices.DeleteFunc([]string{title, level, of}, func(part string) bool { return part == "" }), ", ")
}
