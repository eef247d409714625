package timestamp_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/shared/timestamp"
	"sluice/shared/timestamp/timestamptest"
)

// Every zone that skips or repeats a midnight. Fails if time.Date reads local times: it goes back an hour west of
// Greenwich, to the day before.
func TestMidnights(t *testing.T) {
	zones := map[string]bool{}
	for _, c := range timestamptest.Midnights(t) {
		zones[c.Zone.String()] = true
		if at, err := timestamp.Parse(c.Text, c.Zone); err != nil || !at.Equal(c.At) || at.Location() != c.Zone {
			t.Errorf("%s in %v is %v, %v; want %v", c.Text, c.Zone, at, err, c.At)
		}
	}
	for _, known := range []string{"America/Santiago", "America/Havana", "Atlantic/Azores", "America/Sao_Paulo", "America/Asuncion", "Asia/Beirut", "Africa/Cairo", "Pacific/Apia", "America/St_Johns"} {
		if !zones[known] {
			t.Errorf("%s is not among the %d zones with such a midnight", known, len(zones))
		}
	}
}

// The first and the last time of the calendar, in zones ahead of UTC and behind it. Fails if an offset leads to a year whose
// days don't sort by their dates: -1 or 10000.
func TestEndsOfTheCalendar(t *testing.T) {
	for _, c := range []struct{ text, zone, want string }{
		{"0000-01-01", "UTC", "0000-01-01T00:00:00Z"},
		{"0000-01-01T00:00:00+14:00", "UTC", "is in year -1 in zone UTC"},
		{"0000-01-01T05:00:00Z", "America/New_York", "0000-01-01T00:03:58-04:56"},
		{"0000-01-01T04:00:00Z", "America/New_York", "is in year -1 in zone America/New_York"},
		{"9999-12-31 23:59:59.999999", "UTC", "9999-12-31T23:59:59Z"},
		{"9999-12-31 23:59:59", "America/New_York", "9999-12-31T23:59:59-05:00"},
		{"9999-12-31T23:59:59-12:00", "UTC", "is in year 10000 in zone UTC"},
		{"9999-12-31 23:59:59-01:00", "UTC", "is in year 10000 in zone UTC"},
		{"9999-12-31T23:59:59Z", "Asia/Tokyo", "is in year 10000 in zone Asia/Tokyo"},
		{"9999-12-31T23:59:59Z", "America/New_York", "9999-12-31T18:59:59-05:00"},
	} {
		zone, err := timestamp.LoadZone(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := timestamp.Parse(c.text, zone)
		got := at.Format(time.RFC3339)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s in %s: %s; want %s", c.text, c.zone, got, c.want)
		}
	}
}

// Go's ZoneBounds says on the 366th day of a year that the offset ended before. Fails for a reading that believes it: it never ends.
func TestLastDayOfALeapYear(t *testing.T) {
	for zone, want := range map[string]string{
		"Europe/Berlin": "2040-12-31T12:00:00+01:00", "America/New_York": "2040-12-31T12:00:00-05:00", "Pacific/Auckland": "2040-12-31T12:00:00+13:00",
	} {
		in, err := timestamp.LoadZone(zone)
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan string, 1)
		go func() {
			at, err := timestamp.Parse("2040-12-31 12:00:00", in)
			if err != nil {
				got <- err.Error()
				return
			}
			got <- at.Format(time.RFC3339)
		}()
		select {
		case text := <-got:
			if text != want {
				t.Errorf("in %s it is %s, want %s", zone, text, want)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("in %s the reading doesn't end", zone)
		}
	}
}

// A time within a day of any change of any zone's clocks, and the start of its day, are what a look at the clock finds.
func TestLocalTimes(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	names, err := timestamp.Zones()
	if err != nil {
		t.Fatal(err)
	}
	since := time.Date(1975, 1, 1, 0, 0, 0, 0, time.UTC) // from then on all offsets are whole minutes
	for _, name := range names {
		zone, err := timestamp.LoadZone(name)
		if err != nil {
			t.Fatal(err)
		}
		changes := timestamptest.Changes(zone, since, since.AddDate(65, 0, 0))
		if len(changes) == 0 {
			continue
		}
		change := changes[random.IntN(len(changes))]
		clock := func(shown time.Time) time.Time { return timestamptest.Clock(zone, shown) }
		for range 4 {
			shown := change.UTC().Truncate(time.Minute).Add(time.Duration(random.IntN(48*60)-24*60) * time.Minute)
			at, err := timestamp.Parse(shown.Format("2006-01-02 15:04:05"), zone)
			if err != nil || !at.Equal(clock(shown)) {
				t.Fatalf("seed %d: %v in %s is %v, %v; the clock shows it %v", seed, shown, name, at, err, clock(shown))
			}
			day := shown.Truncate(24 * time.Hour)
			if at := timestamp.Date(day.Year(), day.Month(), day.Day(), zone); !at.Equal(clock(day)) {
				t.Fatalf("seed %d: %v in %s starts %v; the clock shows it %v", seed, day, name, at, clock(day))
			}
		}
	}
}

