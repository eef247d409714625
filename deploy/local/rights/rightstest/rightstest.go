// Package rightstest runs a consumer's function as it is deployed, its own binary with the settings of its own template,
// against the real servers, and compares all calls that it makes with what its role allows. A test of a consumer's rights
// is the batches that lead to each of its calls:
//
//	func TestRights(t *testing.T) {
//		f := rightstest.Start(t, rightstest.NewAccount(t), rightstest.Suite{Template: "template.yaml"})
//		f.Invoke(change.Record())
//		f.Check()
//	}
//
// The test's package needs a TestMain that calls servertest.Main. Calls that fail need the same rights as those that
// don't, so faults need no cases of their own unless the function makes other calls then.
package rightstest

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sluice/deploy/local/mapping/function"
	"sluice/deploy/local/mapping/function/functiontest"
	"sluice/deploy/local/rights"
	"sluice/deploy/local/servers/servertest"
	"sluice/deploy/local/template"
	"sluice/deploy/sections"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

// Suite is a consumer's function with what it needs.
type Suite struct {
	// Template is the path of its template. A parameter SearchEndpoint gets OpenSearch's URL.
	Template   string
	Parameters map[string]string
	// Keys are the parameters that take ARNs of keys, and what these are used for, besides those that every consumer's template has.
	Keys map[string][]rights.Use
	// OnlyMissing leaves rights that no call was seen for: the test doesn't lead to every call.
	OnlyMissing bool
	// Pipeline has other declarations than the checkout's folder pipeline, from which the template's sections follow. Nil: the function
	// and its template are as they are.
	Pipeline fs.FS
	// Consumer says what the declarations of Pipeline ask of the template.
	Consumer func(declaration.Pipeline) operate.Consumer
}

// checkout is the path of the checkout's root from a consumer's folder.
const checkout = "../.."

// Function is a consumer's function that runs, and whose calls are recorded.
type Function struct {
	Settings map[string]string // its own environment, as the template sets it

	t        testing.TB
	account  *Account
	suite    Suite
	recorder *rights.Recorder
	template *template.Template
	function template.Function
	instance *function.Instance
	logs     *logs
	next     int // sequence number
}

// searchParameter is as in package stack.
const searchParameter = "SearchEndpoint"

// Start makes what the template asks for, builds the function and starts it.
func Start(t testing.TB, account *Account, suite Suite) *Function {
	t.Helper()
	f := &Function{t: t, account: account, suite: suite, recorder: &rights.Recorder{Account: rights.Account{ID: account.ID}}, logs: &logs{to: t.Output()}}
	f.suite.Parameters = map[string]string{}
	maps.Copy(f.suite.Parameters, suite.Parameters)
	f.read()
	for _, p := range f.template.Parameters {
		switch p.Name {
		case searchParameter:
			f.suite.Parameters[searchParameter] = f.record(*servertest.OpenSearch(t).BaseEndpoint)
		case "SearchDomain":
			f.recorder.Account.Domain = *p.Default
		}
	}
	resources := account.resolveRead(t, f.template, "", f.suite.Parameters)
	account.create(t, resources, "")
	if len(resources.Functions) != 1 {
		t.Fatalf("%s has %d functions; a consumer is one function", suite.Template, len(resources.Functions))
	}
	f.function = resources.Functions[0]
	f.Settings = f.function.Environment
	f.start()
	return f
}

