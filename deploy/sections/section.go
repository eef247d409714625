package sections

import (
	"fmt"
	"regexp"
	"strings"
)

// A section begins and ends with a line of its own. The first says who writes the lines between them.
var section = regexp.MustCompile(`(?ms)^( *)# sluice:([a-z]+(?: [a-z0-9-]+)?)\b[^\n]*\n(.*?)^ *# sluice:end\n`)

// fill puts lines into each section of a text, indented as the section is. It returns an error for a section that has no lines in the
// map, and for lines whose section is missing.
// A text without any section is written by hand, and stays as it is.
func fill(text string, lines map[string]string) (string, error) {
	if !section.MatchString(text) {
		return text, nil
	}
	seen := map[string]bool{}
	var unknown []string
	filled := section.ReplaceAllStringFunc(text, func(found string) string {
		parts := section.FindStringSubmatch(found)
		indent, name := parts[1], parts[2]
		content, known := lines[name]
		if !known {
			unknown = append(unknown, name)
			return found
		}
		seen[name] = true
		head, _, _ := strings.Cut(found, "\n")
		return head + "\n" + indented(indent, content) + indent + "# sluice:end\n"
	})
	if len(unknown) > 0 {
		return text, fmt.Errorf("a section sluice:%s is not understood here", strings.Join(unknown, ", sluice:"))
	}
	for name := range lines {
		if !seen[name] {
			return text, fmt.Errorf("it has no section for %s: lines \"# sluice:%s\" and \"# sluice:end\"", name, name)
		}
	}
	return filled, nil
}

func indented(indent, content string) string {
	var all strings.Builder
	for line := range strings.Lines(content) {
		if line != "\n" {
			all.WriteString(indent)
		}
		all.WriteString(line)
	}
	return all.String()
}
