package function

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"sluice/deploy/local/process"
)

// minInitTimeout is how long Lambda lets a function take before it asks for its first invocation.
const minInitTimeout = 10 * time.Second

var errDiedIdle = errors.New("the function died between two invocations")

// environment is one life of the function: a process with a Runtime API of its own, so that no request of a killed one gets there.
type environment struct {
	config *Config
	api    *http.Server
	cmd    *exec.Cmd
	output *output
	exited chan struct{} // closed once the process has ended, and cmd.ProcessState is set

	invocations chan *invocation // handed over, unbuffered, when the function asks for the next one
	ready       chan struct{}    // closed when it asks for the first time
	asked       sync.Once

	mu        sync.Mutex
	current   *invocation
	initError *Failure
}

type invocation struct {
	requestID string
	deadline  time.Time
	payload   []byte
	answer    chan *Answer // buffered: the first answer is kept, even if the function dies just after it
}

// start starts a process and waits until it asks for its first invocation. A failure is the function's own.
func start(ctx context.Context, c *Config) (*environment, *Failure, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("serve the Runtime API: %w", err)
	}
	e := &environment{
		config: c, output: &output{sink: c.Output},
		exited: make(chan struct{}), invocations: make(chan *invocation), ready: make(chan struct{}),
	}
	binary, err := filepath.Abs(c.Binary)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("find %s: %w", c.Binary, err), listener.Close())
	}
	env := environ(c, listener.Addr().String(), filepath.Dir(binary))
	if c.Attach != nil {
		return e, nil, e.attach(ctx, listener, env)
	}
	e.cmd = exec.Command(binary)
	e.cmd.Dir = filepath.Dir(binary)
	e.cmd.Env = env
	e.cmd.Stdout, e.cmd.Stderr = e.output, e.output
	// Should the function have left children that hold its output open, don't wait for them.
	e.cmd.WaitDelay = time.Second
	exited, err := process.Start(e.cmd)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("start %s: %w", binary, err), listener.Close())
	}
	go func() {
		<-exited //nolint:errcheck // it is that of the process' state, which is asked for where it matters
		e.output.flush()
		close(e.exited)
	}()
	e.serve(listener)

	limit := max(minInitTimeout, c.Timeout)
	var failure *Failure
	select {
	case <-e.ready:
		return e, nil, nil
	case <-e.exited:
		failure = e.exitFailure("")
	case <-time.After(limit):
		failure = &Failure{Type: TypeTimeout, Message: fmt.Sprintf("it did not ask the Runtime API for an invocation within %v of its start", limit)}
	case <-ctx.Done():
		e.close()
		return nil, nil, ctx.Err()
	}
	e.close()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.initError != nil {
		failure = e.initError
	}
	failure.Init, failure.Output = true, e.output.tail()
	return nil, failure, nil
}

func (e *environment) serve(listener net.Listener) {
	e.api = &http.Server{Handler: e.handler(), ReadHeaderTimeout: minInitTimeout}
	go func() { _ = e.api.Serve(listener) }() // it always ends with ErrServerClosed, by close
}

// attach waits until a process that somebody else starts asks for its first invocation.
func (e *environment) attach(ctx context.Context, listener net.Listener, env []string) error {
	e.serve(listener)
	e.config.Attach(env)
	select {
	case <-e.ready:
		return nil
	case <-ctx.Done():
		e.close()
		return ctx.Err()
	}
}

// environ returns Lambda's variables: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func environ(c *Config, runtimeAPI, taskRoot string) []string {
	return append(append([]string{
		"LANG=en_US.UTF-8",
		"TZ=:UTC",
		"PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin",
	}, c.Env...),
		"_HANDLER=bootstrap",
		"AWS_REGION="+c.region(),
		"AWS_DEFAULT_REGION="+c.region(),
		"AWS_LAMBDA_RUNTIME_API="+runtimeAPI,
		"AWS_LAMBDA_FUNCTION_NAME="+c.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE="+strconv.Itoa(c.MemoryMB),
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/"+c.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME="+NewRequestID(),
		"LAMBDA_TASK_ROOT="+taskRoot,
	)
}

// invoke hands one invocation over and waits for its end. It returns errDiedIdle if the function died before it took it.
func (e *environment) invoke(ctx context.Context, requestID string, payload []byte, kill <-chan time.Time) (*Answer, error) {
	inv := &invocation{
		requestID: requestID, deadline: time.Now().Add(e.config.Timeout),
		payload: payload, answer: make(chan *Answer, 1),
	}
	timeout := time.After(e.config.Timeout)
	e.setCurrent(inv)
	defer e.setCurrent(nil)
	select {
	case e.invocations <- inv:
	case <-e.exited:
		return nil, errDiedIdle
	case <-timeout:
		return e.timedOut(inv)
	case <-ctx.Done():
		return nil, ctx.Err()
	}

	killed := false
	for {
		select {
		case answer := <-inv.answer:
			if killed {
				// It answered just before it was hit. It must be gone before it can ask for another invocation.
				<-e.exited
				answer.Killed = true
			}
			return answer, nil
		case <-e.exited:
			answer := &Answer{RequestID: requestID, Failure: e.exitFailure(requestID)}
			select {
			case answer = <-inv.answer: // its last act
			default:
			}
			answer.Killed = killed
			return answer, nil
		case <-kill:
			if err := e.kill(); err != nil {
				return nil, err
			}
			kill, killed = nil, true
		case <-timeout:
			return e.timedOut(inv)
		case <-ctx.Done():
			e.close()
			return nil, ctx.Err()
		}
	}
}

func (e *environment) setCurrent(inv *invocation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.current = inv
}

func (e *environment) timedOut(inv *invocation) (*Answer, error) {
	e.close()
	return &Answer{RequestID: inv.requestID, Failure: &Failure{
		Type:    TypeTimeout,
		Message: fmt.Sprintf("%s %s Task timed out after %.2f seconds", time.Now().UTC().Format(time.RFC3339), inv.requestID, e.config.Timeout.Seconds()),
		Output:  e.output.tail(),
	}}, nil
}

func (e *environment) exitFailure(requestID string) *Failure {
	return &Failure{
		Type:    TypeExit,
		Message: fmt.Sprintf("RequestId: %s Error: Runtime exited with %v", requestID, e.cmd.ProcessState),
		Output:  e.output.tail(),
	}
}

func (e *environment) kill() error {
	if e.cmd == nil {
		return errors.New("the function was not started by us")
	}
	if err := e.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill the function (pid %d): %w", e.cmd.Process.Pid, err)
	}
	return nil
}

func (e *environment) dead() bool {
	select {
	case <-e.exited:
		return true
	default:
		return false
	}
}

// close kills the process and waits for its end, then closes the Runtime API.
func (e *environment) close() {
	// A process that can't be killed is none of ours, or has ended.
	if err := e.kill(); err == nil {
		<-e.exited
	}
	_ = e.api.Close() // the listener's error; nobody listens any more either way
}
