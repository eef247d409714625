package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"sluice/deploy/local/servers"
)

const stateInterval = 250 * time.Millisecond

// Serve runs a stack until ctx ends or a part of it fails, and keeps its state in the run directory, for [Load], [Up]
// and [Down] in other processes. It returns nil if it was told to end and everything ended well.
func Serve(ctx context.Context, options Options) error {
	options, lock, err := prepare(options)
	if err != nil {
		return err
	}
	err = serve(ctx, options)
	// Last: whoever has the directory next writes its own state.
	return errors.Join(err, giveBackRunDir(lock))
}

func serve(ctx context.Context, options Options) error {
	state := &state{progress: options.Progress, info: Info{
		Version: version(), PID: os.Getpid(), Started: time.Now(), RunDir: options.RunDir, Region: options.Region,
	}}
	state.set(Starting, "")
	options.Progress = func(format string, args ...any) {
		state.progress(format, args...)
		state.set(Starting, fmt.Sprintf(format, args...))
	}
	stack, err := start(ctx, options, state.info.Started)
	if err == nil {
		err = stack.await(ctx, state)
		state.set(Stopping, "")
		err = errors.Join(err, stack.Stop(context.WithoutCancel(ctx)))
	} else if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil // told to end while it started
	}
	if err != nil {
		message := err.Error()
		if stack != nil { // it was ready
			message += "\n" + allIsLost
		}
		state.set(Failed, message)
	} else {
		state.set(Stopped, "")
	}
	return errors.Join(err, state.err)
}

const allIsLost = "The stack ended with it. All that it had is gone: tables, streams, queues with their dead letters, topics and buckets. " +
	`"sluice up" starts an empty one.`

// await keeps the state until ctx ends, and then returns nil, or a part fails.
func (s *Stack) await(ctx context.Context, state *state) error {
	again := time.NewTicker(stateInterval)
	defer again.Stop()
	for {
		state.change(func(i *Info) { *i = s.Info() })
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil
		case err := <-s.Failed():
			return err
		}
	}
}

// state writes the state file. Start reports its steps side by side.
type state struct {
	progress servers.Progress

	mu   sync.Mutex
	info Info
	err  error // of the last write; a disk that is full for a while must not end the stack
}

func (s *state) set(state State, message string) {
	s.change(func(i *Info) { i.State, i.Message, i.Updated = state, message, time.Now() })
}

// change changes and writes the state, and says so once when it can't be written.
func (s *state) change(change func(*Info)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.info)
	before := s.err
	if s.err = writeState(s.info); s.err != nil && before == nil {
		s.progress("the state of this stack can't be written, so \"sluice status\" shows it as unknown: %v", s.err)
	}
}
