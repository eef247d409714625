package template

import "time"

// Function is an AWS::Serverless::Function.
type Function struct {
	LogicalID   string
	ARN         string
	CodeDir     string // of its main package
	Role        string // ARN; empty: SAM makes one
	LogGroup    string // that it writes to; empty: Lambda's own
	InVPC       bool   // Lambda makes network interfaces for it
	MemoryMB    int
	Timeout     time.Duration
	Environment map[string]string // has the function's own variables
	Mappings    []KinesisMapping  // its events of type Kinesis, the only type understood here
}

func decodeFunction(d decoder, r named, properties node, into *Resources) {
	id := r.logicalID
	p := d.object(properties, id, []string{"FunctionName", "CodeUri", "MemorySize", "Timeout", "Environment", "Events", "LoggingConfig", "Role", "VpcConfig"},
		[]string{"Architectures", "Description", "Handler", "Policies", "ReservedConcurrentExecutions",
			"Runtime", "Tags", "Tracing"})
	function := Function{
		LogicalID: id,
		ARN:       r.attributes["Arn"],
		CodeDir:   d.text(p.get("CodeUri"), id+": CodeUri"),
		// The defaults of Lambda's CreateFunction.
		MemoryMB:    d.integer(p.get("MemorySize"), id+": MemorySize", 128, 128, 10240),
		Timeout:     d.seconds(p.get("Timeout"), id+": Timeout", 3, 1, 900),
		Environment: map[string]string{},
	}
	environment := d.object(p.get("Environment"), id+": Environment", []string{"Variables"}, nil)
	for _, variable := range d.pairs(environment.get("Variables"), id+": Variables") {
		function.Environment[variable.key] = d.text(variable.value, id+": variable "+variable.key)
	}
	logging := d.object(p.get("LoggingConfig"), id+": LoggingConfig", []string{"LogGroup"}, []string{"ApplicationLogLevel", "LogFormat", "SystemLogLevel"})
	function.LogGroup, function.Role = d.optional(logging.get("LogGroup"), id+": LogGroup"), d.optional(p.get("Role"), id+": Role")
	vpc := d.object(p.get("VpcConfig"), id+": VpcConfig", []string{"SubnetIds", "SecurityGroupIds"}, []string{"Ipv6AllowedForDualStack"})
	function.InVPC = len(d.items(vpc.get("SubnetIds"), id+": SubnetIds")) > 0
	for _, event := range d.pairs(p.get("Events"), id+": Events") {
		what := id + ": event " + event.key
		fields := d.object(event.value, what, []string{"Type", "Properties"}, nil)
		if d.choice(fields.get("Type"), what+": Type", "Kinesis") == "Kinesis" {
			function.Mappings = append(function.Mappings, d.kinesisMapping(event.key, what, fields.get("Properties")))
		}
	}
	into.Functions = append(into.Functions, function)
}
