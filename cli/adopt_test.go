package cli

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/deploy/local/stack"
	"sluice/shared/consumertest/proof"
)

// adoptBlock is a block of docs/adopt.md that a team types: commands, or a file.
var adoptBlock = regexp.MustCompile("(?ms)^```(sh|yaml|json|go)(?: (\\S+))?\n(.*?)^```")

// mostLines is what a team writes at most: declarations, and the code of its consumer.
const mostLines = 120

// adopter is a team that does what docs/adopt.md says.
type adopter struct {
	t          *testing.T
	dir        string // the team's repository
	runDir     string
	lines      int // that the team has written
	hook       *httptest.Server
	mu         sync.Mutex
	answer     func(body string) int // the receiver's status
	posts      map[string]int        // by key, those that the receiver took
	refused    int
	client     *dynamodb.Client
	orders     map[string]map[string]types.AttributeValue // that the table holds
	everPaid   map[string]bool
	searchable time.Duration // from the first command until an order was found
}

// TestAdopt does what docs/adopt.md says, as a team with a table Orders: a repository of its own, search, a copy without email, two
// views, a badge and a consumer. Fails if a command fails, if a destination isn't what the orders say after changes, removals, an outage
// and an order that the receiver never takes, or if the team has to write more, or in a file of Sluice.
func TestAdopt(t *testing.T) {
	proof.OnlyWhole(t, "TestTutorial makes a consumer, and TestPipeline of pipeline/ops tests declarations, templates and rights")
	t.Parallel()
	text, err := os.ReadFile("../docs/adopt.md")
	if err != nil {
		t.Fatal(err)
	}
	a := &adopter{
		t: t, dir: filepath.Join(t.TempDir(), "orders"), runDir: t.TempDir(), posts: map[string]int{},
		orders: map[string]map[string]types.AttributeValue{}, everPaid: map[string]bool{},
		answer: func(string) int { return http.StatusOK },
	}
	a.hook = httptest.NewServer(http.HandlerFunc(a.receive))
	t.Cleanup(a.hook.Close)
	t.Cleanup(func() { _, _ = a.try("go tool sluice down") }) // in case a command failed
	before := a.ofSluice()
	began := time.Now()
	for _, block := range adoptBlock.FindAllStringSubmatch(string(text), -1) {
		kind, path, body := block[1], block[2], block[3]
		if kind != "sh" {
			a.write(kind, path, body)
			continue
		}
		for line := range strings.Lines(body) {
			a.do(path, strings.TrimSpace(line), began)
		}
	}
	if now := a.ofSluice(); now != before {
		t.Errorf("files of Sluice have changed:\n%s\nbefore:\n%s", now, before)
	}
	if a.lines > mostLines {
		t.Errorf("the team writes %d lines, more than %d", a.lines, mostLines)
	}
	t.Logf("the team has written %d lines; its table was searchable after %v", a.lines, a.searchable.Round(time.Second))
}

// ofSluice says which files of the checkout of Sluice have changed.
func (a *adopter) ofSluice() string {
	a.t.Helper()
	cmd := exec.Command("git", "status", "--porcelain")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		a.t.Fatal(err)
	}
	return string(out)
}

// write writes a file, or replaces the declarations of a file of Go.
func (a *adopter) write(kind, path, body string) {
	a.t.Helper()
	to := filepath.Join(a.dir, filepath.FromSlash(path))
	if kind != "go" {
		a.lines += strings.Count(body, "\n")
		if err := os.WriteFile(to, []byte(body), 0o600); err != nil {
			a.t.Fatal(err)
		}
		return
	}
	made, err := os.ReadFile(to)
	if err != nil {
		a.t.Fatal(err)
	}
	edited, err := edit(string(made), body)
	if err != nil {
		a.t.Fatalf("%s: %v", path, err)
	}
	before := filepath.Join(a.t.TempDir(), "before")
	if err := errors.Join(os.Rename(to, before), os.WriteFile(to, edited, 0o600)); err != nil {
		a.t.Fatal(err)
	}
	a.lines += inserted(a.t, before, to)
}

func (a *adopter) try(line string) (string, error) {
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir = a.dir
	if _, err := os.Stat(a.dir); err != nil {
		cmd.Dir = ".."
	}
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "SLUICE_RUN_DIR="+a.runDir)
	began := time.Now()
	out, err := cmd.CombinedOutput()
	a.t.Logf("$ %s (%.1f s)\n%s", line, time.Since(began).Seconds(), out)
	return string(out), err
}

