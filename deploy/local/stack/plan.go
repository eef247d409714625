package stack

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"sluice/deploy/local/servers"
	"sluice/deploy/local/template"
	"sluice/shared/operate"
)

// plan is what the templates of a checkout ask for in one region.
type plan struct {
	region    string
	templates []resolved // of deploy, then of the consumers
	consumers []consumerPlan
}

// resolved is a template of deploy or of a consumer.
type resolved struct {
	name string
	*template.Resources
}

type consumerPlan struct {
	resolved
	dir      string // of its template
	function template.Function
	mapping  template.KinesisMapping
	regions  []string // in which it is deployed
	searches bool     // whether it needs OpenSearch
}

// plans are what the templates of a checkout ask for in all regions.
type plans struct {
	regions []*plan // the home region's first, the further ones by name
	// replicas are what a consumer needs in the regions that it writes copies to.
	replicas []replica
}

// replica is what a region with copies needs.
type replica struct {
	region    string
	resources *template.Resources
}

// searchParameter is a parameter of consumers that need OpenSearch: its URL.
const searchParameter = "SearchEndpoint"

// What a consumer's template says with its outputs about where it is deployed.
const (
	// sharedRegions lists the regions, home among them, in each of which it is deployed with the whole of deploy.
	sharedRegions = "SharedRegions"
	// replicaRegions lists the regions in each of which the destination.yaml beside it is deployed.
	replicaRegions = "ReplicaRegions"
)

// readPlans resolves deploy/*.yaml and consumers/*/template.yaml for the home region, again for each region that a consumer's output
// SharedRegions names, and the destination.yaml beside a consumer for each region of its output ReplicaRegions. A parameter with the name of an
// output of deploy gets its value, of the same region, and one that asks for OpenSearch gets the local one. If only names consumers,
// the others are left out.
func readPlans(root, home string, endpoints Endpoints, only []string) (*plans, error) {
	scope := template.Scope{StackName: "sluice", Region: home, AccountID: accountID, QueueEndpoint: endpoints.AWS}
	first, err := readPlan(root, scope, endpoints, home, only)
	if err != nil {
		return nil, err
	}
	for _, name := range only {
		if !slices.ContainsFunc(first.consumers, func(c consumerPlan) bool { return c.name == name }) {
			return nil, fmt.Errorf("there is no consumer %q, since there is no file %s", name, filepath.Join(root, "consumers", name, "template.yaml"))
		}
	}
	all := &plans{regions: []*plan{first}}
	further := map[string]bool{}
	for _, c := range first.consumers {
		for _, region := range c.regions {
			further[region] = true
		}
		if listed := c.Outputs[replicaRegions]; listed != "" {
			// Two settings may name the same region.
			for _, region := range operate.Distinct(strings.Split(listed, ",")) {
				if err := all.readReplica(c.dir, region, scope, c.Outputs); err != nil {
					return nil, err
				}
			}
		}
	}
	delete(further, home)
	for _, region := range slices.Sorted(maps.Keys(further)) {
		scope.Region = region
		p, err := readPlan(root, scope, endpoints, home, only)
		if err != nil {
			return nil, fmt.Errorf("region %s: %w", region, err)
		}
		all.regions = append(all.regions, p)
	}
	return all, nil
}

// findRegions reads in which regions the consumer is deployed.
func (c *consumerPlan) findRegions(home string) error {
	listed, ok := c.Outputs[sharedRegions]
	if !ok {
		listed = home
	}
	c.regions = strings.Split(listed, ",")
	if !slices.Contains(c.regions, home) {
		return fmt.Errorf("consumer %s: its output %s is %q, which has not the region where this stack runs, %s; write each region as AWS does, with nothing but a comma between two",
			c.name, sharedRegions, listed, home)
	}
	if slices.Contains(c.regions, "") {
		return fmt.Errorf("consumer %s: its output %s is %q, which names a region that is empty", c.name, sharedRegions, listed)
	}
	return nil
}

