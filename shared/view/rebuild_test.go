package view

import (
	"testing"
	"time"
)

// Each box's label leads back to the box's end, in zones with summer time too, and
// a text that is no label to an error.
func TestBoxEnd(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for name, u := range units {
		b := &Box{unit: u, zone: zone{location: berlin}}
		b.unit.name = name
		for day := range 800 {
			at := time.Date(2024, 1, 1+day, 12, 0, 0, 0, berlin)
			if end, err := b.end(b.At(at)); err != nil || !end.Equal(u.end(at)) {
				t.Errorf("%s %s ends %v, %v; want %v", name, b.At(at), end, err, u.end(at))
			}
		}
		for _, text := range []string{"", "2024", "2024-W54", "2024-1-1", "x"} {
			if end, err := b.end(text); err == nil {
				t.Errorf("%q is a %s that ends %v", text, name, end)
			}
		}
	}
}
