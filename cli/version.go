package cli

import (
	"runtime/debug"
	"strings"

	"sluice/cli/verb"
)

type versionCommand struct{}

// Run prints the version and what the build was made of.
func (c *versionCommand) Run() error {
	verb.SayLine("sluice " + versionOf(debug.ReadBuildInfo()))
	return nil
}

// versionOf returns the version of a program, as far as its build recorded it. The go command records the commit only in a checkout
// of git, and not with -buildvcs=false.
func versionOf(info *debug.BuildInfo, recorded bool) string {
	if !recorded {
		return "unknown"
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	parts := []string{info.Main.Version}
	if commit := settings["vcs.revision"]; commit != "" {
		parts = append(parts, "commit "+commit+" of "+settings["vcs.time"])
	}
	if settings["vcs.modified"] == "true" {
		parts = append(parts, "with uncommitted changes")
	}
	return strings.Join(append(parts, info.GoVersion), ", ")
}
