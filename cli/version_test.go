package cli

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// Fails if the verb leaves out what the build has recorded, or says what it hasn't.
func TestVersionOf(t *testing.T) {
	info := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Path: "sluice", Version: version}, Settings: settings}
	}
	commit := []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "c7d32f8"}, {Key: "vcs.time", Value: "2026-11-30T22:00:00Z"}}
	is := func(modified string) []debug.BuildSetting {
		return append(commit[:len(commit):len(commit)], debug.BuildSetting{Key: "vcs.modified", Value: modified})
	}
	for _, test := range []struct {
		info     *debug.BuildInfo
		recorded bool
		want     string
	}{
		{nil, false, "unknown"},
		{info("(devel)"), true, "(devel), go1.26.8"},
		{info("v1.2.3", is("false")...), true, "v1.2.3, commit c7d32f8 of 2026-11-30T22:00:00Z, go1.26.8"},
		{info("(devel)", is("true")...), true, "(devel), commit c7d32f8 of 2026-11-30T22:00:00Z, with uncommitted changes, go1.26.8"},
	} {
		if got := versionOf(test.info, test.recorded); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

// The verb prints the binary's own version, in one line.
func TestVersion(t *testing.T) {
	info, recorded := debug.ReadBuildInfo()
	out, code := run(t, t.TempDir(), "version")
	if want := "sluice " + versionOf(info, recorded) + "\n"; code != 0 || out != want {
		t.Errorf("exit %d, output %q, want %q", code, out, want)
	}
	wantTexts(t, out, runtime.Version())
}
