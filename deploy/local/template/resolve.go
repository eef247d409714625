package template

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// named is a resource with its name and what references to it stand for.
type named struct {
	logicalID  string
	kind       string // AWS::DynamoDB::Table, for instance
	at         position
	properties node
	// deletion and replacement are what becomes of it when the stack is deleted, or it is replaced; empty: it is deleted too.
	deletion, replacement string
	// absent is whether the resource's condition doesn't hold. References to it stand where nobody chooses them.
	absent     bool
	name       string
	ref        string
	attributes map[string]string
}

type resolver struct {
	decoder
	scope      Scope
	parameters map[string]string
	lists      map[string]bool // which of the parameters are lists
	mappings   node
	conditions map[string]bool
	named      map[string]named
}

// The attributes of a resource itself that have no meaning on one machine.
var attributesPassedOver = []string{"DependsOn", "Metadata"}

// name gives every resource its name. Names refer to parameters only, so the order of resources does not matter.
func (r *resolver) name(resources node) {
	for _, p := range r.pairs(resources, "Resources") {
		fields := r.object(p.value, "resource "+p.key, []string{"Type", "Condition", "DeletionPolicy", "Properties", "UpdateReplacePolicy"}, attributesPassedOver)
		kind := r.text(fields.get("Type"), "resource "+p.key+": Type")
		known, ok := resourceTypes[kind]
		if !ok {
			r.add(p.at, "resource %s has Type %q; understood here: %s", p.key, kind, oneOf(slices.Collect(maps.Keys(resourceTypes))))
			continue
		}
		resource := named{logicalID: p.key, kind: kind, at: p.at, properties: fields.get("Properties")}
		resource.deletion = r.optional(fields.get("DeletionPolicy"), p.key+": DeletionPolicy")
		resource.replacement = r.optional(fields.get("UpdateReplacePolicy"), p.key+": UpdateReplacePolicy")
		resource.name = r.scope.StackName + "-" + p.key
		if condition := fields.get("Condition"); condition.kind != null {
			resource.absent = !r.condition(condition)
		}
		if known.global {
			resource.name = strings.ToLower(resource.name) + "-" + r.scope.Region
		}
		if known.fifoProperty != "" && r.resolve(resource.properties.get(known.fifoProperty)).text == "true" {
			resource.name += fifoSuffix
		}
		if explicit := resource.properties.get(known.nameProperty); explicit.kind != null {
			resource.name = r.text(r.resolve(explicit), p.key+": "+known.nameProperty)
		}
		resource.ref, resource.attributes = known.refer(r.scope, resource.name)
		r.named[p.key] = resource
		if known.makesRole && resource.properties.get("Role").kind == null {
			role := named{kind: roleType}
			role.ref, role.attributes = roleReference(r.scope, resource.name+"Role")
			r.named[p.key+"Role"] = role
		}
	}
}

// resolve returns n with every intrinsic function replaced by its value.
func (r *resolver) resolve(n node) node {
	switch n.kind {
	case intrinsic:
		text := ""
		switch argument := n.items[0]; n.text {
		case "Fn::If":
			return r.choose(n)
		case "Fn::Join":
			text = r.joinTexts(n)
		case "Fn::Split":
			return r.split(n)
		case "Fn::Select":
			return r.selectItem(n)
		case "Fn::FindInMap":
			return r.findInMap(n)
		case "Ref":
			if argument.text == "AWS::NoValue" { // takes away the property or the item of a list
				return node{kind: removed, at: n.at}
			}
			if r.lists[argument.text] {
				return textsOf(n.at, r.parameters[argument.text], ",")
			}
			text = r.ref(n, argument)
		case "Fn::GetAtt":
			text = r.getAtt(n, argument)
		case "Fn::Sub":
			text = r.sub(n, argument)
		default:
			r.add(n.at, "%s is not understood here; understood: Fn::FindInMap, Fn::GetAtt, Fn::If, Fn::Join, Fn::Select, Fn::Split, Fn::Sub, Ref", n.text)
		}
		return node{kind: scalar, at: n.at, text: text}
	case list:
		items := make([]node, 0, len(n.items))
		for _, item := range n.items {
			if item = r.resolve(item); item.kind != removed {
				items = append(items, item)
			}
		}
		n.items = items
	case object:
		pairs := make([]pair, 0, len(n.pairs))
		for _, p := range n.pairs {
			if p.value = r.resolve(p.value); p.value.kind != removed {
				pairs = append(pairs, p)
			}
		}
		n.pairs = pairs
	}
	return n
}

