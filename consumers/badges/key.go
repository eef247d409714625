package badges

import "strings"

// badgeOf returns the badge of an award's key.
func badgeOf(key string) string {
	badge, _, _ := strings.Cut(key, "#")
	return badge
}