// do runs a command of the page, and does what happens beside it.
func (a *adopter) do(where, line string, began time.Time) {
	a.t.Helper()
	if strings.HasPrefix(line, "cd ") {
		return
	}
	if where == "sluice" {
		line = strings.Replace(line, "../orders", a.dir, 1)
	}
	switch line {
	case "go tool sluice status":
		a.shop()
	case "go tool sluice up --restart":
		a.olderStack()
	case "go tool sluice redrive order-hook --yes":
		a.answering(func(string) int { return http.StatusOK })
	}
	out, err := a.try(line)
	if err != nil {
		a.t.Fatalf("%s: %v", line, err)
	}
	switch {
	case line == "go tool sluice up":
		a.connect()
		a.put(orderOf(1, 1, "PAID", 5), nil)
		a.eventually("an order is found", func() bool {
			found, _ := a.try("go tool sluice search orders status:PAID")
			return strings.Contains(found, "order-1")
		})
		a.searchable = time.Since(began)
	case strings.HasPrefix(line, "go tool sluice new consumer"):
		setURL(a.t, filepath.Join(a.dir, "consumers", "order-hook", "template.yaml"), a.hook.URL)
	case strings.HasPrefix(line, "go tool sluice up --restart"):
		wantTexts(a.t, out, "runs these files as they were then")
		a.orders = map[string]map[string]types.AttributeValue{}
		a.connect()
	case strings.HasPrefix(line, "go tool sluice verify"):
		a.wantAll()
	case strings.HasPrefix(line, "go tool sluice redrive order-hook --list"):
		wantTexts(a.t, out, "the receiver answers 422", "1 dead letter")
	case strings.HasPrefix(line, "go tool sluice redrive order-hook --yes"):
		a.wantPosts("", len(a.everPaid))
	case strings.HasPrefix(line, "go tool sluice backfill order-hook"):
		paid := 0
		for _, o := range a.orders {
			if o["status"].(*types.AttributeValueMemberS).Value == "PAID" {
				paid++
			}
		}
		a.wantPosts("backfill-", paid)
	}
}

// olderStack compares a stack that runs older files, and asks for a stack with declarations that have faults.
func (a *adopter) olderStack() {
	a.t.Helper()
	out, _ := a.try("go tool sluice verify search") // whatever comes of it
	wantTexts(a.t, out, "runs these files as they were then", "Differences may come from that")

	path := filepath.Join(a.dir, "pipeline", "views.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		a.t.Fatal(err)
	}
	write := func(text []byte) {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			a.t.Fatal(err)
		}
	}
	write(append(text, "  - name: nothing more\n"...))
	if out, err := a.try("go tool sluice up --restart"); err == nil {
		a.t.Errorf("a stack was started with faulty views:\n%s", out)
	} else {
		wantTexts(a.t, out+err.Error(), "nothing is started, since declarations of leaderboard have faults", "views.yaml")
	}
	write(text)
}

// wantPosts wants so many posts that the receiver took, each once: those whose key has the prefix, or those of the stream.
func (a *adopter) wantPosts(prefix string, want int) {
	a.t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	got := 0
	for key := range a.posts {
		if strings.HasPrefix(key, "backfill-") == (prefix != "") {
			got++
		}
	}
	if got != want {
		a.t.Errorf("the receiver took %d posts with keys %q…, want %d", got, prefix, want)
	}
}

func (a *adopter) connect() {
	a.t.Helper()
	info, err := stack.Load(a.t.Context(), a.runDir)
	if err != nil {
		a.t.Fatal(err)
	}
	a.client = dynamodb.NewFromConfig(info.DynamoDB())
}

func (a *adopter) eventually(what string, done func() bool) {
	a.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for !done() {
		if time.Now().After(deadline) {
			a.t.Fatalf("not within two minutes: %s", what)
		}
		select {
		case <-a.t.Context().Done():
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// receive is the URL of the team's consumer.
func (a *adopter) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	status := a.answer(string(body))
	if status == http.StatusOK {
		a.posts[r.Header.Get("Idempotency-Key")]++
	} else {
		a.refused++
	}
	w.WriteHeader(status)
}

func (a *adopter) answering(answer func(body string) int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = answer
}

// orderOf makes the nth order of a customer.
func orderOf(customer, n int, status string, total int) map[string]types.AttributeValue {
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	return map[string]types.AttributeValue{
		"CustomerId": text(fmt.Sprintf("customer-%d", customer)), "OrderId": text(fmt.Sprintf("order-%d", n)), "status": text(status),
		"total": &types.AttributeValueMemberN{Value: fmt.Sprint(total)}, "currency": text("EUR"), "email": text("a@example.com"),
		"placedAt": text(fmt.Sprintf("2026-11-%02dT10:00:00Z", 1+n%28)),
		"lines": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberM{Value: map[string]types.AttributeValue{
			"sku": text("a"), "qty": &types.AttributeValueMemberN{Value: "2"},
		}}}},
	}
}

