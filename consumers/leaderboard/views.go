package leaderboard

import (
	_ "embed"
	"fmt"

	"sluice/shared/consumer"
	"sluice/shared/view"
)

// viewsFile declares the views; it is part of the function.
//
//go:embed views.yaml
var viewsFile []byte

// ViewsPath is where the shipped views are declared, from the checkout's root.
const ViewsPath = "consumers/leaderboard/views.yaml"

// Views returns the views that the consumer keeps with these settings.
func (s Settings) Views() ([]*view.View, error) { return s.ReadViews(ViewsPath, viewsFile) }

// ReadViews reads and checks the views that another file declares. The error
// has every fault with its line and column, see view.Parse.
func (s Settings) ReadViews(path string, text []byte) ([]*view.View, error) {
	return view.Parse(path, text, consumer.Variables(s))
}

// View returns the shipped view of that name.
func (s Settings) View(name string) (*view.View, error) {
	views, err := s.Views()
	if err != nil {
		return nil, err
	}
	if v := view.Named(views, name); v != nil {
		return v, nil
	}
	return nil, fmt.Errorf("there is no view %q; \"sluice lint\" lists them", name)
}
