package stack

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"sluice/deploy/local/bridge"
	"sluice/deploy/local/mapping"
	"sluice/deploy/local/servers"
)

// DefaultRegion is the region of a stack that is not told another.
const DefaultRegion = "us-east-1"

// Options say what to run. Only Root has no default.
type Options struct {
	Root      string   // the directory of a checkout: its templates and consumers are run
	Consumers []string // that run; none stands for every one of the checkout
	RunDir    string   // where logs, binaries and the state are; by default [DefaultRunDir]
	Region    string
	Progress  servers.Progress // told each step; nil says nothing
	Chaos     Chaos
}

// Chaos is what a stack does to itself. The zero value does nothing.
type Chaos struct {
	Misbehave bridge.Misbehaviour
	Kill      float64 // the share of invocations during which the function is killed
	// Seed decides what misbehaves when.
	Seed uint64
}

// DefaultRunDir is the run directory of a stack that is not told another: one for each user.
func DefaultRunDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "sluice", "run"), nil
}

// Stack is a running pipeline. Its methods may be called side by side.
type Stack struct {
	options Options
	lock    *flock.Flock // given back by Stop; nil if the run directory is the caller's
	started time.Time

	// Set by start, then constant.
	plans     *plans
	endpoints Endpoints
	servers   []*servers.Process
	logs      map[string]string
	logFiles  []*os.File
	regions   []*region // the home region first

	key    string          // the access key of whoever may use this stack's streams, queues, topics and buckets
	memory *mapping.Memory // of all mappings together

	// The parts that run in this process, in the order in which they are stopped.
	consuming, carrying part

	mu       sync.Mutex     // guards servers, stopped and restarts once they run
	stopped  bool           // no server is started any more
	restarts map[string]int // of servers that died, by name

	failed   chan error
	failOnce sync.Once
	stopOnce sync.Once
	stopErr  error
	watchers sync.WaitGroup
}

// Start runs the pipeline and returns once a change of a table is on its way to every consumer as soon as it is
// made. ctx bounds the start alone. If the start fails, all that it began is stopped.
//
// It returns a [*servers.MissingToolsError] if tools are missing on the machine, a [*servers.DiedError] for a server
// that died, faults of type [*template.Error] for templates, and [ErrRunning] if the run directory is taken.
func Start(ctx context.Context, options Options) (*Stack, error) {
	options, lock, err := prepare(options)
	if err != nil {
		return nil, err
	}
	s, err := start(ctx, options, time.Now())
	if err != nil {
		return nil, errors.Join(err, giveBackRunDir(lock))
	}
	s.lock = lock
	return s, nil
}

func prepare(options Options) (Options, *flock.Flock, error) {
	if options.RunDir == "" {
		dir, err := DefaultRunDir()
		if err != nil {
			return options, nil, err
		}
		options.RunDir = dir
	}
	var err error
	if options.RunDir, err = filepath.Abs(options.RunDir); err != nil {
		return options, nil, err
	}
	options.Region = cmp.Or(options.Region, DefaultRegion)
	if options.Progress == nil {
		options.Progress = func(string, ...any) {}
	}
	lock, err := takeRunDir(options.RunDir)
	return options, lock, err
}

// start is Start with the run directory taken.
func start(ctx context.Context, options Options, now time.Time) (_ *Stack, err error) {
	s := &Stack{
		options: options, started: now, logs: map[string]string{}, failed: make(chan error, 1), restarts: map[string]int{},
		key:    "SLUICE" + rand.Text(),
		memory: mapping.NewMemory(mapping.DefaultMemory),
	}
	for _, p := range []*part{&s.consuming, &s.carrying} {
		p.ctx, p.cancel = context.WithCancel(context.Background())
	}
	defer func() {
		if err == nil {
			return
		}
		// A server that died is why the rest fails.
		select {
		case died := <-s.failed:
			err = died
		default:
		}
		err = errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}()
	// Before any server: a fault in a template or a missing tool is told at once.
	if s.plans, err = readPlans(options.Root, options.Region, Endpoints{}, options.Consumers); err != nil {
		return nil, err
	}
	needed := s.plans.servers()
	if err := servers.Check(ctx, needed...); err != nil {
		return nil, err
	}
	if err := servers.Install(ctx, options.Progress, needed...); err != nil {
		return nil, err
	}
	if err := s.startServers(ctx, needed); err != nil {
		return nil, err
	}
	// Again, now that it is known where queues are.
	if s.plans, err = readPlans(options.Root, options.Region, s.endpoints, options.Consumers); err != nil {
		return nil, err
	}
	options.Progress("creating tables, streams, queues, topics and buckets")
	if err := s.create(ctx); err != nil {
		return nil, err
	}
	if err := s.startParts(); err != nil {
		return nil, err
	}
	if err := writeSources(options.RunDir, options.Root); err != nil {
		return nil, err
	}
	options.Progress("the pipeline runs: %s", s.describe())
	return s, nil
}

