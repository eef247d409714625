package timestamp

import (
	"archive/zip"
	_ "embed" // for the zones
	"fmt"
	"io"
	"maps"
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

// archive opens the zones when the first one is asked for, by name. A function that needs none pays nothing.
var archive = sync.OnceValues(func() (map[string]*zip.File, error) {
	opened, err := zip.NewReader(strings.NewReader(zoneinfo), int64(len(zoneinfo)))
	if err != nil {
		return nil, fmt.Errorf("open the time zones of this program: %w", err)
	}
	zones := map[string]*zip.File{}
	for _, file := range opened.File {
		if !file.FileInfo().IsDir() {
			zones[file.Name] = file
		}
	}
	return zones, nil
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
		return nil, err
	}
	if file, ok := zones[name]; ok {
		zone, err := read(file)
		if err != nil {
			return nil, fmt.Errorf("read the time zone %s of this program: %w", name, err)
		}
		loaded.Store(name, zone)
		return zone, nil
	}
	hint := ""
	for known := range zones {
		if strings.EqualFold(known, name) {
			hint = "; it is written " + known
		}
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

// Zones returns the names of all zones, sorted.
func Zones() ([]string, error) {
	zones, err := archive()
	return slices.Sorted(maps.Keys(zones)), err
}
