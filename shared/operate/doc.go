// Package operate is what people's verbs have in common that write to a destination: a plan that is printed first, the consent to
// it, a bound on what is deleted, and a watch over calls that get no answer.
//
// A writing verb makes a [Plan] by reading alone, and asks for consent by [Consent.To]. It writes only after that returned true.
//
// Guarantees:
//   - [Consent.To] returns true only if the plan was printed, and somebody agreed to it: by an answer on a terminal, or in advance.
//   - A plan that deletes more than its bound gets no consent unless the number was named.
//   - A context from [Watch] ends when a call gets no answer for longer than the limit.
//
// Not guaranteed: that the destination is at the time of the writes what it was at the time of the plan. The verbs' own conditional
// writes see to that.
package operate
