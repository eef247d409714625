package template

// Alarm is an AWS::CloudWatch::Alarm or CompositeAlarm.
type Alarm struct {
	LogicalID   string
	Description string
}

// passedOver is a type of resource that has no meaning on one machine, with its properties.
func passedOver(properties ...string) resourceType {
	return resourceType{
		refer: nameOnly,
		decode: func(d decoder, r named, p node, _ *Resources) {
			d.object(p, r.logicalID, nil, properties)
		},
	}
}

// logGroupType is passed over too, but a role names it.
var logGroupType = resourceType{
	nameProperty: "LogGroupName",
	// All of its streams, as CloudFormation has it:
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html
	refer: func(s Scope, name string) (string, map[string]string) {
		return name, map[string]string{"Arn": s.arn("logs", "log-group:"+name+":*")}
	},
	decode: passedOver("KmsKeyId", "LogGroupName", "RetentionInDays", "Tags").decode,
}

func nameOnly(_ Scope, name string) (string, map[string]string) { return name, nil }

var alarmType = resourceType{
	nameProperty: "AlarmName",
	refer:        nameOnly,
	decode: func(d decoder, r named, properties node, into *Resources) {
		p := d.object(properties, r.logicalID, []string{"AlarmDescription", "AlarmName"},
			[]string{"ActionsEnabled", "AlarmActions", "AlarmRule", "ComparisonOperator", "DatapointsToAlarm", "Dimensions", "EvaluationPeriods",
				"ExtendedStatistic", "InsufficientDataActions", "MetricName", "Metrics", "Namespace", "OKActions", "Period", "Statistic",
				"Tags", "Threshold", "TreatMissingData", "Unit"})
		into.Alarms = append(into.Alarms, Alarm{r.logicalID, d.text(p.get("AlarmDescription"), r.logicalID+": AlarmDescription")})
	},
}
