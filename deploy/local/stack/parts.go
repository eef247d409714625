package stack

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/deploy/local/servers"
)

// part is a set of goroutines that are stopped together.
type part struct {
	ctx    context.Context
	cancel context.CancelFunc
	all    sync.WaitGroup
}

func (p *part) stop() {
	p.cancel()
	p.all.Wait()
}

func (s *Stack) startServers(ctx context.Context, needed []*servers.Server) error {
	s.options.Progress("starting the servers and building the consumers")
	s.mu.Lock()
	s.servers = make([]*servers.Process, len(needed))
	s.mu.Unlock()
	group, starting := errgroup.WithContext(ctx)
	for i, server := range needed {
		group.Go(func() error {
			// Tables begin empty, so everything else has to.
			if err := server.Clear(s.options.RunDir); err != nil {
				return err
			}
			process, err := server.StartFor(starting, s.options.RunDir, server.PreferredPort, s.key)
			if err != nil {
				return err
			}
			s.mu.Lock()
			s.servers[i] = process
			s.mu.Unlock()
			s.watch(i, server, process)
			note := ""
			if !strings.HasSuffix(process.Endpoint, fmt.Sprintf(":%d", server.PreferredPort)) {
				note = fmt.Sprintf(" (port %d is taken)", server.PreferredPort)
			}
			s.options.Progress("%s %s answers at %s%s", server.Name, server.Version, process.Endpoint, note)
			return nil
		})
	}
	group.Go(func() error { return s.buildConsumers(starting) })
	err := group.Wait()
	if err == nil {
		for i, process := range s.running() {
			s.endpoints.set(needed[i], process.Endpoint)
		}
	}
	return err
}

// buildConsumers builds one consumer after the other: they have most packages in common, which go build then makes once.
func (s *Stack) buildConsumers(ctx context.Context) error {
	for _, c := range s.plans.regions[0].consumers { // which has all of them
		begun := time.Now()
		if err := c.build(ctx, s.options.Root, s.binary(c)); err != nil {
			return err
		}
		s.options.Progress("built consumer %s in %.1f s", c.name, time.Since(begun).Seconds())
	}
	return nil
}

func (s *Stack) binary(c consumerPlan) string {
	return filepath.Join(s.options.RunDir, "functions", c.name, "bootstrap")
}

// run runs a part's goroutine; one that ends before it is told to has failed.
func (s *Stack) run(p *part, name string, run func(context.Context) error) {
	p.all.Go(func() {
		err := run(p.ctx)
		switch {
		case err != nil:
			s.fail(fmt.Errorf("%s: %w", name, err))
		case p.ctx.Err() == nil:
			s.fail(fmt.Errorf("%s ended by itself", name))
		}
	})
}

func (s *Stack) openLog(name string) (*os.File, error) {
	path := filepath.Join(s.options.RunDir, strings.ReplaceAll(name, " ", "-")+".log")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	s.logs[name] = path
	s.logFiles = append(s.logFiles, file)
	return file, nil
}
