package stack

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"golang.org/x/sync/errgroup"

	"sluice/deploy/local/bridge"
	"sluice/deploy/local/mapping"
	"sluice/deploy/local/servers"
	"sluice/deploy/local/template"
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
			note := ""
			if !strings.HasSuffix(process.Endpoint, fmt.Sprintf(":%d", server.PreferredPort)) {
				note = fmt.Sprintf(" (port %d is taken)", server.PreferredPort)
			}
			s.options.Progress("%s %s answers at %s%s", server.Name, server.Version, process.Endpoint, note)
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
