package operate

import (
	"strings"
	"testing"
	"time"
)

// Outputs become settings; every output that is missing, empty or can't be read is named, as the template names it.
func TestPartRead(t *testing.T) {
	type settings struct {
		Table   string        `env:"TABLE" output:"OrderTable,required,notEmpty"`
		Horizon time.Duration `output:"Horizon,required,notEmpty"`
		Expired bool          `output:"RemoveExpired,required,notEmpty"`
		Copy    string        `output:"CopyTable"`
		Own     string        // has no output
	}
	p := Part{Consumer: "orders", Where: "stack shop", Outputs: map[string]string{"OrderTable": "Orders", "Horizon": "36h", "RemoveExpired": "true", "Other": "x"}}
	got := settings{Table: "T", Copy: "kept", Own: "mine"}
	if err := p.Read(&got); err != nil || got != (settings{"Orders", 36 * time.Hour, true, "kept", "mine"}) {
		t.Errorf("read %+v, %v", got, err)
	}
	p.Outputs = map[string]string{"OrderTable": "", "Horizon": "long"}
	err := p.Read(&got, "ConflictTable", "Horizon")
	if err == nil {
		t.Fatal("faulty outputs were taken")
	}
	for _, text := range []string{
		"output OrderTable of stack shop is empty", `output Horizon of stack shop is "long": `, "stack shop has no output RemoveExpired", "stack shop has no output ConflictTable",
		"is it a stack of this version of consumers/orders/template.yaml?",
	} {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("the error has no %q:\n%v", text, err)
		}
	}
	if strings.Contains(err.Error(), "CopyTable") {
		t.Errorf("an output that may be missing is named: %v", err)
	}
}
