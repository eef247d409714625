package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/cli/verb"
	"sluice/deploy/local/servers/servertest"
	"sluice/deploy/local/stack"
	"sluice/shared/consumertest/proof"
	"sluice/shared/consumertest/wire"
)

const logHead = "requestid,host,date,hourofday,timezone,method,url,responsecode,bytessent,useragent\n"

// logRow10 is a row of a log.
func logRow10(id, sent, agent string) string {
	return id + ",198.51.100.7,2009-07-20,20,GMT-0700,GET,/foo,200," + sent + "," + agent + "\n"
}

// scanSent returns how many bytes were sent, by request id.
func scanSent(t *testing.T, client *dynamodb.Client, table string) map[string]string {
	t.Helper()
	sent := map[string]string{}
	pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: &table})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			sent[item["requestid"].(*types.AttributeValueMemberN).Value] = item["bytessent"].(*types.AttributeValueMemberN).Value
		}
	}
	return sent
}

// One bad row of each kind between two good ones: both are loaded, and the bad one is named with its line.
func TestLoadNamesABadRow(t *testing.T) {
	client := dynamodb.NewFromConfig(servertest.DynamoDB(t))
	for i, c := range []struct{ name, bad, want string }{
		{"a number beyond DynamoDB's range", logRow10("2", "1e500", "M"), "line 3: bytessent is \"1e500\"; DynamoDB holds numbers of at most 38 digits"},
		{"a number of 39 digits", logRow10("2", strings.Repeat("1", 39), "M"), "line 3: bytessent is"},
		{"a number too small", logRow10("2", "1e-131", "M"), "line 3: bytessent is"},
		{"an item over 400 KB", logRow10("2", "2", strings.Repeat("x", 410<<10)), "line 3: T%d refuses it"},
		{"an id that DynamoDB can't hold", logRow10("1e126", "2", "M"), `line 3: requestid is "1e126"; DynamoDB holds numbers`},
		{"an empty key", logRow10("", "2", "M"), `line 3: requestid is "", want a number`},
		{"no number", logRow10("x", "2", "M"), `line 3: requestid is "x", want a number`},
		{"NaN", logRow10("2", "NaN", "M"), `line 3: bytessent is "NaN", want a number`},
		{"Latin-1", logRow10("2", "2", "K\xf6ln"), `line 3: useragent has bytes that are no UTF-8: "K\xf6ln"`},
		{"a surrogate", logRow10("2", "2", "\xed\xa0\x80"), "line 3: useragent has bytes that are no UTF-8"},
		{"too few columns", "2,host\n", "line 3: it has 2 columns, want 10"},
		{"one column", "2\n", "line 3: it has 1 column, want 10"},
		{"a quote in a word", "2,ho\"st\n", "line 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := fmt.Sprint("table", i)
			servertest.CreateTable(t, client, table, "PK")
			var out bytes.Buffer
			err := load(t.Context(), client, table, strings.NewReader(logHead+logRow10("1", "1", "M")+c.bad+logRow10("3", "3", "M")), &out)
			want := strings.ReplaceAll(c.want, "T%d", table)
			if err == nil || !strings.Contains(err.Error(), "1 line is not loaded:\n") || !strings.Contains(err.Error(), want) {
				t.Errorf("error %.300v, want one with %q", err, want)
			}
			if got := scanSent(t, client, table); len(got) != 2 || got["1"] != "1" || got["3"] != "3" || !strings.Contains(out.String(), "2 rows in ") {
				t.Errorf("it loaded %v and says %s", got, &out)
			}
		})
	}
}

// Rows of one id: the last stands, however the calls fare. Fails if two rows of one id may be written side by side.
func TestLoadKeepsTheLastRowOfAnID(t *testing.T) {
	proof.OnlyWhole(t, "TestLoad runs the same code, with fewer rows")
	t.Parallel()
	cfg := servertest.DynamoDB(t)
	client := dynamodb.NewFromConfig(cfg)
	servertest.CreateTable(t, client, "rows", "PK")
	lost := map[string]bool{}
	losing := dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
		o.HTTPClient = &http.Client{Transport: &wire.Transport{Decide: func(c wire.Call) wire.Fault {
			if c.N%5 == 0 && !lost[string(c.Body)] { // such a call takes effect, and is made again; a row that lost three would end the load
				lost[string(c.Body)] = true
				return wire.LostAnswer
			}
			return wire.None
		}}}
	})
	const ids, repeats = 60, 4
	text := logHead
	for id := range ids {
		for n := range repeats {
			text += logRow10(fmt.Sprint(id), fmt.Sprint(n+1), "M")
		}
	}
	var out bytes.Buffer
	if err := load(t.Context(), losing, "rows", strings.NewReader(text), &out); err != nil {
		t.Fatal(err)
	}
	for id, sent := range scanSent(t, client, "rows") {
		if sent != fmt.Sprint(repeats) {
			t.Errorf("of id %s row %s stands, want the last, %d", id, sent, repeats)
		}
	}
	if want := fmt.Sprintf("%d rows have the requestid of an earlier row", ids*(repeats-1)); !strings.Contains(out.String(), want) {
		t.Errorf("it says\n%s", &out)
	}
}

