package declaration

import (
	"strings"
	"testing"
	"testing/fstest"
)

func pipelineOf(settings string) Pipeline {
	return Pipeline{Files: fstest.MapFS{SettingsFile: {Data: []byte(settings)}, "views.yaml": {Data: []byte("# ${NAME} is any, ${FLAG} too\na: ${ORDERS_TABLE}\nb: x${PREFIX}y${ORDERS_TABLE}\n")}}, Folder: "pipeline"}
}

// A setting has the value that is looked up. Fails if a default stands in for one that a template forgets.
func TestSettle(t *testing.T) {
	p := pipelineOf("ORDERS_TABLE: Orders\nPREFIX: dev-\nFLAG: true\n")
	d, err := p.Settle(func(name string) (string, bool) { return map[string]string{"PREFIX": ""}[name], name == "PREFIX" })
	if err != nil || len(d.Settings) != 1 || d.Settings["PREFIX"] != "" {
		t.Errorf("settings %v, %v; want PREFIX alone, empty", d.Settings, err)
	}
	if d, err = p.Defaults(); err != nil || d.Settings["ORDERS_TABLE"] != "Orders" || d.Settings["FLAG"] != "true" {
		t.Errorf("defaults %v, %v", d.Settings, err)
	}
	named, err := p.Named("views.yaml")
	if err != nil || strings.Join(named, " ") != "ORDERS_TABLE PREFIX" {
		t.Errorf("the file names %v, %v", named, err)
	}
	other := d.With("views.yaml", "mine.yaml", []byte("text"))
	if where, text, err := other.Read("views.yaml"); err != nil || where != "mine.yaml" || string(text) != "text" {
		t.Errorf("read %s, %s, %v", where, text, err)
	}
	if _, _, err := d.Read("routes.yaml"); err == nil || !strings.Contains(err.Error(), "pipeline/routes.yaml") {
		t.Errorf("error %v, want one that names the file", err)
	}
}

// Settings whose names can't be environment variables, or lead to the same output, are refused.
func TestSettingsNames(t *testing.T) {
	for settings, want := range map[string]string{
		"orders: x\n": `"orders" is no setting's name`, "A__B: x\n": "no setting's name", "AWS_REGION: x\n": "no setting's name", "1A: x\n": "no setting's name",
		"A_B: x\nAB: y\n": "", "A_1: x\nA1: y\n": "settings A_1 and A1 would share the output A1",
		"A: [x]\n": "A must be a single value, not a list", "A:\n": "A must be a single value, not nothing", "A: ''\n": "", "[]": "the file must be an object",
	} {
		_, err := pipelineOf(settings).Defaults()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: error %v, want %q", settings, err, want)
		}
	}
	for setting, want := range map[string]string{"ORDERS_TABLE": "OrdersTable", "PREFIX": "Prefix", "A_B2_C": "AB2C"} {
		if got := Output(setting); got != want {
			t.Errorf("output of %s: %s, want %s", setting, got, want)
		}
	}
}
