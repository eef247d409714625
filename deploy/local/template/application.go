package template

import "strings"

// Application is an AWS::Serverless::Application: a template within a template.
type Application struct {
	LogicalID  string
	Location   string            // of the file, as the template has it
	Parameters map[string]string // have an output of another application as its place: Stream.Outputs.StreamArn
}

// outputsPrefix begins the attributes of an application that are its template's outputs.
const outputsPrefix = "Outputs."

var applicationType = resourceType{
	refer: nameOnly,
	// What the outputs are is known once the other file is read, which whoever wants the application does.
	lateAttributes: func(id, attribute string) (string, bool) {
		return id + "." + attribute, strings.HasPrefix(attribute, outputsPrefix)
	},
	decode: func(d decoder, r named, properties node, into *Resources) {
		p := d.object(properties, r.logicalID, []string{"Location", "Parameters"}, []string{"NotificationARNs", "Tags", "TimeoutInMinutes"})
		application := Application{
			LogicalID: r.logicalID, Location: d.text(p.get("Location"), r.logicalID+": Location"), Parameters: map[string]string{},
		}
		for _, parameter := range d.pairs(p.get("Parameters"), r.logicalID+": Parameters") {
			application.Parameters[parameter.key] = d.text(parameter.value, r.logicalID+": parameter "+parameter.key)
		}
		into.Applications = append(into.Applications, application)
	},
}