// The beginnings that files of other programs have.
func TestLoadBeginnings(t *testing.T) {
	client := dynamodb.NewFromConfig(servertest.DynamoDB(t))
	rows := logRow10("21", "1", "M") + logRow10("22", "2", "M")
	utf16 := func(text string) string {
		var wide strings.Builder
		for _, b := range []byte(text) {
			wide.Write([]byte{b, 0})
		}
		return wide.String()
	}
	for i, c := range []struct {
		name, text string
		want       int
		err        error
	}{
		{"head", logHead + rows, 2, nil},
		{"no head", rows, 2, nil},
		{"mark and head", "\ufeff" + logHead + rows, 2, nil},
		{"mark, no head", "\ufeff" + rows, 2, nil},
		{"head in capitals", strings.ToUpper(logHead) + rows, 2, nil},
		{"head in quotes, with a mark", "\ufeff\"" + strings.ReplaceAll(strings.TrimSpace(logHead), ",", `","`) + "\"\r\n" + rows, 2, nil},
		{"an empty line first", "\n\n" + logHead + rows, 2, nil},
		{"lines end with CR LF", strings.ReplaceAll(logHead+rows, "\n", "\r\n"), 2, nil},
		{"nothing", "", 0, nil},
		{"only a mark", "\ufeff", 0, nil},
		{"UTF-16 with a mark", "\xff\xfe" + utf16(logHead+rows), 0, verb.ErrUTF16},
		{"UTF-16 with the other mark", "\xfe\xff\x00r", 0, verb.ErrUTF16},
		{"UTF-16 without a mark", utf16(logHead + rows), 0, verb.ErrUTF16},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := fmt.Sprint("table", i)
			servertest.CreateTable(t, client, table, "PK")
			if err := load(t.Context(), client, table, iotest.OneByteReader(strings.NewReader(c.text)), io.Discard); !errors.Is(err, c.err) {
				t.Errorf("error %v, want %v", err, c.err)
			}
			if got := scanSent(t, client, table); len(got) != c.want {
				t.Errorf("it loaded %v, want %d rows", got, c.want)
			}
		})
	}
}

// What ends a load says how many rows are loaded: a table that isn't there, Ctrl-C, a file that can't be read on.
func TestLoadThatEnds(t *testing.T) {
	client := dynamodb.NewFromConfig(servertest.DynamoDB(t))
	servertest.CreateTable(t, client, "rows", "PK")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	err := errors.Join(
		load(t.Context(), client, "NoSuchTable", strings.NewReader(logRow10("1", "1", "M")), &out),
		load(ctx, client, "rows", strings.NewReader(logRow10("1", "1", "M")), &out),
		load(t.Context(), client, "rows", iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(logRow10("1", "1", "M")))), &out),
	)
	wantTexts(t, fmt.Sprint(err), "line 1: put into NoSuchTable: ", "ResourceNotFoundException", "interrupted; the rows that are loaded stay", "read the rows: timeout", "The same command again")
	if n := strings.Count(out.String(), "at least 0 rows in "); n != 3 {
		t.Errorf("it says %d times how many rows are loaded at least, want 3:\n%s", n, &out)
	}
}

// Of many bad rows the first ones are named, and the others are counted.
func TestLoadCountsManyBadRows(t *testing.T) {
	var faults rowFaults
	for i := range maxRowFaults + 7 {
		faults.add(rowFault{maxRowFaults + 7 - i, 1, errors.New("bad")}) // calls end in any order
	}
	text := faults.err().Error()
	if !strings.HasPrefix(text, "27 lines are not loaded:\nline 1: bad\n") || !strings.HasSuffix(text, "line 20: bad\n… and 7 more") {
		t.Error(text)
	}
}

