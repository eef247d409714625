// Package verb is what the verbs of sluice are made of, those of package cli and those that a consumer adds: flags that say which
// pipeline a verb works on, consent to a plan, and the one standard output.
//
// # Guarantees
//
//   - What a verb prints on [Stdout] does nothing to a terminal, whoever wrote the text (TestHostileCharactersAreReplaced of
//     shared/printable, TestVerbsOnALocalStack of cli).
//   - If the output can't be written, the verb fails, whatever it ignored of its prints (TestOutputOnAFullDisk of cli).
package verb