func (r *resolver) ref(n, argument node) string {
	if argument.kind != scalar {
		r.add(n.at, "Ref must have a name, not %v", argument.kind)
		return ""
	}
	return r.valueOf(n.at, argument.text)
}

func (r *resolver) valueOf(at position, name string) string {
	switch name {
	case "AWS::Region":
		return r.scope.Region
	case "AWS::AccountId":
		return r.scope.AccountID
	case "AWS::StackName":
		return r.scope.StackName
	case "AWS::Partition":
		return "aws"
	case "AWS::URLSuffix":
		return "amazonaws.com"
	}
	if strings.HasPrefix(name, "AWS::") {
		r.add(at, "%s is not understood here; understood: AWS::AccountId, AWS::Partition, AWS::Region, AWS::StackName, AWS::URLSuffix", name)
		return ""
	}
	if r.lists[name] {
		r.add(at, "%s is a list, which has no place within a text; Fn::Join makes a text of it", name)
	}
	if value, ok := r.parameters[name]; ok {
		return value
	}
	if resource, ok := r.named[name]; ok {
		if resource.ref == "" {
			r.add(at, "a reference to %s (%s) is not understood here", name, resource.kind)
		}
		return resource.ref
	}
	r.add(at, "refers to %s, which is no parameter and no resource of this template", name)
	return ""
}

func (r *resolver) getAtt(n, argument node) string {
	switch {
	case argument.kind == scalar:
		if resource, attribute, ok := strings.Cut(argument.text, "."); ok {
			return r.attribute(n.at, resource, attribute)
		}
	case argument.kind == list && len(argument.items) == 2 && argument.items[0].kind == scalar:
		if attribute := r.resolve(argument.items[1]); attribute.kind == scalar {
			return r.attribute(n.at, argument.items[0].text, attribute.text)
		}
	}
	r.add(n.at, "Fn::GetAtt must have a resource and an attribute: Table.Arn or [Table, Arn]")
	return ""
}

func (r *resolver) attribute(at position, name, attribute string) string {
	resource, ok := r.named[name]
	if !ok {
		r.add(at, "refers to %s, which is no resource of this template", name)
		return ""
	}
	value, ok := resource.attributes[attribute]
	if late := resourceTypes[resource.kind].lateAttributes; late != nil && !ok {
		value, ok = late(name, attribute)
	}
	if !ok {
		r.add(at, "%s of %s (%s) is not understood here; understood: %s", attribute, name, resource.kind,
			oneOf(slices.Collect(maps.Keys(resource.attributes))))
	}
	return value
}

// placeholder is ${Name}, ${Name.Attribute} or, for a literal ${Name}, ${!Name}.
var placeholder = regexp.MustCompile(`\$\{(!?)([^}]*)\}`)

func (r *resolver) sub(n, argument node) string {
	variables := map[string]string{}
	if argument.kind == list && len(argument.items) == 2 {
		for _, p := range r.pairs(argument.items[1], "the variables of Fn::Sub") {
			variables[p.key] = r.resolve(p.value).text
		}
		argument = argument.items[0]
	}
	if argument.kind != scalar {
		r.add(n.at, "Fn::Sub must have a text, or a list of a text and its variables")
		return ""
	}
	return placeholder.ReplaceAllStringFunc(argument.text, func(match string) string {
		parts := placeholder.FindStringSubmatch(match)
		if parts[1] != "" {
			return "${" + parts[2] + "}"
		}
		name := strings.TrimSpace(parts[2])
		if value, ok := variables[name]; ok {
			return value
		}
		if resource, attribute, ok := strings.Cut(name, "."); ok {
			return r.attribute(n.at, resource, attribute)
		}
		return r.valueOf(n.at, name)
	})
}

func (s Scope) arn(service, resource string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, s.Region, s.AccountID, resource)
}
