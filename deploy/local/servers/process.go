package servers

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"sluice/deploy/local/process"
)

// startTimeout is how long a server may take until it answers. A busy machine has needed a minute.
const startTimeout = 3 * time.Minute

// Process is a server that was started and has answered. Its methods may be called side by side.
type Process struct {
	Name     string
	PID      int
	Endpoint string // the server's URL, on 127.0.0.1
	LogPath  string // the file that has all that the server prints

	process  *os.Process
	exited   chan struct{}
	err      error // set before exited is closed
	stopping atomic.Bool
}

// Start runs the server with dir, which it makes if need be, as its working directory and for its log, and returns
// once the server has answered a real request. It listens on 127.0.0.1 at port or, if that is taken (or 0), at a
// free one. ctx bounds the start alone; the server runs until [Process.Stop].
//
// It returns a [*DiedError] for a server that ends before it answers.
func (s *Server) Start(ctx context.Context, dir string, port int) (*Process, error) {
	return s.StartFor(ctx, dir, port, "")
}

// StartFor is Start for one access key. Ministack lets in nobody else. DynamoDB Local, which keeps a database for each
// key, gives it that of the key "sluice", which stays open to everybody on this machine. OpenSearch knows no keys.
func (s *Server) StartFor(ctx context.Context, dir string, port int, key string) (*Process, error) {
	server, err := s.start(ctx, dir, port, key)
	if died, ok := errors.AsType[*DiedError](err); ok && port != 0 && s.lostPort(died) {
		server, err = s.start(ctx, dir, 0, key)
	}
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", s.Name, err)
	}
	return server, nil
}

func (s *Server) start(ctx context.Context, dir string, port int, key string) (_ *Process, err error) {
	home, err := s.dir()
	if err != nil {
		return nil, err
	}
	if same, err := s.sameRecipe(home); err != nil {
		return nil, err
	} else if !same {
		return nil, fmt.Errorf("%s %w", home, ErrNotInstalled)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	listener, err := listen(ctx, port)
	if err != nil {
		return nil, err
	}
	defer func() {
		// The server has its own copy, or the port.
		if closeErr := listener.Close(); !errors.Is(closeErr, net.ErrClosed) {
			err = errors.Join(err, closeErr)
		}
	}()
	run := launch{port: listener.Addr().(*net.TCPAddr).Port, dir: dir, key: key}
	if s.portFile != "" {
		if err := s.openItself(listener, &run, port); err != nil {
			return nil, err
		}
	}
	run.logPath = filepath.Join(dir, s.slug+".log")
	log, err := os.OpenFile(run.logPath, os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()

	program, err := s.command(home, run)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program.path, program.args...)
	cmd.Dir, cmd.Env = dir, program.env
	cmd.Stdout, cmd.Stderr = log, log
	if s.portFile == "" {
		socket, err := listener.File()
		if err != nil {
			return nil, err
		}
		defer socket.Close()
		if program.listenerIsStdin {
			cmd.Stdin = socket
		} else {
			cmd.ExtraFiles = []*os.File{socket} // file descriptor 3
		}
	}
	server := &Process{
		Name:     s.Name,
		Endpoint: "http://" + listener.Addr().String(),
		LogPath:  run.logPath,
		exited:   make(chan struct{}),
	}
	if err := server.run(cmd); err != nil {
		return nil, err
	}
	if err := server.await(ctx, s, cmp.Or(key, "readiness")); err != nil {
		return nil, errors.Join(err, server.Stop(context.WithoutCancel(ctx)))
	}
	return server, nil
}

// listen opens the port of 127.0.0.1 or, if it is taken, a free one.
func listen(ctx context.Context, port int) (*net.TCPListener, error) {
	config := net.ListenConfig{Control: withoutDelay}
	listener, err := config.Listen(ctx, "tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if errors.Is(err, syscall.EADDRINUSE) {
		listener, err = config.Listen(ctx, "tcp4", "127.0.0.1:0")
	}
	if err != nil {
		return nil, err
	}
	return listener.(*net.TCPListener), nil
}

// withoutDelay sets TCP_NODELAY, which connections inherit. Ministack sends an answer's head by itself, and would wait 40 ms.
func withoutDelay(_, _ string, socket syscall.RawConn) error {
	var setErr error
	err := socket.Control(func(fd uintptr) { setErr = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1) })
	return errors.Join(err, setErr)
}

