package sections

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sluice/deploy/local/template"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

// copies returns the template of a region with copies, with the sections parameters and copies. A copy has the keys that its source has
// in tables, by the settings' defaults; a source that isn't there is an error.
func (n *needs) copies(text []byte, tables []template.Table) ([]byte, error) {
	var parameters, copies strings.Builder
	for _, setting := range slices.Sorted(maps.Keys(n.defaults.Settings)) {
		reference := "${" + declaration.Output(setting) + "}"
		if slices.ContainsFunc(n.Copies, func(c operate.Copy) bool { return strings.Contains(c.Table, reference) }) {
			parameters.WriteString(parameter(string(text), setting, n.defaults.Settings[setting]))
		}
	}
	var made []string
	for _, c := range n.Copies {
		if slices.Contains(made, c.Table) {
			continue // the copies of two regions, both of which have this template
		}
		made = append(made, c.Table)
		source := settle(n.defaults, c.Source)
		i := slices.IndexFunc(tables, func(t template.Table) bool { return t.Name == source })
		if i < 0 {
			return nil, fmt.Errorf("%s copies table %s, which no template in deploy makes: sluice new table declares one", n.File, source)
		}
		copies.WriteString(table(fmt.Sprintf("Copy%d", len(made)), c.Table, tables[i]))
	}
	filled, err := fill(string(text), map[string]string{"parameters": parameters.String(), "copies": copies.String()})
	return []byte(filled), err
}

// settle replaces ${OrdersTable} by the default of the setting ORDERS_TABLE.
func settle(d declaration.Declarations, text string) string {
	for name, value := range d.Settings {
		text = strings.ReplaceAll(text, "${"+declaration.Output(name)+"}", value)
	}
	return text
}

// table returns a table with the keys of another one. Its conditions are those that each template with tables has.
func table(id, name string, keys template.Table) string {
	var text strings.Builder
	fmt.Fprintf(&text, `%s:
  Type: AWS::DynamoDB::Table
  DeletionPolicy: RetainExceptOnCreate
  UpdateReplacePolicy: Retain
  Properties:
    TableName: !Sub %q
    BillingMode: PAY_PER_REQUEST
    DeletionProtectionEnabled: !If [Protects, true, false]
    PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: !If [Protects, true, false]}
    SSESpecification: !If [HasKey, {SSEEnabled: true, SSEType: KMS, KMSMasterKeyId: !Ref KmsKeyArn}, !Ref AWS::NoValue]
    AttributeDefinitions:
`, id, name)
	var schema strings.Builder
	for _, key := range keys.Keys {
		for _, a := range keys.Attributes {
			if aws.ToString(a.AttributeName) == aws.ToString(key.AttributeName) {
				fmt.Fprintf(&text, "      - {AttributeName: %q, AttributeType: %s}\n", *a.AttributeName, a.AttributeType)
			}
		}
		fmt.Fprintf(&schema, "      - {AttributeName: %q, KeyType: %s}\n", *key.AttributeName, key.KeyType)
	}
	text.WriteString("    KeySchema:\n" + schema.String())
	return text.String()
}
