package cli

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/consumers/search/query"
	"sluice/deploy/local/stack"
	"sluice/shared/consumertest"
)

// searchAsTheReadme runs the commands with which search's README searches, on the
// command line and over HTTP, on a local stack where some have played.
func searchAsTheReadme(t *testing.T, dir string) {
	t.Helper()
	insertRex(t, dir)
	text, err := os.ReadFile("../consumers/search/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "## Search it\n")
	section, _, _ = strings.Cut(section, "\n## ")
	commands := regexp.MustCompile("(?m)^    sluice (search .*)$").FindAllStringSubmatch(section, -1)
	url := regexp.MustCompile(`(?m)^    curl 'http://127\.0\.0\.1:8080(/.*)'$`).FindStringSubmatch(section)
	if len(commands) < 3 || url == nil {
		t.Fatalf("search's README has the commands %v and the address %v", commands, url)
	}
	for i, want := range []string{"weight: 30.5", "For the next page add --after ", "player: quynn "} {
		cmd := exec.Command("sh", "-c", `"$0" `+commands[i][1], os.Args[0])
		cmd.Env = command(t, dir).Env
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) || !strings.Contains(string(out), "newest change indexed ") {
			t.Errorf("sluice %s: %v, without %q:\n%s", commands[i][1], err, want, out)
		}
	}
	askAPI(t, dir, url[1])
}

// insertRex puts a pet into the local stack's table, and returns when searches find it.
func insertRex(t *testing.T, dir string) {
	t.Helper()
	info, err := stack.Load(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	rex := consumertest.Item{
		"PK": consumertest.S("USER#ann"), "SK": consumertest.S("PET#rex"), "entityType": consumertest.S("PET"), "name": consumertest.S("Rex"),
		"species": consumertest.S("dog"), "weight": consumertest.N("30.5"),
	}
	client := dynamodb.NewFromConfig(info.DynamoDB())
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("PetTracker"), Item: rex.AttributeValues()}); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; {
		out, _ := run(t, dir, "search", "pets", "rex")
		if strings.Contains(out, "1 of 1, ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a minute after its insertion, a search for a pet says %s", out)
		}
	}
}

// askAPI asks `sluice api` as a program would, and interrupts it.
func askAPI(t *testing.T, dir, path string) {
	t.Helper()
	cmd := command(t, dir, "api", "--listen", "127.0.0.1:0")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	printed := bufio.NewReader(stdout)
	line, err := printed.ReadString('\n')
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(line)
	if err != nil || address == "" {
		t.Fatalf("sluice api prints %q, %v", line, err)
	}
	answer := get(t, address+path)
	if answer.Total.Count != 1 || len(answer.Facets) != 1 || answer.Freshness.Newest.IsZero() {
		t.Errorf("the API answers %+v", answer)
	}
	askPlayers(t, address)
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(printed)
	if err != nil || string(rest) != "The API is stopped.\n" {
		t.Errorf("after an interrupt it prints %q, %v", rest, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func get(t *testing.T, url string) query.Answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer query.Answer
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, response.Status, err)
	}
	return answer
}
