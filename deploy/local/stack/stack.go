package stack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/gofrs/flock"
	"golang.org/x/sync/errgroup"

	"sluice/deploy/local/bridge"
	"sluice/deploy/local/mapping"
	"sluice/deploy/local/servers"
	"sluice/deploy/local/template"
)

// DefaultRegion is the region of a stack that is not told another.
const DefaultRegion = "us-east-1"

// Options say what to run. Only Root has no default.
type Options struct {
	// Root is the directory of a checkout: its templates and consumers are run.
	Root string
	// RunDir is where logs, binaries and the state are; by default [DefaultRunDir].
	RunDir string
	Region string
	// Progress is told each step; nil says nothing.
	Progress servers.Progress
	Chaos    Chaos
}

// Chaos is what a stack does to itself. The zero value does nothing.
type Chaos struct {
	Misbehave bridge.Misbehaviour
	// Kill is the share of invocations during which the function is killed.
	Kill float64
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
	plan      *plan
	endpoints Endpoints
	servers   []*servers.Process
	logs      map[string]string
	logFiles  []*os.File
	bridge    *bridge.Bridge
	mappings  map[string]*mapping.Mapping

	// The parts that run in this process, in the order in which they are stopped.
	consuming, carrying part

	failed   chan error
	failOnce sync.Once
	stopOnce sync.Once
	stopErr  error
	watchers sync.WaitGroup
}

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

// prepare fills in the defaults and takes the run directory.
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
	if options.Region == "" {
		options.Region = DefaultRegion
	}
	if options.Progress == nil {
		options.Progress = func(string, ...any) {}
	}
	lock, err := takeRunDir(options.RunDir)
	return options, lock, err
}