// put writes an order, or removes the one that was there.
func (a *adopter) put(order, instead map[string]types.AttributeValue) {
	a.t.Helper()
	keys := func(o map[string]types.AttributeValue) map[string]types.AttributeValue {
		return map[string]types.AttributeValue{"CustomerId": o["CustomerId"], "OrderId": o["OrderId"]}
	}
	name := func(o map[string]types.AttributeValue) string {
		return o["CustomerId"].(*types.AttributeValueMemberS).Value + "/" + o["OrderId"].(*types.AttributeValueMemberS).Value
	}
	if order == nil {
		if _, err := a.client.DeleteItem(a.t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("Orders"), Key: keys(instead)}); err != nil {
			a.t.Fatal(err)
		}
		delete(a.orders, name(instead))
		return
	}
	if _, err := a.client.PutItem(a.t.Context(), &dynamodb.PutItemInput{TableName: aws.String("Orders"), Item: order}); err != nil {
		a.t.Fatal(err)
	}
	a.orders[name(order)] = order
	if order["status"].(*types.AttributeValueMemberS).Value == "PAID" {
		a.everPaid[name(order)] = true
	}
}

// shop writes 300 orders, changes and removes some, while the receiver is down for a while, and refuses one order for ever.
func (a *adopter) shop() {
	a.t.Helper()
	const seed = 7
	r := rand.New(rand.NewPCG(seed, seed))
	a.mu.Lock()
	a.everPaid, a.posts = map[string]bool{}, map[string]int{}
	a.mu.Unlock()
	a.answering(func(string) int { return http.StatusServiceUnavailable })
	const poison = 299
	for n := range 300 {
		status := []string{"PLACED", "PAID"}[r.IntN(2)]
		if n == poison {
			status = "PAID"
		}
		order := orderOf(n%7, n, status, 1+r.IntN(140))
		a.put(order, nil)
		switch r.IntN(5) {
		case 0:
			a.put(orderOf(n%7, n, "PAID", 1+r.IntN(140)), nil)
		case 1:
			if n != poison {
				a.put(nil, order)
			}
		}
	}
	a.eventually("the receiver was asked while it was down", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.refused > 0
	})
	a.answering(func(body string) int {
		if strings.Contains(body, fmt.Sprintf("order-%d\"", poison)) {
			return http.StatusUnprocessableEntity
		}
		return http.StatusOK
	})
	a.eventually("each paid order but one was posted", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return len(a.posts) >= len(a.everPaid)-1
	})
}

// wantAll compares the views with sums of the orders, and looks for email in the copy.
func (a *adopter) wantAll() {
	a.t.Helper()
	revenue, days := map[string]int{}, map[string]int{}
	for _, o := range a.orders {
		text := func(name string) string { return o[name].(*types.AttributeValueMemberS).Value }
		if text("status") == "PAID" {
			total := 0
			if _, err := fmt.Sscan(o["total"].(*types.AttributeValueMemberN).Value, &total); err != nil {
				a.t.Fatal(err)
			}
			revenue[text("CustomerId")] += total
		}
		days[text("placedAt")[:len("2026-11-01")]]++
	}
	a.wantSums("CustomerRevenue", "CustomerId", "Total", revenue)
	a.wantSums("OrderDays", "Day", "Orders", days)
	info, err := stack.Load(a.t.Context(), a.runDir)
	if err != nil {
		a.t.Fatal(err)
	}
	cfg := info.DynamoDB()
	cfg.Region = "eu-west-1"
	for _, item := range a.scan(dynamodb.NewFromConfig(cfg), "OrdersCopy") {
		if item["email"] != nil {
			a.t.Fatalf("the copy has an email: %v", item)
		}
	}
	spenders := 0
	for _, total := range revenue {
		if total > 1000 {
			spenders++
		}
	}
	if earned := len(a.scan(a.client, "Achievements")); earned < spenders || spenders == 0 {
		a.t.Errorf("%d badges are awarded, but %d customers have spent more than 1,000", earned, spenders)
	}
}

// wantSums compares a view's sums. An item with the sum 0 may be there or not.
func (a *adopter) wantSums(table, key, sum string, want map[string]int) {
	a.t.Helper()
	got := map[string]int{}
	for _, item := range a.scan(a.client, table) {
		n := 0
		if _, err := fmt.Sscan(item[sum].(*types.AttributeValueMemberN).Value, &n); err != nil {
			a.t.Fatal(err)
		}
		if n != 0 {
			got[item[key].(*types.AttributeValueMemberS).Value] = n
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		a.t.Errorf("table %s has %v, want %v", table, got, want)
	}
}

func (a *adopter) scan(client *dynamodb.Client, table string) []map[string]types.AttributeValue {
	a.t.Helper()
	out, err := client.Scan(a.t.Context(), &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	if err != nil {
		a.t.Fatal(err)
	}
	return out.Items
}
