package ops

import (
	"slices"
	"strings"

	"sluice/consumers/replication"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

var _ operate.Declarer = registered{}

// Needs implements operate.Declarer. The tables that remember removed items, and versions that lost, have the same names in each region.
func (registered) Needs(d declaration.Declarations) (operate.Needs, error) {
	n := operate.Needs{File: replication.ReplicasFile, Outputs: map[string]string{}}
	routes, shared, err := replication.Declared(d, home)
	if err != nil {
		return n, err
	}
	allow := func(actions string, tables []string) {
		if len(tables) > 0 {
			n.Rights = append(n.Rights, operate.Right{Actions: strings.Fields(actions), Resources: operate.Distinct(tables)})
		}
	}
	var regions, copies, tombstones []string
	for _, route := range routes {
		n.Sources, n.Samples = append(n.Sources, route.Source), append(n.Samples, route.Sample())
		n.Copies = append(n.Copies, operate.Copy{Source: route.Source, Table: route.Table, Region: route.Region})
		regions = append(regions, route.Region)
		copies = append(copies, operate.TableARN(route.Region, route.Table))
		tombstones = append(tombstones, operate.TableARN(route.Region, "${Prefix}ReplicaTombstones"))
	}
	if len(regions) > 0 {
		n.Outputs["ReplicaRegions"] = strings.Join(operate.Distinct(regions), ",")
	}
	allow("dynamodb:DescribeTable dynamodb:PutItem dynamodb:DeleteItem", copies)
	var tables, lost, removed []string
	for _, t := range shared {
		n.Sources, n.Samples = append(n.Sources, t.Table), append(n.Samples, declaration.Sample{Table: t.Table})
		n.Outputs["SharedRegions"] = strings.Join(t.Regions, ",")
		for _, region := range t.Regions {
			tables = append(tables, operate.TableARN(region, t.Table))
			removed = append(removed, operate.TableARN(region, "${Prefix}ReplicaTombstones"))
			lost = append(lost, operate.TableARN(region, "${Prefix}ReplicaConflicts"))
		}
	}
	allow("dynamodb:DescribeTable dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem dynamodb:DeleteItem", tables)
	allow("dynamodb:DescribeTable dynamodb:GetItem dynamodb:BatchGetItem dynamodb:PutItem", tombstones)
	allow("dynamodb:DescribeTable dynamodb:GetItem dynamodb:PutItem", slices.DeleteFunc(removed, func(arn string) bool { return slices.Contains(tombstones, arn) }))
	allow("dynamodb:DescribeTable dynamodb:PutItem", lost)
	return n, nil
}
