package query

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// maxWriting is how many bytes of answers may wait for who asked to read them.
	maxWriting = 128 << 20
	// chunk is how many bytes are written at one go.
	chunk = 64 << 10
	// chunkTimeout is how long who asked may take to read a chunk.
	chunkTimeout = 5 * time.Second
	// writeTimeout is how long all of an answer may take.
	writeTimeout = time.Minute
)

// writing counts the bytes of all answers that are being written.
var writing = semaphore.NewWeighted(maxWriting)

// WriteJSON answers a request with a body that nobody may keep or take for a page. Who
// doesn't read is cut off; while too many bytes wait to be read, the answer is that the
// server is busy.
func WriteJSON(w http.ResponseWriter, r *http.Request, log *slog.Logger, status int, body any) {
	var text bytes.Buffer
	out := json.NewEncoder(&text)
	out.SetEscapeHTML(false)
	if err := out.Encode(body); err != nil {
		log.ErrorContext(r.Context(), "an answer can't be written", "error", err)
		status = http.StatusInternalServerError
		text.Reset()
		fmt.Fprintln(&text, `{"error":"the answer can't be written"}`)
	}
	header := w.Header()
	size := int64(text.Len())
	if writing.TryAcquire(size) {
		defer writing.Release(size)
	} else {
		log.WarnContext(r.Context(), "an answer isn't given: those who asked before don't read theirs", "bytes", size)
		header.Set("Retry-After", strconv.Itoa(int(chunkTimeout.Seconds())))
		status = http.StatusServiceUnavailable
		text.Reset()
		fmt.Fprintln(&text, `{"error":"too many answers are being read; ask again in a moment"}`)
	}
	header.Set("Content-Type", "application/json; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Length", strconv.Itoa(text.Len()))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		writeInTime(w, &text)
	}
}

// writeInTime writes a body chunk by chunk, as long as who asked reads it.
func writeInTime(w http.ResponseWriter, text *bytes.Buffer) {
	control := http.NewResponseController(w)
	end := time.Now().Add(writeTimeout)
	for text.Len() > 0 {
		deadline := time.Now().Add(chunkTimeout)
		if deadline.After(end) {
			deadline = end
		}
		_ = control.SetWriteDeadline(deadline) // a recorder of tests has none
		if _, err := w.Write(text.Next(chunk)); err != nil {
			return // who asked is gone, or doesn't read
		}
		if err := control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return
		}
	}
}
