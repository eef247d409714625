package stack

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"sluice/deploy/local/bridge"
	"sluice/deploy/local/mapping"
	"sluice/deploy/local/provision"
	"sluice/deploy/local/template"
)

// region is what runs in one region. All regions share the servers, which keep them apart by the region of a call's signature.
type region struct {
	plan    *plan
	clients provision.Clients
	further bool // it isn't the home region

	bridge    *bridge.Bridge
	functions map[string]Function         // by consumer
	mappings  map[string]*mapping.Mapping // by consumer
	streams   map[string]string           // that the mappings read, by consumer
	lags      map[string]*lagMeter        // by consumer
}

func (s *Stack) newRegion(p *plan) *region {
	return &region{
		plan: p, clients: s.clientsIn(p.region), further: p.region != s.options.Region,
		functions: map[string]Function{}, mappings: map[string]*mapping.Mapping{}, streams: map[string]string{}, lags: map[string]*lagMeter{},
	}
}

func (s *Stack) clientsIn(region string) provision.Clients {
	return provision.NewClients(config(region, s.endpoints.DynamoDB, s.key), config(region, s.endpoints.AWS, s.key))
}

// of names a part of the region for people: bare in the home region, which may be the only one.
func (r *region) of(part string) string {
	if !r.further {
		return part
	}
	return part + " in " + r.plan.region
}

func (s *Stack) makeParts(r *region, log *slog.Logger) error {
	log = log.With("region", r.plan.region)
	if err := s.makeBridge(r, log); err != nil {
		return err
	}
	for _, c := range r.plan.consumers {
		if err := s.makeMapping(r, c, log); err != nil {
			return fmt.Errorf("consumer %s: %w", r.of(c.name), err)
		}
	}
	return nil
}

func (s *Stack) makeBridge(r *region, log *slog.Logger) error {
	var tables []bridge.Table
	for _, t := range r.tables() {
		stream, err := r.plan.streamName(t.Changes.StreamARN)
		if err != nil {
			return fmt.Errorf("table %s: %w", r.of(t.Name), err)
		}
		tables = append(tables, bridge.Table{Name: t.Name, StreamName: stream, Precision: bridge.Precision(t.Changes.Precision)})
	}
	if len(tables) == 0 {
		return errors.New("no template in deploy has a table whose changes go into a stream: declare one with sluice new table")
	}
	var err error
	r.bridge, err = bridge.New(bridge.Config{
		Streams:   dynamodbstreams.NewFromConfig(config(r.plan.region, s.endpoints.DynamoDB, s.key)),
		DynamoDB:  r.clients.DynamoDB,
		Kinesis:   r.clients.Kinesis,
		Tables:    tables,
		Region:    r.plan.region,
		Misbehave: s.options.Chaos.Misbehave,
		Seed:      s.options.Chaos.Seed,
		Log:       log.With("part", "bridge"),
	})
	return err
}

func (s *Stack) makeMapping(r *region, c consumerPlan, log *slog.Logger) error {
	var err error
	if r.streams[c.name], err = r.plan.streamName(c.mapping.Stream); err != nil {
		return err
	}
	output, err := s.openLog(r.of(c.name))
	if err != nil {
		return err
	}
	r.lags[c.name] = &lagMeter{Writer: output}
	f := Function{
		Binary: s.binary(c), Source: c.function.CodeDir, ARN: c.function.ARN, Env: c.environment(r.plan.region, s.endpoints, s.key),
		Timeout: c.function.Timeout, MemoryMB: c.function.MemoryMB, StreamARN: c.mapping.Stream,
	}
	r.functions[c.name] = f
	run := f.Config(c.name)
	run.Output = r.lags[c.name]
	r.mappings[c.name], err = mapping.New(mapping.Config{
		Function: run,
		Settings: c.mapping,
		Kinesis:  r.clients.Kinesis,
		SQS:      r.clients.SQS,
		S3:       r.clients.S3,
		Memory:   s.memory,
		Chaos:    mapping.Chaos{Kill: s.options.Chaos.Kill, Seed: s.options.Chaos.Seed},
		Log:      log.With("part", "mapping", "consumer", c.name),
	})
	return err
}

func (s *Stack) runParts(r *region) {
	for name, m := range r.mappings {
		s.run(&s.consuming, "mapping of consumer "+r.of(name), m.Run)
	}
	s.run(&s.carrying, r.of("bridge"), r.bridge.Run)
}

func (r *region) tables() []template.Table {
	var tables []template.Table
	for _, t := range r.plan.templates {
		for _, table := range t.Tables {
			if table.Changes != nil {
				tables = append(tables, table)
			}
		}
	}
	return tables
}

func (r *region) parts() Parts {
	carried := r.bridge.Stats()
	p := Parts{Outputs: r.plan.outputs(), Bridge: &carried, Functions: r.functions, Mappings: map[string]mapping.Stats{}, Lags: map[string]Lag{}}
	for name, m := range r.mappings {
		p.Mappings[name] = m.Stats()
		if lag := r.lags[name].last.Load(); lag != nil {
			p.Lags[name] = *lag
		}
	}
	return p
}
