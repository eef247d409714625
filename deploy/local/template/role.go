package template

// Role is an AWS::IAM::Role: what a function may do.
type Role struct {
	LogicalID string
	ARN       string
	// Services may assume the role, such as lambda.amazonaws.com.
	Services   []string
	Statements []Statement // those of all its own policies
	Managed    []string    // the ARNs of the policies that somebody else keeps
}

// Statement is one statement of a policy that allows something.
type Statement struct {
	Line      int // of the template
	Actions   []string
	Resources []string
	Condition map[string]map[string][]string // has by operator and key the values that the key may have; nil: none
}

// roleType is the type of the role of a function. Without one in the template, SAM makes one beside the function, under the
// function's logical id and "Role":
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources-function.html
const roleType = "AWS::IAM::Role"

func roleReference(s Scope, name string) (string, map[string]string) {
	return name, map[string]string{"Arn": "arn:aws:iam::" + s.AccountID + ":role/" + name}
}

func decodeRole(d decoder, r named, properties node, into *Resources) {
	id := r.logicalID
	p := d.object(properties, id, []string{"AssumeRolePolicyDocument", "ManagedPolicyArns", "Policies", "RoleName"},
		[]string{"Description", "MaxSessionDuration", "Path", "PermissionsBoundary", "Tags"})
	role := Role{LogicalID: id, ARN: r.attributes["Arn"]}
	what := id + ": AssumeRolePolicyDocument"
	for _, s := range d.statements(p.get("AssumeRolePolicyDocument"), what) {
		fields := d.object(s, what, []string{"Action", "Effect", "Principal", "Condition"}, []string{"Sid"})
		d.choice(fields.get("Effect"), what+": Effect", "Allow")
		d.choice(fields.get("Action"), what+": Action", "sts:AssumeRole")
		principal := d.object(fields.get("Principal"), what+": Principal", []string{"Service"}, nil)
		role.Services = append(role.Services, d.texts(principal.get("Service"), what+": Service")...)
	}
	for _, policy := range d.items(p.get("Policies"), id+": Policies") {
		fields := d.object(policy, id+": Policies", []string{"PolicyDocument", "PolicyName"}, nil)
		name := id + ": policy " + d.text(fields.get("PolicyName"), id+": PolicyName")
		for _, s := range d.statements(fields.get("PolicyDocument"), name) {
			role.Statements = append(role.Statements, d.statement(s, name))
		}
	}
	for _, arn := range d.items(p.get("ManagedPolicyArns"), id+": ManagedPolicyArns") {
		role.Managed = append(role.Managed, d.text(arn, id+": ManagedPolicyArns"))
	}
	into.Roles = append(into.Roles, role)
}

func (d decoder) statements(document node, what string) []node {
	return d.items(d.object(document, what, []string{"Statement"}, []string{"Version"}).get("Statement"), what+": Statement")
}

func (d decoder) statement(n node, what string) Statement {
	fields := d.object(n, what, []string{"Action", "Condition", "Effect", "Resource"}, []string{"Sid"})
	d.choice(fields.get("Effect"), what+": Effect", "Allow")
	s := Statement{
		Line:    n.at.line,
		Actions: d.texts(fields.get("Action"), what+": Action"), Resources: d.texts(fields.get("Resource"), what+": Resource"),
	}
	for _, operator := range d.pairs(fields.get("Condition"), what+": Condition") {
		values := map[string][]string{}
		for _, key := range d.pairs(operator.value, what+": "+operator.key) {
			values[key.key] = d.texts(key.value, what+": "+key.key)
		}
		if s.Condition == nil {
			s.Condition = map[string]map[string][]string{}
		}
		s.Condition[operator.key] = values
	}
	return s
}

func (d decoder) texts(n node, what string) []string {
	if n.kind != list {
		return []string{d.text(n, what)}
	}
	var texts []string
	for _, item := range n.items {
		texts = append(texts, d.text(item, what))
	}
	return texts
}