// start is Start with the run directory taken.
func start(ctx context.Context, options Options, now time.Time) (_ *Stack, err error) {
	s := &Stack{
		options: options, started: now,
		logs: map[string]string{}, mappings: map[string]*mapping.Mapping{},
		failed: make(chan error, 1),
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
	if s.plan, err = readPlan(options.Root, options.Region, ""); err != nil {
		return nil, err
	}
	needed := []*servers.Server{servers.DynamoDBLocal, servers.Ministack}
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
	if s.plan, err = readPlan(options.Root, options.Region, s.endpoints.AWS); err != nil {
		return nil, err
	}
	options.Progress("creating tables, streams, queues and buckets")
	clients := s.clients()
	for _, resources := range s.plan.all() {
		if err := clients.create(ctx, resources); err != nil {
			return nil, err
		}
	}
	if err := s.startParts(clients); err != nil {
		return nil, err
	}
	options.Progress("the pipeline runs: %d table(s), %d consumer(s)", len(s.tables()), len(s.plan.consumers))
	return s, nil
}

// startServers starts the servers and builds the consumers, side by side.
func (s *Stack) startServers(ctx context.Context, needed []*servers.Server) error {
	s.options.Progress("starting the servers and building the consumers")
	s.servers = make([]*servers.Process, len(needed))
	group, starting := errgroup.WithContext(ctx)
	for i, server := range needed {
		group.Go(func() error {
			process, err := server.Start(starting, s.options.RunDir, server.PreferredPort)
			if err != nil {
				return err
			}
			s.servers[i] = process
			s.watch(process)
			s.options.Progress("%s %s answers at %s", server.Name, server.Version, process.Endpoint)
			return nil
		})
	}
	for _, c := range s.plan.consumers {
		group.Go(func() error {
			begun := time.Now()
			if err := c.build(starting, s.binary(c)); err != nil {
				return err
			}
			s.options.Progress("built consumer %s in %.1f s", c.name, time.Since(begun).Seconds())
			return nil
		})
	}
	err := group.Wait()
	if err == nil {
		s.endpoints = Endpoints{DynamoDB: s.servers[0].Endpoint, AWS: s.servers[1].Endpoint}
	}
	return err
}

func (s *Stack) binary(c consumerPlan) string {
	return filepath.Join(s.options.RunDir, "functions", c.name, "bootstrap")
}

// watch reports a server that dies.
func (s *Stack) watch(process *servers.Process) {
	s.watchers.Go(func() {
		<-process.Exited()
		if err := process.Err(); err != nil {
			s.fail(err)
		}
	})
}

func (s *Stack) clients() clients {
	info := Info{Region: s.options.Region, Endpoints: s.endpoints}
	return clients{
		dynamoDB: dynamodb.NewFromConfig(info.DynamoDB()),
		kinesis:  kinesis.NewFromConfig(info.AWS()),
		sqs:      sqs.NewFromConfig(info.AWS()),
		s3:       s3.NewFromConfig(info.AWS()),
		region:   s.options.Region,
	}
}

// startParts starts bridge and mappings.
func (s *Stack) startParts(clients clients) error {
	log, err := s.openLog("stack")
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(log, nil))
	info := Info{Region: s.options.Region, Endpoints: s.endpoints}

	var tables []bridge.Table
	for _, t := range s.tables() {
		stream, err := s.plan.streamName(t.Changes.StreamARN)
		if err != nil {
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
		tables = append(tables, bridge.Table{Name: t.Name, StreamName: stream, Precision: bridge.Precision(t.Changes.Precision)})
	}
	s.bridge, err = bridge.New(bridge.Config{
		Streams:   dynamodbstreams.NewFromConfig(info.DynamoDB()),
		DynamoDB:  clients.dynamoDB,
		Kinesis:   clients.kinesis,
		Tables:    tables,
		Region:    s.options.Region,
		Misbehave: s.options.Chaos.Misbehave,
		Seed:      s.options.Chaos.Seed,
		Log:       logger.With("part", "bridge"),
	})
	if err != nil {
		return err
	}
	for _, c := range s.plan.consumers {
		output, err := s.openLog(c.name)
		if err != nil {
			return err
		}
		s.mappings[c.name], err = mapping.New(mapping.Config{
			Name:        c.name,
			Binary:      s.binary(c),
			Env:         c.environment(info),
			Settings:    c.mapping,
			Timeout:     c.function.Timeout,
			MemoryMB:    c.function.MemoryMB,
			FunctionARN: c.function.ARN,
			StreamARN:   c.mapping.Stream,
			Kinesis:     clients.kinesis,
			SQS:         clients.sqs,
			S3:          clients.s3,
			Chaos:       mapping.Chaos{Kill: s.options.Chaos.Kill, Seed: s.options.Chaos.Seed},
			Output:      output,
			Log:         logger.With("part", "mapping", "consumer", c.name),
		})
		if err != nil {
			return fmt.Errorf("consumer %s: %w", c.name, err)
		}
	}
	for name, m := range s.mappings {
		s.run(&s.consuming, "mapping of consumer "+name, m.Run)
	}
	s.run(&s.carrying, "bridge", s.bridge.Run)
	return nil
}

// tables returns the tables whose changes are carried.
func (s *Stack) tables() []template.Table {
	var tables []template.Table
	for _, resources := range s.plan.all() {
		for _, table := range resources.Tables {
			if table.Changes != nil {
				tables = append(tables, table)
			}
		}
	}
	return tables
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
	path := filepath.Join(s.options.RunDir, name+".log")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	s.logs[name] = path
	s.logFiles = append(s.logFiles, file)
	return file, nil
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

// Failed gives the first failure of a part of the stack, as soon as it is known; bridge and mappings are then
// told to end. The caller calls [Stack.Stop].
func (s *Stack) Failed() <-chan error { return s.failed }

// Stop ends everything, in the order of the data: the functions, the bridge, the servers. It returns when
// all is gone. If ctx ends, servers are killed. A second call waits for the first and returns what it returned.
func (s *Stack) Stop(ctx context.Context) error {
	s.stopOnce.Do(func() {
		s.consuming.stop()
		s.carrying.stop()
		var errs []error
		var stopping sync.WaitGroup
		results := make(chan error, len(s.servers))
		for _, process := range s.servers {
			if process != nil {
				stopping.Go(func() { results <- process.Stop(ctx) })
			}
		}
		stopping.Wait()
		close(results)
		for err := range results {
			errs = append(errs, err)
		}
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
	carried := s.bridge.Stats()
	info := Info{
		State:     Ready,
		Version:   version(),
		PID:       os.Getpid(),
		Started:   s.started,
		Updated:   time.Now(),
		RunDir:    s.options.RunDir,
		Region:    s.options.Region,
		Endpoints: s.endpoints,
		Outputs:   s.plan.outputs(),
		Logs:      s.logs,
		Bridge:    &carried,
		Mappings:  map[string]mapping.Stats{},
	}
	for _, process := range s.servers {
		info.Processes = append(info.Processes, Process{
			Name: process.Name, PID: process.PID, Endpoint: process.Endpoint, Log: process.LogPath,
		})
	}
	// After the bridge: what it has written, a consumer may have read by now, and [Info.Drained] compares the two.
	for name, m := range s.mappings {
		info.Mappings[name] = m.Stats()
	}
	return info
}
