package stored

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"
)

var store = flag.String("store", "", "write the fixtures of this commit, which has none yet, instead of testing those that are there")

// root is where a package keeps its fixtures.
const root = "testdata/stored"

// Each calls test with the folder of each version that wrote fixtures. With the flag -store it calls write instead, with a new folder.
func Each(t *testing.T, write, test func(t *testing.T, folder string)) {
	t.Helper()
	if *store != "" {
		folder := filepath.Join(root, *store)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, folder)
		return
	}
	versions, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(versions) == 0 {
		t.Fatalf("%s has no fixtures", root)
	}
	for _, version := range versions {
		t.Run(version.Name(), func(t *testing.T) { test(t, filepath.Join(root, version.Name())) })
	}
}

// Write writes a value as the JSON file of a folder, which must not be there yet.
func Write(t testing.TB, folder, name string, value any) {
	t.Helper()
	text, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(folder, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		t.Fatalf("fixtures are never written anew: %v", err)
	}
	if _, err := f.Write(append(text, '\n')); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// Read reads a value that Write wrote.
func Read(t testing.TB, folder, name string, value any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, value); err != nil {
		t.Fatalf("%s of %s: %v", name, folder, err)
	}
}

// Tables are the items of tables, by table, each as DynamoDB's JSON.
type Tables map[string][]json.RawMessage

// Scan reads tables whole. The items are in the order of their JSON.
func Scan(t testing.TB, client *dynamodb.Client, tables ...string) Tables {
	t.Helper()
	all := Tables{}
	for _, table := range tables {
		items := []json.RawMessage{}
		pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatalf("read %s: %v", table, err)
			}
			for _, item := range page.Items {
				text, err := attributevalue.MarshalMapJSON(item)
				if err != nil {
					t.Fatalf("read %s: %v", table, err)
				}
				items = append(items, canonical(t, text))
			}
		}
		slices.SortFunc(items, func(a, b json.RawMessage) int { return slices.Compare(a, b) })
		all[table] = items
	}
	return all
}

// canonical returns an item's JSON with names and sets sorted, and without spaces.
func canonical(t testing.TB, item []byte) json.RawMessage {
	t.Helper()
	var attributes map[string]map[string]any
	if err := json.Unmarshal(item, &attributes); err != nil {
		t.Fatal(err)
	}
	for _, value := range attributes {
		for kind, members := range value {
			if set, ok := members.([]any); ok && kind != "L" {
				slices.SortFunc(set, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
			}
		}
	}
	text, err := json.Marshal(attributes)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Fill puts the items into their tables, which are there already.
func (all Tables) Fill(t testing.TB, client *dynamodb.Client) {
	t.Helper()
	for table, items := range all {
		for _, text := range items {
			item, err := attributevalue.UnmarshalMapJSON(text)
			if err != nil {
				t.Fatalf("an item of %s: %v", table, err)
			}
			if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item}); err != nil {
				t.Fatalf("put an item into %s: %v", table, err)
			}
		}
	}
}

// Unchanged fails the test if the tables hold anything else than these items.
func (all Tables) Unchanged(t testing.TB, client *dynamodb.Client, after string) {
	t.Helper()
	for table, items := range all {
		want, got := []string{}, []string{}
		for _, item := range items {
			want = append(want, string(canonical(t, item)))
		}
		for _, item := range Scan(t, client, table)[table] {
			got = append(got, string(item))
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: table %s holds something else (-want +got):\n%s", after, table, diff)
		}
	}
}
