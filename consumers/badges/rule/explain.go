package rule

import "slices"

// Languages are those that any rule has texts in, sorted.
func (b *Book) Languages() []string {
	known := map[string]bool{}
	for _, r := range b.Rules {
		for language := range r.Text {
			known[language] = true
		}
	}
	var languages []string
	for language := range known {
		languages = append(languages, language)
	}
	slices.Sort(languages)
	return languages
}
