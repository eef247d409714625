package cli

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/deploy/local/stack"
	"sluice/shared/consumertest/proof"
	"sluice/shared/printable"
)

// hostileNames are names that a player may choose: DynamoDB takes each.
var hostileNames = []string{
	"\x1b[31mred\x1b[0m", "line\nbreak\r\nand more", "tab\there", "RTL\u202eevil\u2066x", "nul\x00x", "c1\u009b31m", "zero\u200bwidth\ufeff\u200d", "tag\U000e0041\U000e0042",
	"private\ue000", "none\ufffe\uffff", "separator\u2028\u2029", "flood" + strings.Repeat("\u0301", 600), "日本語の名前", strings.Repeat("n", 2048),
}

// hostileNamesOnALocalStack lets such players play, and looks at what every verb prints, also where its output can't be written.
func hostileNamesOnALocalStack(t *testing.T, dir string) {
	proof.NoRaces(t, "it runs each verb again, for what it prints")
	info, err := stack.Load(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	client := dynamodb.NewFromConfig(info.DynamoDB())
	put := func(table string, item map[string]types.AttributeValue) {
		t.Helper()
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item}); err != nil {
			t.Fatal(err)
		}
	}
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	for i, name := range hostileNames {
		put("UserScoreEvents", map[string]types.AttributeValue{"UserId": text(name), "Timestamp": text("2026-11-30 08:00:00.000000"), "Score": &types.AttributeValueMemberN{Value: fmt.Sprint(1000 + i)}})
	}
	want(t, dir, []string{"verify", "leaderboard", "--wait", "2m"}, "Every total is the sum")
	board, _ := run(t, dir, "top", "-n", "100")
	for line := range strings.Lines(board) {
		if width := printable.Width(strings.TrimSuffix(line, "\n")); width > 80 {
			t.Errorf("a line of the board takes %d columns:\n%s", width, line)
		}
	}
	if lines, players := strings.Count(board, "\n"), len(regexp.MustCompile(`(?m)^ *\d+\.  `).FindAllString(board, -1)); lines != players {
		t.Errorf("the board has %d lines for %d players:\n%s", lines, players, board)
	}
	// Its change is a dead letter, which quotes names and values.
	put("UserScoreEvents", map[string]types.AttributeValue{"UserId": text(hostileNames[0]), "Timestamp": text("2026-11-30 08:00:01.000000"), "Score": text("\x1b[2J\u202e5")})
	waitForLetters(t, info, 1)
	verbs := [][]string{
		{"top", "--json"}, {"top", "-n", "100"}, {"top", "daily", "--at", "2026-11-30", "-n", "100"}, {"search", "players", "--size", "100"}, {"search", "players", "--json", "--size", "100"},
		{"search", "plays", "--size", "100", "--facet", "player"}, {"search", "plays", "x\x1b[31m:1"}, {"verify", "badges", "--patience", "0s"}, {"verify", "replication", "--patience", "0s"},
		{"verify", "leaderboard"}, {"verify", "search"}, {"redrive", "leaderboard", "--list"}, {"redrive", "leaderboard", "--list", "--json"}, {"redrive", "badges"}, {"redrive", "\x1b[31mx"}, {"status"},
		{"status", "--json"}, {"badges", "explain", "marah", "no\x1b[31msuch"},
	}
	for _, name := range hostileNames {
		if strings.Contains(name, "\x00") {
			continue // no argument can have it
		}
		verbs = append(verbs, []string{"rank", name, "-n", "3"}, []string{"player", name})
	}
	name := hostileNames[0]
	verbs = append(verbs, []string{"rank", name, "--json"}, []string{"player", name, "--json"}, []string{"history", name}, []string{"history", "no\x1b[31mbody"}, []string{"rank", "no\x1b[31mbody"},
		[]string{"player", "no\u202ebody"}, []string{"badges", "explain", name, "first-play"}, []string{"badges", "explain", name, "first-play", "--json"}, []string{"badges", "explain", "no\nbody", "first-play"})
	for _, verb := range verbs {
		out, _ := command(t, dir, verb...).CombinedOutput() // some fail, and print too
		if len(out) == 0 {
			t.Errorf("sluice %q prints nothing", verb)
		}
		wantPrintable(t, fmt.Sprintf("sluice %q", verb), string(out))
	}
	want(t, dir, []string{"history", name}, "2026-11-30 08:00:00.000000", "1000", "attribute Score is no number", "no board counts it")
	for _, verb := range [][]string{
		{"top"}, {"top", "weekly"}, {"rank", "marah"}, {"rank", "marah", "--json"}, {"player", "marah"}, {"history", "marah"}, {"search", "players"}, {"search", "players", "--json"},
		{"status"}, {"status", "--json"}, {"redrive", "leaderboard", "--list"}, {"redrive", "replication", "--list"}, {"badges", "explain", "marah", "regular"}, {"verify", "badges", "--patience", "0s"},
		{"reindex", "players", "--dry-run"}, {"play", "--for", "1s", "--rate", "5"}, {"up"},
	} {
		fullDisk(t, dir, verb...)
	}
	if _, err := client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("UserScoreEvents"), Key: map[string]types.AttributeValue{
		"UserId": text(name), "Timestamp": text("2026-11-30 08:00:01.000000"),
	}}); err != nil {
		t.Fatal(err)
	}
}
