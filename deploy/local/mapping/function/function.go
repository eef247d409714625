package function

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Config describes a function.
type Config struct {
	Name   string
	Binary string // the path of the executable that Lambda would start as bootstrap
	ARN    string // the function's, and names its region
	// Env has the function's variables as "NAME=value", and nothing of our environment. What Lambda sets wins.
	Env []string
	// Timeout of an invocation.
	Timeout  time.Duration
	MemoryMB int // what the function is told it has
	// ClientContext is what its caller says with each invocation, as JSON: Lambda's client context. Empty: nothing.
	ClientContext string
	// Attach, if set, is told the environment with which somebody else, such as a debugger, starts the binary. We wait for that as
	// long as ctx of Invoke lasts, see nothing of what it writes, and end it only by the end of the Runtime API.
	Attach func(env []string)
	// Output takes whole lines of standard output and error. Instances that share it call it side by side.
	Output io.Writer
}

// Validate reports every fault of the configuration at once.
func (c *Config) Validate() error {
	var faults []error
	if c.Name == "" {
		faults = append(faults, errors.New("no Name"))
	}
	if _, err := exec.LookPath(c.Binary); err != nil {
		faults = append(faults, fmt.Errorf("can't execute Binary = %q, build it first: %w", c.Binary, err))
	}
	if c.region() == "" {
		faults = append(faults, fmt.Errorf("no function's ARN = %q; one is like arn:aws:lambda:us-east-1:000000000000:function:name", c.ARN))
	}
	if c.Timeout <= 0 || c.Timeout > 15*time.Minute {
		faults = append(faults, fmt.Errorf("not above 0 and at most 15 minutes: Timeout = %v", c.Timeout))
	}
	if c.MemoryMB < 128 || c.MemoryMB > 10240 {
		faults = append(faults, fmt.Errorf("not from 128 to 10240: MemoryMB = %d", c.MemoryMB))
	}
	if c.Output == nil {
		faults = append(faults, errors.New("no Output"))
	}
	for _, v := range c.Env {
		if name, _, ok := strings.Cut(v, "="); !ok || name == "" {
			faults = append(faults, fmt.Errorf("not of the form NAME=value: %q in Env", v))
		}
	}
	return errors.Join(faults...)
}

func (c *Config) region() string {
	if parts := strings.Split(c.ARN, ":"); len(parts) >= 7 && parts[2] == "lambda" {
		return parts[3]
	}
	return ""
}

// Answer is how an invocation ended.
type Answer struct {
	RequestID string
	Body      []byte   // what the function returned; nil if it failed
	Failure   *Failure // set if the function failed: Lambda's "function error"
	// Killed says that the function was killed as the caller of Invoke wished, perhaps just after it had answered.
	Killed bool
}

// Failure says why a function failed.
type Failure struct {
	Type    string // the function's own error type, or one of Lambda's: see the constants
	Message string
	Output  string // the tail of what the function had written, if it died or ran out of time
	Init    bool   // says that the function failed before it asked for its first invocation
}

// The error types that Lambda itself gives.
const (
	TypeExit     = "Runtime.ExitError"
	TypeTimeout  = "Sandbox.Timedout"
	TypeTooLarge = "Function.ResponseSizeTooLarge"
)

func (f *Failure) Error() string {
	text := f.Type + ": " + f.Message
	if f.Init {
		text = "the function did not start: " + text
	}
	if f.Output != "" {
		text += "\nits last output:\n" + f.Output
	}
	return text
}

// Instance is one execution environment. Its methods are safe for concurrent use; invocations wait for each other.
type Instance struct {
	config Config

	mu      sync.Mutex
	running *environment // nil before the first invocation and after the process has died
}

// New makes an instance. The process is started for its first invocation.
func New(c Config) (*Instance, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("function %s: settings: %w", c.Name, err)
	}
	return &Instance{config: c}, nil
}

// Invoke hands the payload to the function and waits for its end. If ctx ends first the function is killed. It is also killed
// when kill receives; a nil channel never does.
//
// The error says that the function can't have taken the payload, or, if it is ctx's, that it may have.
func (i *Instance) Invoke(ctx context.Context, payload []byte, kill <-chan time.Time) (*Answer, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		requestID := NewRequestID()
		if i.running == nil {
			env, failure, err := start(ctx, &i.config)
			if err != nil {
				return nil, fmt.Errorf("function %s: %w", i.config.Name, err)
			}
			if failure != nil {
				return &Answer{RequestID: requestID, Failure: failure}, nil
			}
			i.running = env
		}
		answer, err := i.running.invoke(ctx, requestID, payload, kill)
		if i.running.dead() {
			i.running.close()
			i.running = nil
		}
		if !errors.Is(err, errDiedIdle) {
			return answer, err
		}
		// It had died since the last invocation, so this one has not begun.
	}
}

// Close kills the process and waits for its end. The instance may be used again.
func (i *Instance) Close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.running != nil {
		i.running.close()
		i.running = nil
	}
}

// NewRequestID returns a random UUID (version 4), as Lambda gives one to each invocation.
func NewRequestID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
