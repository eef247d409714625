package stack

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strconv"

	"sluice/deploy/local/servers"
)

// maxRestarts is how often a server that died is started again. One that dies more often has a reason.
const maxRestarts = 3

// watch starts a server that died again if it keeps its data on disk, and reports the death of any other: what it had is lost.
func (s *Stack) watch(i int, server *servers.Server, process *servers.Process) {
	s.watchers.Go(func() {
		for restarts := 1; ; restarts++ {
			<-process.Exited()
			died := process.Err()
			if died == nil {
				return // it was stopped
			}
			if !server.KeepsData() || restarts > maxRestarts {
				s.fail(died)
				return
			}
			again, err := s.restart(server, process)
			if err != nil {
				s.fail(errors.Join(died, err))
				return
			}
			if !s.replace(i, again, restarts) {
				return // the stack has been stopped meanwhile
			}
			process = again
		}
	})
}

// restart starts a server that died again, at the port that everybody knows.
func (s *Stack) restart(server *servers.Server, died *servers.Process) (*servers.Process, error) {
	if err := os.Rename(died.LogPath, died.LogPath+".died"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	endpoint, err := url.Parse(died.Endpoint)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(endpoint.Port())
	if err != nil {
		return nil, err
	}
	process, err := server.StartFor(s.carrying.ctx, s.options.RunDir, port, s.key)
	if err != nil {
		return nil, fmt.Errorf("start it again: %w", err)
	}
	if process.Endpoint != died.Endpoint {
		err := fmt.Errorf("start it again: its port %d is another program's by now", port)
		return nil, errors.Join(err, process.Stop(s.carrying.ctx))
	}
	return process, nil
}

// replace puts a process in the place of the one that died, and reports whether the stack still runs. If not, it stops the process.
func (s *Stack) replace(i int, process *servers.Process, restarts int) bool {
	s.mu.Lock()
	stopped := s.stopped
	if !stopped {
		s.servers[i] = process
		s.restarts[process.Name] = restarts
	}
	s.mu.Unlock()
	if stopped {
		_ = process.Stop(s.carrying.ctx) // the stack's end doesn't wait for it
	}
	return !stopped
}

// running returns the servers' processes; some may be nil while the stack starts.
func (s *Stack) running() []*servers.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*servers.Process(nil), s.servers...)
}
