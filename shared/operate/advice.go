package operate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"sluice/shared/printable"
)

// Count returns a number with its noun, such as "2 items". several is the plural if one with an s isn't.
func Count(n int, one string, several ...string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, cmp.Or(strings.Join(several, ""), one+"s"))
}

// advice says how many items differ, and which command helps each kind of them.
func (v *Verified) advice() string {
	var refused []Difference
	var commands []string
	extra, rest := 0, 0
	for _, r := range v.Reports {
		for _, d := range r.Differences {
			switch {
			case d.Refused != "":
				refused = append(refused, d)
			case d.Command != "":
				commands = append(commands, d.Command)
			default:
				if rest++; d.What == Extra {
					extra++
				}
			}
		}
	}
	n := v.Differences()
	text := []string{differ(n, v.repaired)}
	if len(refused) > 0 {
		text = append(text, fmt.Sprintf("%s can't be made equal by any command: correct the item at its source, or the declaration. The first: %s: %s",
			Count(len(refused), "item"), printable.Cut(refused[0].Key, keyWidth), printable.Text(refused[0].Refused)))
	}
	if len(commands) > 0 {
		slices.Sort(commands)
		help := strings.Join(slices.Compact(commands), ", ")
		text = append(text, fmt.Sprintf("look for dead letters (sluice redrive %s --list), then run %s", v.Consumer, help))
	}
	if rest > 0 {
		text = append(text, v.adviseRest(extra, rest, n))
	}
	return strings.Join(text, "; ")
}

// adviseRest says what helps those that a repair can make equal.
func (v *Verified) adviseRest(extra, rest, all int) string {
	them := "them"
	if rest < all {
		them = "the others"
	}
	switch {
	case !v.repairable():
		return fmt.Sprintf("look for dead letters: sluice redrive %s --list", v.Consumer)
	case v.repaired && extra > 0 && !v.removed:
		text := Count(extra, "item that the source doesn't have stays: --remove-extra deletes it", "items that the source doesn't have stay: --remove-extra deletes them")
		if rest > extra {
			text += "; run the same again to see that nothing else differs"
		}
		return text
	case v.repaired:
		return "run the same again to see what differs now"
	case extra > 0:
		return fmt.Sprintf("sluice verify %s --repair --remove-extra makes %s equal, or says of each why it can't", v.Consumer, them)
	}
	return fmt.Sprintf("sluice verify %s --repair makes %s equal, or says of each why it can't", v.Consumer, them)
}

func (v *Verified) repairable() bool {
	return slices.ContainsFunc(v.comparisons, func(c Comparison) bool {
		_, can := c.(Repairer)
		return can
	})
}

func differ(n int, before bool) string {
	if before {
		return Count(n, "item") + " differed"
	}
	return Count(n, "item differs", "items differ")
}
