package timestamp

import (
	"archive/zip"
	_ "embed" // for the zones
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// zoneinfo has the zones, as the Go release has them in lib/time.
//
//go:generate sh -c "cp \"$(go env GOROOT)/lib/time/zoneinfo.zip\" zoneinfo.zip"
//go:embed zoneinfo.zip
var zoneinfo string

// archive opens the zones when the first one is asked for. A function that needs none pays nothing.
var archive = sync.OnceValues(func() (*zip.Reader, error) {
	return zip.NewReader(strings.NewReader(zoneinfo), int64(len(zoneinfo)))
})

// loaded are the zones that were asked for, by name.
var loaded sync.Map

// LoadZone returns the zone of this name in the tz database, like UTC or Europe/Berlin. The name must be written as
// there: names of the machine's own, like Local or localtime, and other cases of letters are errors.
func LoadZone(name string) (*time.Location, error) {
	if name == "UTC" {
		return time.UTC, nil
	}
	if zone, ok := loaded.Load(name); ok {
		return zone.(*time.Location), nil
	}
	zones, err := archive()
	if err != nil {
		return nil, fmt.Errorf("open the time zones of this program: %w", err)
	}
	for _, file := range zones.File {
		if file.Name != name || file.FileInfo().IsDir() {
			continue
		}
		zone, err := read(file)
		if err != nil {
			return nil, fmt.Errorf("read the time zone %s of this program: %w", name, err)
		}
		loaded.Store(name, zone)
		return zone, nil
	}
	hint := ""
	if i := slices.IndexFunc(zones.File, func(f *zip.File) bool { return strings.EqualFold(f.Name, name) }); i >= 0 {
		hint = fmt.Sprintf("; it is written %s", zones.File[i].Name)
	}
	return nil, fmt.Errorf("unknown zone %.*q%s; zones are UTC or like Europe/Berlin", shown, name, hint)
}

func read(file *zip.File) (*time.Location, error) {
	r, err := file.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return time.LoadLocationFromTZData(file.Name, data)
}

// Zones returns the names of all zones.
func Zones() ([]string, error) {
	zones, err := archive()
	if err != nil {
		return nil, fmt.Errorf("open the time zones of this program: %w", err)
	}
	var names []string
	for _, file := range zones.File {
		if !file.FileInfo().IsDir() {
			names = append(names, file.Name)
		}
	}
	return names, nil
}
