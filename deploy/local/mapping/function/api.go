package function

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
)

const maxAnswerBytes = 6 << 20

// handler serves the Runtime API: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
// Web pages that a browser has open are refused: they could take a function's invocation, or report its failure.
func (e *environment) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", e.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", e.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", e.failed)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", e.initFailed)
	return programsOnly(mux)
}

// programsOnly refuses requests that a browser sends for a page, or that have reached us by a name that leads to this machine.
func programsOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		site := r.Header.Get("Sec-Fetch-Site")
		if local == nil || r.Host != local.String() || r.Header.Get("Origin") != "" || site != "" && site != "none" {
			respond(w, http.StatusForbidden, "Forbidden", "the Runtime API is for the function that was started with its address")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// next waits for an invocation for as long as the function does.
func (e *environment) next(w http.ResponseWriter, r *http.Request) {
	e.asked.Do(func() { close(e.ready) })
	select {
	case inv := <-e.invocations:
		header := w.Header()
		header.Set("Content-Type", "application/json")
		header.Set("Content-Length", strconv.Itoa(len(inv.payload)))
		header.Set("Lambda-Runtime-Aws-Request-Id", inv.requestID)
		header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
		header.Set("Lambda-Runtime-Invoked-Function-Arn", e.config.ARN)
		if e.config.ClientContext != "" {
			header.Set("Lambda-Runtime-Client-Context", e.config.ClientContext)
		}
		_, _ = w.Write(inv.payload) // a function that does not take it has died, or will run out of time
	case <-r.Context().Done():
	}
}

func (e *environment) response(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswerBytes))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		message := "Response payload size exceeded maximum allowed payload size (6291456 bytes)."
		e.answer(r, &Answer{Failure: &Failure{Type: TypeTooLarge, Message: message}})
		respond(w, http.StatusRequestEntityTooLarge, TypeTooLarge, message)
	}
	if err != nil {
		return // it died in the middle of its answer
	}
	// A function that streams its answer reports a failure after the body.
	if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
		text, _ := base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
		e.accept(w, r, &Answer{Failure: parseFailure(text, kind)})
		return
	}
	e.accept(w, r, &Answer{Body: body})
}

func (e *environment) failed(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswerBytes))
	if err != nil {
		return // it died in the middle of its answer
	}
	e.accept(w, r, &Answer{Failure: parseFailure(body, r.Header.Get("Lambda-Runtime-Function-Error-Type"))})
}

func (e *environment) initFailed(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswerBytes))
	if err != nil {
		return // it died in the middle of its report
	}
	e.mu.Lock()
	e.initError = parseFailure(body, r.Header.Get("Lambda-Runtime-Function-Error-Type"))
	e.mu.Unlock()
	respond(w, http.StatusAccepted, "", "OK")
}

func (e *environment) accept(w http.ResponseWriter, r *http.Request, answer *Answer) {
	if e.answer(r, answer) {
		respond(w, http.StatusAccepted, "", "OK")
	} else {
		respond(w, http.StatusBadRequest, "InvalidRequestID", "no such invocation is under way")
	}
}

// answer passes the answer on to the invocation that the request names, if that is the one under way and has none yet.
func (e *environment) answer(r *http.Request, answer *Answer) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil || e.current.requestID != r.PathValue("id") {
		return false
	}
	answer.RequestID = e.current.requestID
	select {
	case e.current.answer <- answer:
		return true
	default:
		return false
	}
}

// parseFailure reads a function's own report; kind is the error type that came beside it.
func parseFailure(body []byte, kind string) *Failure {
	var report struct {
		ErrorMessage string `json:"errorMessage"`
		ErrorType    string `json:"errorType"`
	}
	if err := json.Unmarshal(body, &report); err != nil {
		report.ErrorMessage = string(body)
	}
	if report.ErrorType == "" {
		report.ErrorType = kind
	}
	return &Failure{Type: report.ErrorType, Message: report.ErrorMessage}
}

func respond(w http.ResponseWriter, status int, errorType, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if errorType == "" {
		_, _ = io.WriteString(w, `{"status":"`+text+`"}`)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"errorType": errorType, "errorMessage": text})
}
