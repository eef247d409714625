// Package query is the reading side of search: a small language for people, its
// translation into OpenSearch's queries, answers that say how fresh they are, and an
// HTTP API. README.md of consumers/search has the language.
//
// # Guarantees
//
//   - What a person writes is data: it is parsed, checked against the index's fields and put into
//     the values of a query, never into its structure. Nothing but the items of the index that is
//     asked for can be found, and no removed ones (TestInjection, FuzzBuild, TestForgedTokens).
//   - An answer is of the whole index. What took too long or failed in part is an error
//     (TestAnswer, TestHTTPWithoutOpenSearch).
//   - Paging sees each document once that matches, whatever is written meanwhile, if neither its
//     own sort values nor its match change (TestPaging).
//   - A hit's source has every digit that the document has (TestLargeNumbers).
//   - The time of the newest change is never newer than what the hits are from (TestAnswer).
//
// # Not guaranteed
//
//   - That all older changes than the newest one are indexed: changes of different
//     items come in any order.
//   - That an answer's pages are from one moment.
//   - That numbers are compared by more digits than their mapping's type has: a double
//     has 16, a long all.
package query