func TestForms(t *testing.T) {
	berlin := load(t, "Europe/Berlin")
	for text, want := range map[string]string{
		"2020-09-16 00:59:07.420452":           "2020-09-16T00:59:07.420452+02:00",
		"2020-09-16 00:59:07":                  "2020-09-16T00:59:07+02:00",
		"2020-09-16 00:59:07.5":                "2020-09-16T00:59:07.5+02:00",
		"2020-09-16T00:59:07.420452":           "2020-09-16T00:59:07.420452+02:00",
		"2024-01-15T10:30:00Z":                 "2024-01-15T11:30:00+01:00",
		"2024-01-15 10:30:00Z":                 "2024-01-15T11:30:00+01:00",
		"2024-01-15 10:30:00.123456789Z":       "2024-01-15T11:30:00.123456789+01:00",
		"2024-01-15T10:30:00.1234567891+05:30": "2024-01-15T06:00:00.123456789+01:00",
		"2024-01-15 10:30:00-03:00":            "2024-01-15T14:30:00+01:00",
		"2024-01-15":                           "2024-01-15T00:00:00+01:00",
		"2011-03-27 02:30:00":                  "2011-03-27T03:00:00+02:00", // skipped
		"2011-10-30 02:30:00":                  "2011-10-30T02:30:00+02:00", // twice
	} {
		if at, err := timestamp.Parse(text, berlin); err != nil || at.Format(time.RFC3339Nano) != want {
			t.Errorf("%s is %s, %v; want %s", text, at.Format(time.RFC3339Nano), err, want)
		}
	}
	for _, bad := range []string{"", " ", "2024-01-15T", "15.1.2024", "1705314600", "2024-13-01", "2024-02-30", "2024-01-15 24:00:00", "2024-01-15 10:30", "2024-01-15 10:30:00 UTC", " 2024-01-15", "٢٠٢٤-٠١-١٥"} {
		if at, err := timestamp.Parse(bad, berlin); err == nil {
			t.Errorf("%q is taken for %v", bad, at)
		}
	}
	if _, err := timestamp.Parse(strings.Repeat("x", 400_000), berlin); err == nil || len(err.Error()) > 300 {
		t.Errorf("the error for a long text has %d bytes", len(err.Error()))
	}
}

// Names that only some machines know, or some file systems, are no zones.
func TestZones(t *testing.T) {
	t.Setenv("TZ", "Asia/Tokyo")
	t.Setenv("ZONEINFO", filepath.Join(goRoot(t), "lib", "time", "zoneinfo.zip"))
	for _, bad := range []string{"", " ", "Local", "localtime", "posixrules", "right/UTC", "posix/UTC", "posix/Europe/Berlin", "Europe", "Europe/", "europe/berlin", "EUROPE/BERLIN", "utc", "Utc",
		"Europe/Berlin ", "/usr/share/zoneinfo/UTC", "../zoneinfo/UTC", "./UTC", "UTC\x00", "UTC+1", "+02:00", "Etc/Unknown", "Europe\\Berlin", strings.Repeat("x", 2000)} {
		zone, err := timestamp.LoadZone(bad)
		if err == nil || len(err.Error()) > 400 {
			t.Errorf("zone %q is %v, %v", bad, zone, err)
		}
	}
	if _, err := timestamp.LoadZone("europe/berlin"); err == nil || !strings.Contains(err.Error(), "it is written Europe/Berlin") {
		t.Errorf("the error is %v", err)
	}
	if zone := load(t, "UTC"); zone != time.UTC {
		t.Errorf("UTC is %v", zone)
	}
	if one, other := load(t, "Asia/Kathmandu"), load(t, "Asia/Kathmandu"); one != other || one.String() != "Asia/Kathmandu" {
		t.Errorf("%v is read twice", one)
	}
}

// The zones are those of the Go release in use. After an update of Go: go generate ./shared/timestamp
func TestZonesAreCurrent(t *testing.T) {
	want, err := os.ReadFile(filepath.Join(goRoot(t), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("zoneinfo.zip")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("zoneinfo.zip is not the copy that Go has: run go generate ./shared/timestamp, and go test ./shared/timestamp again")
	}
}

func goRoot(t *testing.T) string {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(root))
}

func load(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := timestamp.LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}