// read reads the template, with the sections that follow from the declarations.
func (f *Function) read() {
	f.t.Helper()
	text, err := os.ReadFile(f.suite.Template)
	if err == nil && f.suite.Pipeline != nil {
		p := declaration.Pipeline{Files: f.suite.Pipeline, Folder: "pipeline"}
		text, err = sections.Consumer(text, p, f.suite.Consumer(p).(operate.Declarer))
	}
	if err == nil {
		f.template, err = template.Parse(f.suite.Template, text)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *Function) record(server string) string {
	f.t.Helper()
	handler, err := f.recorder.To(server)
	if err != nil {
		f.t.Fatal(err)
	}
	proxy := httptest.NewServer(handler)
	f.t.Cleanup(proxy.Close)
	return proxy.URL
}

func (f *Function) start() {
	f.t.Helper()
	env := []string{
		"AWS_ACCESS_KEY_ID=" + f.account.ID, "AWS_SECRET_ACCESS_KEY=secret",
		"AWS_ENDPOINT_URL=" + f.record(*f.account.aws.BaseEndpoint),
		"AWS_ENDPOINT_URL_DYNAMODB=" + f.record(*f.account.dynamoDB.BaseEndpoint),
	}
	for name, value := range f.Settings {
		env = append(env, name+"="+value)
	}
	var err error
	f.instance, err = function.New(function.Config{
		Name: "rights", Binary: functiontest.Build(f.t, "./"+filepath.ToSlash(f.function.CodeDir), f.overlay()...), ARN: f.function.ARN,
		Env: env, Timeout: f.function.Timeout, MemoryMB: f.function.MemoryMB, Output: f.logs,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(f.instance.Close)
}

// logs passes on what a function writes but for its metrics, of which it counts what was rejected.
type logs struct {
	to       io.Writer
	rejected int // may be read once the function's process has ended
}

// Write gets whole lines, of one process after another.
func (l *logs) Write(line []byte) (int, error) {
	var metrics struct {
		AWS      json.RawMessage `json:"_aws"`
		Rejected int
	}
	if err := json.Unmarshal(line, &metrics); err != nil || metrics.AWS == nil {
		return l.to.Write(line)
	}
	l.rejected += metrics.Rejected
	return len(line), nil
}

// overlay returns the flag of go build that puts other declarations in the place of the checkout's.
func (f *Function) overlay() []string {
	f.t.Helper()
	if f.suite.Pipeline == nil {
		return nil
	}
	dir, replace := f.t.TempDir(), map[string]string{}
	root, err := filepath.Abs(filepath.Join(filepath.Dir(f.suite.Template), checkout, "pipeline"))
	if err != nil {
		f.t.Fatal(err)
	}
	if err := fs.WalkDir(f.suite.Pipeline, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.Contains(".yaml .json", filepath.Ext(path)) {
			return err
		}
		text, err := fs.ReadFile(f.suite.Pipeline, path)
		if err != nil {
			return err
		}
		instead := filepath.Join(dir, strconv.Itoa(len(replace)))
		replace[filepath.Join(root, filepath.FromSlash(path))] = instead
		return os.WriteFile(instead, text, 0o600)
	}); err != nil {
		f.t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		f.t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, text, 0o600); err != nil {
		f.t.Fatal(err)
	}
	return []string{"-overlay", overlay}
}

// Declare builds the function again, with other declarations than before. The rights of all have to be the same.
func (f *Function) Declare(files fs.FS) {
	f.t.Helper()
	f.instance.Close()
	f.suite.Pipeline = files
	f.read()
	f.start()
}

// Invoke gives the function a batch of records, none of which may have to come again.
func (f *Function) Invoke(records ...[]byte) {
	f.t.Helper()
	functiontest.Invoke(f.t, f.instance, consumertest.Payload(f.next, records...))
	f.next += len(records)
}

// Config configures clients whose calls are recorded as the function's are: for what the function does only after hours.
func (f *Function) Config() aws.Config {
	cfg := f.account.AWS()
	endpoint := f.record(*cfg.BaseEndpoint)
	cfg.BaseEndpoint = &endpoint
	return cfg
}

// readNote looks for evidence that a destination works, as every function does once a change has been failing for minutes.
func (f *Function) readNote() {
	f.t.Helper()
	notes := consumer.Bucket{
		S3:   s3.NewFromConfig(f.Config(), func(o *s3.Options) { o.UsePathStyle = true }),
		Name: f.Settings["DEAD_LETTER_BUCKET"], Consumer: "rights",
	}
	if _, at, err := notes.Noted(f.t.Context(), "a destination that nobody noted"); err != nil || !at.IsZero() {
		f.t.Errorf("read a note that isn't there: %v, %v", at, err)
	}
}

// Check adds the calls of every consumer, then compares the calls with the role, as deployed and with keys and a reader of its own.
func (f *Function) Check() {
	f.t.Helper()
	f.instance.Close()
	if f.logs.rejected > 0 && !f.suite.OnlyMissing {
		f.t.Errorf("%d changes were rejected, so they led to no calls: see the log above", f.logs.rejected)
	}
	f.readNote()
	f.Invoke([]byte("no change"), bytes.Repeat([]byte("x"), consumer.MaxMessageBytes)) // the latter is too large for the queue
	needs, errs := f.recorder.Needs()
	for _, err := range errs {
		f.t.Error(err)
	}
	faults := f.compare(needs, f.suite.Parameters, nil)

	everything := maps.Clone(f.suite.Parameters)
	everything["EnhancedFanOut"] = "true"
	everything["VpcSubnetIds"], everything["VpcSecurityGroupIds"] = "subnet-1,subnet-2", "sg-1"
	keys := map[string][]rights.Use{}
	of := map[string][]rights.Use{"KmsKeyArn": {rights.ForQueues}, "StreamKmsKeyArn": {rights.ForStream}}
	maps.Copy(of, f.suite.Keys)
	for parameter, uses := range of {
		arn := "arn:aws:kms:" + servertest.Region + ":" + f.account.ID + ":key/" + parameter
		everything[parameter] = arn + "," + arn + "-2"
		if !strings.HasSuffix(parameter, "Arns") {
			everything[parameter] = arn
		} else {
			keys[arn+"-2"] = uses
		}
		keys[arn] = uses
	}
	for _, fault := range f.compare(needs, everything, keys) {
		if !slices.Contains(faults, fault) {
			faults = append(faults, fault)
		}
	}
	for _, fault := range faults {
		if !f.suite.OnlyMissing || strings.Contains(fault, " lacks ") {
			f.t.Errorf("%s: %s", f.suite.Template, fault)
		}
	}
}

func (f *Function) compare(needs []rights.Need, parameters map[string]string, keys map[string][]rights.Use) rights.Faults {
	f.t.Helper()
	resources := f.account.resolveRead(f.t, f.template, "", parameters)
	function := resources.Functions[0]
	fixed, err := rights.OfLambda(resources, function, servertest.Region, f.account.ID, keys)
	if err != nil {
		return rights.Faults{err.Error()}
	}
	return rights.Compare(resources, function, needs, fixed)
}
