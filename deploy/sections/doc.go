// Package sections keeps those lines of templates that follow from a pipeline's declarations. They are in sections:
//
//	Parameters:
//	  # sluice:parameters
//	  OrdersTable: …
//	  # sluice:end
//
// What is outside of the sections is never changed. A consumer's template has the sections parameters, rights, environment and outputs.
// The template of the whole pipeline has tables, and for each consumer NAME the section settings NAME.
package sections