// lostPort tells whether a server that opens its port itself died since somebody else was there first.
func (s *Server) lostPort(died *DiedError) bool {
	if s.portFile == "" {
		return false
	}
	log, err := os.ReadFile(died.LogPath)
	return err == nil && bytes.Contains(log, []byte("Address already in use"))
}

// openItself prepares the start of a server that opens its port itself: the one of the listener, if that is the one
// asked for, or any. The port file of an earlier run must not be taken for this one's.
func (s *Server) openItself(listener *net.TCPListener, run *launch, asked int) error {
	if run.port != asked {
		run.port = 0
	}
	if err := listener.Close(); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(run.dir, s.portFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// run starts the command and sees to it that p learns of its end.
func (p *Process) run(cmd *exec.Cmd) error {
	ended, err := process.Start(cmd)
	if err != nil {
		return err
	}
	p.PID, p.process = cmd.Process.Pid, cmd.Process
	go func() {
		state := "exit status 0"
		if err := <-ended; err != nil {
			state = err.Error()
		}
		if !p.stopping.Load() {
			logged, err := Tail(p.LogPath)
			if err != nil {
				logged = err.Error()
			}
			p.err = &DiedError{Name: p.Name, PID: p.PID, State: state, LogPath: p.LogPath, Tail: logged}
		}
		close(p.exited)
	}()
	return nil
}

// await waits for the first answer. The socket is open before, so one request is enough: it waits in the socket's queue.
func (p *Process) await(ctx context.Context, s *Server, key string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout,
		fmt.Errorf("no answer for %v; its log is %s", startTimeout, p.LogPath))
	defer cancel()
	if s.portFile != "" {
		if err := p.awaitPort(ctx, filepath.Join(filepath.Dir(p.LogPath), s.portFile)); err != nil {
			return err
		}
	}
	var err error
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		err = s.answers(ctx, p.Endpoint, key)
	}()
	select {
	case <-answered:
		if err == nil {
			return nil
		}
		// A server that dies breaks the connection first.
		select {
		case <-p.exited:
			return p.err
		case <-time.After(time.Second):
			return errors.Join(context.Cause(ctx), err)
		}
	case <-p.exited:
		cancel()
		<-answered
		return p.err
	}
}

// awaitPort waits for the file in which the server tells the address that it listens at.
func (p *Process) awaitPort(ctx context.Context, file string) error {
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		address, err := os.ReadFile(file)
		if err == nil {
			p.Endpoint = "http://" + strings.TrimSpace(string(address))
			return nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		select {
		case <-again.C:
		case <-p.exited:
			return p.err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Exited is closed when the server has ended, by [Process.Stop] or otherwise.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Err returns nil while the server runs and after it was stopped, and a [*DiedError] after it has died.
func (p *Process) Err() error {
	select {
	case <-p.exited:
		return p.err
	default:
		return nil
	}
}

// stopGrace is how long a server may take to end by itself before it is killed.
const stopGrace = 5 * time.Second

// Stop ends the server and returns when it is gone: by SIGTERM and, when that takes too long or ctx ends, by SIGKILL.
func (p *Process) Stop(ctx context.Context) error {
	p.stopping.Store(true)
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	select {
	case <-p.exited:
		return nil
	case <-grace.C:
	case <-ctx.Done():
	}
	err := p.signal(syscall.SIGKILL)
	<-p.exited
	return err
}

func (p *Process) signal(s syscall.Signal) error {
	if err := p.process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("send %v to %s (pid %d): %w", s, p.Name, p.PID, err)
	}
	return nil
}