// The encodings in which a file may come.
func TestReadText(t *testing.T) {
	for text, want := range map[string]string{
		"{}": "{}", "\ufeff{}": "{}", "": "", "\ufeff": "", "{\"a\":\"ö\"}": "{\"a\":\"ö\"}",
		"\xff\xfe{\x00": "is UTF-16", "{\x00}\x00": "is UTF-16", "\x00{": "is UTF-16", "\x00\x00\xfe\xff\x00": "is UTF-16",
		"{\n\"a\":\"K\xf6ln\"}": `, line 2: "\"a\":\"K\xf6ln\"}" is no UTF-8`,
	} {
		path := filepath.Join(t.TempDir(), "text")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := verb.ReadText(path)
		if err == nil && string(got) != want || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q was read as %q, %v; want %q", text, got, err, want)
		}
	}
}

// A quote that isn't closed takes further lines into its row: each of them is named and counted. Fails if such a row counts as one.
func TestLoadWithAnOpenQuote(t *testing.T) {
	good := logRow10("1", "1", "M")
	for text, want := range map[string]string{
		good + logRow10("2", "2", `"open`) + logRow10("3", "3", "M") + logRow10("4", "4", "M"): "3 lines are not loaded:\nlines 2 to 4: a quote of line 2 isn't closed there",
		logRow10("2", "2", `"open`) + logRow10("3", "3", `"closed"`) + good:                    "2 lines are not loaded:\nlines 1 to 2: a quote of line 1 isn't closed there",
		good + "2,\"a\nb\nc\"\n" + good:                                                        "3 lines are not loaded:\nlines 2 to 4: it has 2 columns",
		good + "2,\"a\nb\",c\n" + good:                                                         "2 lines are not loaded:\nlines 2 to 3: it has 3 columns",
	} {
		var faults rowFaults
		rows := 0
		err := readLog(strings.NewReader(text), func(logRow) error { rows++; return nil }, faults.add)
		if got := fmt.Sprint(faults.err()); err != nil || rows != strings.Count(text, good) || !strings.HasPrefix(got, want) {
			t.Errorf("%q: %v, %d rows, %s; want %s", text, err, rows, got, want)
		}
	}
}

// Equal numbers are one id. Fails if they make several items.
func TestLoadReadsEqualIDsAsOne(t *testing.T) {
	for _, same := range [][]string{{"100", "1e2", "100.0", "1E+2", "0100", "+100"}, {"0", "-0", "0.00", "0e500"}, {"1E-130", "0.1e-129"}, {"9e125", "0.9E126"}} {
		for _, id := range same {
			var keys []string
			err := readLog(strings.NewReader(logRow10(same[0], "1", "M")+logRow10(id, "1", "M")), func(r logRow) error {
				keys = append(keys, r.key())
				return nil
			}, func(f rowFault) { t.Error(id, f) })
			if err != nil || len(keys) != 2 || keys[0] != keys[1] {
				t.Errorf("%s and %s: keys %.60q, %v", same[0], id, keys, err)
			}
		}
	}
}

// A load of nothing is a failure that names the file. Fails if it ends in silence.
func TestLoadOfNothing(t *testing.T) {
	cfg := servertest.DynamoDB(t)
	client := dynamodb.NewFromConfig(cfg)
	servertest.CreateTable(t, client, "logfile", "PK")
	servertest.CreateTable(t, client, "other", "UserId", "Timestamp")
	key, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir := copyOf(t, stack.Info{State: stack.Ready, Region: cfg.Region, AccessKey: key.AccessKeyID, Endpoints: stack.Endpoints{DynamoDB: *cfg.BaseEndpoint}})
	for _, c := range []struct{ text, table, want string }{
		{"", "logfile", "has no rows, so nothing was loaded"},
		{logHead, "logfile", "has no rows, so nothing was loaded"},
		{logHead, "nosuch", "there is no table nosuch"},
		{logHead, "other", "the key of table other isn't PK alone"},
	} {
		file := filepath.Join(t.TempDir(), "empty.csv")
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, code := run(t, dir, "load", file, "--table", c.table)
		if code != 1 || !strings.Contains(out, c.want) {
			t.Errorf("%q into %s: exit %d, want 1 and %q", c.text, c.table, code, c.want)
		}
	}
	// Standard input can be read only once, and is loaded all the same.
	piped := command(t, dir, "load", "-")
	piped.Stdin = strings.NewReader(logRow10("1", "1", "M"))
	if out, err := piped.CombinedOutput(); err != nil || !strings.Contains(string(out), "1 row in ") {
		t.Errorf("%v: %s", err, out)
	}
}
