package ops

import (
	"sluice/consumers/search"
	"sluice/consumers/search/internal/document"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

var _ operate.Declarer = registered{}

// Needs implements operate.Declarer. Only signed requests are asked for rights: PUT makes a route's first index, and POST purges
// tombstones in all indexes of the route.
func (registered) Needs(d declaration.Declarations) (operate.Needs, error) {
	n := operate.Needs{File: search.RoutesFile}
	routes, err := search.Routes(d)
	if err != nil {
		return n, err
	}
	var made, purged []string
	for _, route := range routes {
		n.Sources, n.Samples = append(n.Sources, route.Source), append(n.Samples, route.Sample())
		made = append(made, domain+route.IndexName(1))
		purged = append(purged, domain+route.Index+document.AllSuffix+"/_delete_by_query")
	}
	if len(routes) > 0 {
		n.Rights = []operate.Right{
			{Actions: []string{"es:ESHttpPut"}, Resources: operate.Distinct(made), Condition: "Signs"},
			{Actions: []string{"es:ESHttpPost"}, Resources: operate.Distinct(purged), Condition: "Signs"},
		}
	}
	return n, nil
}

// domain begins the resource of each path of the domain.
const domain = "arn:${AWS::Partition}:es:${AWS::Region}:${AWS::AccountId}:domain/${SearchDomain}/"