// readPlan resolves the templates of deploy, and of the consumers that are deployed in the scope's region.
func readPlan(root string, scope template.Scope, endpoints Endpoints, home string, only []string) (*plan, error) {
	p := &plan{region: scope.Region}
	outputs, err := p.readShared(root, scope)
	if err != nil {
		return nil, err
	}
	// A template may want a URL, which is known only once the server runs.
	outputs[searchParameter], outputs["SearchAuth"] = cmp.Or(endpoints.OpenSearch, "http://127.0.0.1"), "none"
	paths, err := filepath.Glob(filepath.Join(root, "consumers", "*", "template.yaml"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		consumer, err := readConsumer(path, scope, outputs)
		if err != nil {
			return nil, err
		}
		if len(only) > 0 && !slices.Contains(only, consumer.name) {
			continue
		}
		if err := consumer.findRegions(home); err != nil {
			return nil, err
		}
		if slices.Contains(consumer.regions, scope.Region) {
			p.consumers = append(p.consumers, consumer)
			p.templates = append(p.templates, consumer.resolved)
		}
	}
	return p, nil
}

// readShared resolves the templates of deploy, each after those whose outputs it takes, and returns all outputs.
func (p *plan) readShared(root string, scope template.Scope) (map[string]string, error) {
	paths, err := filepath.Glob(filepath.Join(root, "deploy", "*.yaml"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s is no checkout of Sluice: it has no deploy/*.yaml", root)
	}
	var waiting []*template.Template
	origin := map[string]*template.Template{} // of each output
	for _, path := range paths {
		read, err := template.Read(path)
		if err != nil {
			return nil, err
		}
		for _, name := range read.OutputNames() {
			if other := origin[name]; other != nil {
				return nil, fmt.Errorf("%s and %s both have an output %s, so which one a parameter of that name gets is not clear", other.Path, path, name)
			}
			origin[name] = read
		}
		waiting = append(waiting, read)
	}
	outputs := map[string]string{}
	for len(waiting) > 0 {
		// The first that takes nothing from those that wait too.
		next := slices.IndexFunc(waiting, func(t *template.Template) bool {
			return !slices.ContainsFunc(t.Parameters, func(parameter template.Parameter) bool {
				from := origin[parameter.Name]
				return from != t && slices.Contains(waiting, from)
			})
		})
		if next < 0 {
			return nil, fmt.Errorf("%s and others take outputs of one another", waiting[0].Path)
		}
		t := waiting[next]
		waiting = slices.Delete(waiting, next, next+1)
		shared := resolved{name: strings.TrimSuffix(filepath.Base(t.Path), ".yaml")}
		scope := scope
		scope.StackName += "-" + shared.name
		scope.Parameters = choose(t.Parameters, outputs)
		maps.Copy(scope.Parameters, t.MakesTables())
		if shared.Resources, err = t.Resolve(scope); err != nil {
			return nil, err
		}
		if len(shared.Functions) > 0 {
			return nil, fmt.Errorf("%s has a function; a consumer has a directory of its own in consumers", t.Path)
		}
		maps.Copy(outputs, shared.Outputs)
		p.templates = append(p.templates, shared)
	}
	return outputs, nil
}

func choose(parameters []template.Parameter, outputs map[string]string) map[string]string {
	chosen := map[string]string{}
	for _, parameter := range parameters {
		if value, ok := outputs[parameter.Name]; ok {
			chosen[parameter.Name] = value
		}
	}
	return chosen
}

// readReplica reads what the consumer in dir, which has these outputs, needs in another region.
func (p *plans) readReplica(dir, region string, scope template.Scope, outputs map[string]string) error {
	read, err := template.Read(filepath.Join(dir, "destination.yaml"))
	if err != nil {
		return err
	}
	scope.Region = region
	scope.StackName += "-replica"
	scope.Parameters = choose(read.Parameters, outputs)
	resources, err := read.Resolve(scope)
	p.replicas = append(p.replicas, replica{region, resources})
	return err
}

func readConsumer(path string, scope template.Scope, outputs map[string]string) (consumerPlan, error) {
	c := consumerPlan{dir: filepath.Dir(path), resolved: resolved{name: filepath.Base(filepath.Dir(path))}}
	read, err := template.Read(path)
	if err != nil {
		return c, err
	}
	c.searches = slices.ContainsFunc(read.Parameters, func(p template.Parameter) bool { return p.Name == searchParameter })
	scope.StackName += "-" + c.name
	scope.Parameters = choose(read.Parameters, outputs)
	if c.Resources, err = read.Resolve(scope); err != nil {
		return c, err
	}
	if n := len(c.Functions); n != 1 {
		return c, fmt.Errorf("%s has %d functions; a consumer is one function", path, n)
	}
	c.function = c.Functions[0]
	if n := len(c.function.Mappings); n != 1 {
		return c, fmt.Errorf("%s: function %s has %d events of type Kinesis; a consumer has one", path, c.function.LogicalID, n)
	}
	c.mapping = c.function.Mappings[0]
	return c, nil
}

func (p *plans) servers() []*servers.Server {
	needed := []*servers.Server{servers.DynamoDBLocal, servers.Ministack}
	if slices.ContainsFunc(p.regions[0].consumers, func(c consumerPlan) bool { return c.searches }) {
		needed = append(needed, servers.OpenSearch)
	}
	return needed
}

func (p *plan) outputs() map[string]map[string]string {
	outputs := map[string]map[string]string{}
	for _, t := range p.templates {
		outputs[t.name] = t.Outputs
	}
	return outputs
}

func (p *plan) streamName(arn string) (string, error) {
	for _, t := range p.templates {
		for _, stream := range t.Streams {
			if stream.ARN == arn {
				return stream.Name, nil
			}
		}
	}
	return "", fmt.Errorf("no template has the stream %s", arn)
}
