// Package change reads the changes of DynamoDB tables from a Kinesis data stream, as Lambda delivers them.
package change
