package query

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sluice/shared/consumertest"
	"sluice/shared/consumertest/proof"
)

// Who doesn't read an answer keeps nobody else from getting one, and is cut off. Fails if a
// search keeps its place until its answer is read.
func TestReadersThatDoNotRead(t *testing.T) {
	w := newWorld(t)
	var pets []consumertest.Change
	for i := range 4 {
		pets = append(pets, pet(fmt.Sprint("pet ", i), consumertest.Item{"notes": consumertest.S(strings.Repeat("word ", 20_000))}))
	}
	w.deliver(pets...)
	server := httptest.NewUnstartedServer(NewHandler(w.Searcher, slog.New(slog.DiscardHandler)))
	server.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if err := c.(*net.TCPConn).SetWriteBuffer(4096); err != nil { // so that the kernel doesn't take the answer
			t.Error(err)
		}
		return ctx
	}
	server.Start()
	defer server.Close()
	for i := range maxAtOnce + 8 {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if err := c.(*net.TCPConn).SetReadBuffer(4096); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprint(c, "GET /search?index=pets HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReaderSize(c, 16).ReadString('\n')
		if err != nil || !strings.Contains(line, " 200 ") {
			t.Fatalf("client %d that asks gets %q, %v", i, line, err)
		}
	}
	for range 3 {
		response, err := http.Get(server.URL + "/search?index=pets&q=nobody")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Fatalf("who reads gets %s", response.Status)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := writing.Acquire(ctx, maxWriting); err != nil {
		t.Fatalf("who doesn't read isn't cut off: %v", err)
	}
	writing.Release(maxWriting)
}

// A page of items that are too large together is shorter than was asked for, and the
// next ones have the rest. Hits have what the index maps, unless asked for whole items.
func TestLargeItems(t *testing.T) {
	w := newWorld(t)
	var pets []consumertest.Change
	n := proof.Size(8, 4) // more than an answer has room for
	for i := range n {
		pets = append(pets, pet(fmt.Sprint("pet ", i), consumertest.Item{
			"notes": consumertest.S(strings.Repeat("\x01", 300_000)), "secret": consumertest.S("x"), "_id": consumertest.S("mine"), "weight": consumertest.N("12345678901234567890.123456789012345678"),
		}))
	}
	w.deliver(pets...)
	seen := map[string]int{}
	r := Request{Index: "pets", Sort: ParseSort("PK"), Size: 8}
	pages := 1
	for ; ; pages++ {
		a := w.find(r)
		bytes := 0
		for _, h := range a.Hits {
			seen[h.ID]++
			bytes += len(h.Source)
			if strings.Contains(string(h.Source), "secret") || h.Attributes != nil || !strings.Contains(string(h.Source), "12345678901234567890.123456789012345678") {
				t.Fatalf("a hit has %.200s…, %v", h.Source, h.Attributes)
			}
		}
		if len(a.Hits) == 0 || len(a.Hits) > 1 && bytes > MaxAnswer {
			t.Fatalf("page %d has %d hits with %d bytes", pages, len(a.Hits), bytes)
		}
		if r.After = a.Next; r.After == "" {
			break
		}
	}
	if len(seen) != n || pages == 1 {
		t.Errorf("%d items seen of %d, on %d pages", len(seen), n, pages)
	}
	whole := w.find(Request{Index: "pets", Size: 1, Whole: true}).Hits[0]
	var source map[string]json.RawMessage
	if err := json.Unmarshal(whole.Source, &source); err != nil || string(source["secret"]) != `"x"` || string(whole.Attributes["_id"]) != `"mine"` {
		t.Errorf("a whole item has secret %s and %v, %v", source["secret"], whole.Attributes, err)
	}
}
