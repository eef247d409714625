package leaderboard

import (
	"fmt"

	"sluice/shared/declaration"
	"sluice/shared/view"
)

// ViewsFile is the file of a pipeline that declares the views.
const ViewsFile = "views.yaml"

// Views returns the declared views. The error has every fault with its line and column, see [view.Parse].
func Views(d declaration.Declarations) ([]*view.View, error) {
	path, text, err := d.Read(ViewsFile)
	if err != nil {
		return nil, err
	}
	return view.Parse(path, text, d.Settings)
}

// View returns the declared view of that name.
func View(d declaration.Declarations, name string) (*view.View, error) {
	views, err := Views(d)
	if err != nil {
		return nil, err
	}
	if v := view.Named(views, name); v != nil {
		return v, nil
	}
	return nil, fmt.Errorf("there is no view %q; \"sluice lint\" lists them", name)
}
