package rights

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"sluice/deploy/local/template"
)

// Faults is what is wrong with a role, one line each, in a fixed order.
type Faults []string

// Compare returns what a function's role lacks of the needs that were seen and of fixed, what nothing needs, and what is too wide.
func Compare(r *template.Resources, f template.Function, needs []Need, fixed []Grant) Faults {
	role, err := roleOf(r, f)
	if err != nil {
		return Faults{err.Error()}
	}
	c := comparison{role: role}
	if !slices.Equal(role.Services, []string{"lambda.amazonaws.com"}) {
		c.add(0, "may be assumed by %v; only lambda.amazonaws.com has to", role.Services)
	}
	for _, arn := range role.Managed {
		c.add(0, "has the managed policy %s, whose resources are all of the account: list what it is needed for in Policies, and remove it", arn)
	}
	grants := c.grants()
	used := make([]bool, len(grants))
	allowed := func(by func(grant) bool) (found bool) {
		for i, g := range grants {
			if by(g) {
				found, used[i] = true, true
			}
		}
		return found
	}
	for _, want := range fixed {
		// Some of the documented actions have a wildcard, which others are among.
		if !allowed(func(g grant) bool {
			return g.Resource == want.Resource && g.condition == nil && wildcards(g.Action).MatchString(want.Action)
		}) {
			c.add(0, "lacks %v, which Lambda or a service needs in the function's name: add it", want)
		}
	}
	for _, n := range needs {
		if !allowed(func(g grant) bool { return g.allows(n) }) {
			c.add(0, "lacks %v, which the function calls in %s: add it", n, n.Region)
		}
	}
	for i, g := range grants {
		switch why := g.tooWide(); {
		case slices.Contains(fixed, g.Grant) && g.condition == nil:
			if g.ofKey() && !g.viaService {
				c.add(g.line, "allows %v: add a condition on %s with the services that use the key for the function, so that nobody else can use it with the function's credentials", g, viaService)
			}
		case why != "":
			c.add(g.line, "allows %v: %s", g, why)
		case !used[i] && g.ofLambda():
			c.add(g.line, "allows %v, which neither Lambda nor a service needs in the function's name: remove it", g)
		case !used[i]:
			c.add(g.line, "allows %v, for which no call was seen: remove it, or have the test make the call", g)
		}
	}
	return c.faults()
}

type comparison struct {
	role  template.Role
	found []fault
}

type fault struct {
	line int
	text string
}

// add adds a fault of the statement in a line; 0: of none.
func (c *comparison) add(line int, format string, args ...any) {
	text := fmt.Sprintf("role %s ", c.role.LogicalID) + fmt.Sprintf(format, args...)
	if line > 0 {
		text = fmt.Sprintf("line %d: %s", line, text)
	}
	c.found = append(c.found, fault{line, text})
}

func (c *comparison) faults() Faults {
	slices.SortStableFunc(c.found, func(a, b fault) int { return cmp.Compare(a.line, b.line) })
	var faults Faults
	for _, f := range c.found {
		faults = append(faults, f.text)
	}
	return slices.Compact(faults)
}

// grant is a pair of one of the role's statements.
type grant struct {
	Grant
	line      int
	condition map[string]map[string][]string
	// viaService reports whether only services may use the key, for the function. Then condition is nil.
	viaService bool
}

func (c *comparison) grants() []grant {
	var grants []grant
	for _, s := range c.role.Statements {
		for _, action := range s.Actions {
			for _, resource := range s.Resources {
				g := grant{Grant: Grant{action, resource}, line: s.Line, condition: s.Condition}
				if services := onlyVia(s.Condition); g.ofKey() && services != nil {
					g.condition, g.viaService = nil, !slices.Contains(services, "*")
				}
				grants = append(grants, g.inEach()...)
			}
		}
	}
	return grants
}

// The keys of the conditions that are understood: in which regions calls may be made, and through which services a KMS key may
// be used: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
const (
	requestedRegion = "aws:RequestedRegion"
	viaService      = "kms:ViaService"
)

// onlyVia returns the services of a condition that has viaService and nothing else; nil for any other condition.
func onlyVia(condition map[string]map[string][]string) []string {
	for _, operator := range []string{"StringEquals", "StringLike"} {
		if keys := condition[operator]; len(condition) == 1 && len(keys) == 1 {
			return keys[viaService]
		}
	}
	return nil
}

func (g grant) ofKey() bool { return strings.HasPrefix(g.Action, "kms:") }

// regions returns those that the statement's condition names; nil: it has none.
func (g grant) regions() []string { return g.condition["StringEquals"][requestedRegion] }

// inEach returns a pair for each region, if the condition leaves some of all, so that each has to be needed.
func (g grant) inEach() []grant {
	parts := strings.SplitN(g.Resource, ":", 6)
	if g.tooWide() != "" || len(g.regions()) == 0 || parts[3] != "*" {
		return []grant{g}
	}
	var each []grant
	for _, region := range g.regions() {
		one := g
		parts[3] = region
		one.Resource = strings.Join(parts, ":")
		one.condition = map[string]map[string][]string{"StringEquals": {requestedRegion: {region}}}
		each = append(each, one)
	}
	return each
}

func (g grant) allows(n Need) bool {
	if g.Action != n.Action || g.condition != nil && !slices.Contains(g.regions(), n.Region) {
		return false
	}
	return wildcards(g.Resource).MatchString(n.Resource)
}

// wildcards makes of an action or a resource of a policy what it fits:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
func wildcards(pattern string) *regexp.Regexp {
	text := regexp.QuoteMeta(pattern)
	text = strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(text)
	return regexp.MustCompile("^" + text + "$")
}

// ofLambda tells whether it is none of what code calls.
func (g grant) ofLambda() bool {
	service, _, _ := strings.Cut(g.Action, ":")
	return slices.Contains([]string{"kinesis", "kms", "logs"}, service)
}

// tooWide says what is wider than any call could need; empty: nothing.
func (g grant) tooWide() string {
	if strings.ContainsAny(g.Action, "*?") {
		return "name each action, without a wildcard"
	}
	if g.condition != nil && (len(g.condition) > 1 || len(g.condition["StringEquals"]) > 1 || len(g.regions()) == 0) {
		return fmt.Sprintf("its condition isn't understood here: understood is StringEquals of %s", requestedRegion)
	}
	resource := g.Resource
	switch parts := strings.SplitN(resource, ":", 6); {
	case len(parts) < 6:
		return "name the resource's ARN"
	case parts[2] == "s3": // the keys of objects are the function's own
		resource = strings.TrimSuffix(resource, "/*")
	case parts[3] == "*" && len(g.regions()) > 0:
		resource = strings.Join(slices.Delete(parts, 3, 4), ":")
	}
	if strings.ContainsAny(resource, "*?") {
		return "name the resource, without a wildcard"
	}
	return ""
}