func (s *Stack) create(ctx context.Context) error {
	for _, p := range s.plans.regions {
		r := s.newRegion(p)
		s.regions = append(s.regions, r)
		for _, t := range p.templates {
			if err := r.clients.Create(ctx, t.Resources); err != nil {
				return fmt.Errorf("%s: %w", p.region, err)
			}
		}
	}
	for _, r := range s.plans.replicas {
		if err := s.clientsIn(r.region).Create(ctx, r.resources); err != nil {
			return fmt.Errorf("%s, a region with copies: %w", r.region, err)
		}
	}
	return nil
}

func (s *Stack) startParts() error {
	log, err := s.openLog("stack")
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(log, nil))
	for _, r := range s.regions {
		if err := s.makeParts(r, logger); err != nil {
			return err
		}
	}
	for _, r := range s.regions {
		s.runParts(r)
	}
	return nil
}

func (s *Stack) describe() string {
	var parts []string
	for _, r := range s.regions {
		parts = append(parts, r.of(fmt.Sprintf("%d table(s), %d consumer(s)", len(r.tables()), len(r.plan.consumers))))
	}
	return strings.Join(parts, "; ")
}

// fail reports the first failure. The failures that follow from it are not told.
func (s *Stack) fail(err error) {
	s.failOnce.Do(func() {
		s.failed <- err
		// What still runs would only fail, slowly and in the log.
		s.consuming.cancel()
		s.carrying.cancel()
	})
}

// Failed gives the first failure of a part of the stack; bridge and mappings then end. The caller calls [Stack.Stop].
func (s *Stack) Failed() <-chan error { return s.failed }

// Stop ends everything, in the order of the data: the functions, the bridge, the servers. It returns when
// all is gone. If ctx ends, servers are killed. A second call waits for the first and returns what it returned.
func (s *Stack) Stop(ctx context.Context) error {
	s.stopOnce.Do(func() {
		s.consuming.stop()
		s.carrying.stop()
		s.mu.Lock()
		s.stopped = true
		s.mu.Unlock()
		running := s.running()
		errs := make([]error, len(running))
		var stopping sync.WaitGroup
		for i, process := range running {
			if process != nil {
				stopping.Go(func() { errs[i] = process.Stop(ctx) })
			}
		}
		stopping.Wait()
		s.watchers.Wait()
		for _, file := range s.logFiles {
			errs = append(errs, file.Close())
		}
		if s.lock != nil {
			errs = append(errs, giveBackRunDir(s.lock))
		}
		s.stopErr = errors.Join(errs...)
	})
	return s.stopErr
}

// Info returns how the stack stands now.
func (s *Stack) Info() Info {
	info := Info{
		State:     Ready,
		Version:   version(),
		PID:       os.Getpid(),
		Started:   s.started,
		RunDir:    s.options.RunDir,
		Root:      s.options.Root,
		Consumers: s.options.Consumers,
		Region:    s.options.Region,
		Endpoints: s.endpoints,
		AccessKey: s.key,
		Logs:      s.logs,
		Parts:     s.regions[0].parts(),
	}
	for _, r := range s.regions[1:] {
		if info.Further == nil {
			info.Further = map[string]Parts{}
		}
		info.Further[r.plan.region] = r.parts()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, process := range s.servers {
		info.Processes = append(info.Processes, Process{
			Name: process.Name, PID: process.PID, Endpoint: process.Endpoint, Log: process.LogPath, Restarts: s.restarts[process.Name],
		})
	}
	info.Updated = time.Now()
	return info
}
