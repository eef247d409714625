// Package template reads what the local stack is made of from the SAM templates that AWS gets: tables, streams,
// queues, topics, subscriptions, buckets, functions and their event source mappings, with every reference resolved.
// What has no meaning on one machine (policies, log groups, alarms, templates within templates) it knows and passes over.
//
// # Guarantees
//
//   - Nothing is passed over in silence. A section, resource type, property, intrinsic function or attribute that
//     this package does not know is an error with file, line and column, and a list of those it knows (TestFaults).
//   - All faults of a template are reported at once (TestFaults, TestCheck).
//   - Names and ARNs depend on the template and the [Scope] alone, so one template can be given another's outputs
//     before anything exists (TestEverythingUnderstood).
//
// # Not guaranteed
//
//   - That CloudFormation would accept the template: it checks more.
//   - That nothing which is made refers to a resource whose condition doesn't hold.
//   - Properties without meaning on one machine (policies, encryption, retention) are known but not looked into,
//     except that their references must resolve.
package template
