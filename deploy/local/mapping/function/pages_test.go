package function_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"sluice/deploy/local/mapping/function"
)

// A page must neither take an invocation nor answer one. Fails for a Runtime API that whoever finds its port may use.
func TestRuntimeAPIRefusesPages(t *testing.T) {
	address := make(chan string, 1)
	instance, err := function.New(function.Config{
		Name: "pages", Binary: os.Args[0], ARN: "arn:aws:lambda:us-east-1:000000000000:function:pages", Timeout: time.Minute, MemoryMB: 128, Output: io.Discard,
		Attach: func(env []string) {
			for _, variable := range env {
				if api, ok := strings.CutPrefix(variable, "AWS_LAMBDA_RUNTIME_API="); ok {
					address <- api
				}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer instance.Close()
	answered := make(chan string, 1)
	go func() {
		answer, err := instance.Invoke(t.Context(), []byte(`"payload"`), nil)
		if err != nil {
			answered <- err.Error()
			return
		}
		answered <- fmt.Sprintf("%s %v", answer.Body, answer.Failure)
	}()
	api := <-address
	send := func(method, path, host string, header ...string) (status int, id string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+api+"/2018-06-01/runtime"+path, strings.NewReader(`"ours"`))
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		for i := 0; i < len(header); i += 2 {
			request.Header.Set(header[i], header[i+1])
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode, response.Header.Get("Lambda-Runtime-Aws-Request-Id")
	}
	refuse := func(id string) {
		t.Helper()
		for _, call := range [][2]string{{"GET", "/invocation/next"}, {"POST", "/init/error"}, {"POST", "/invocation/" + id + "/response"}, {"POST", "/invocation/" + id + "/error"}} {
			for _, from := range [][]string{
				{api, "Origin", "https://evil.example"}, {api, "Origin", "http://" + api}, {api, "Sec-Fetch-Site", "cross-site"}, {"evil.example"}, {"127.0.0.1"},
			} {
				if status, _ := send(call[0], call[1], from[0], from[1:]...); status != http.StatusForbidden {
					t.Errorf("%s %s as %q: status %d, want 403", call[0], call[1], from, status)
				}
			}
		}
	}
	refuse("00000000-0000-0000-0000-000000000000")
	_, id := send("GET", "/invocation/next", api)
	refuse(id)
	if status, _ := send("POST", "/invocation/"+id+"/response", api); status != http.StatusAccepted {
		t.Errorf("the function's answer: status %d", status)
	}
	if got := <-answered; got != `"ours" <nil>` {
		t.Errorf("the invocation ended with %s, want the function's own answer", got)
	}
	http.DefaultClient.CloseIdleConnections()
}
