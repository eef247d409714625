// Package change reads the changes of DynamoDB tables from a Kinesis data stream, as Lambda hands them to a function: the payload,
// its records, the change in each, and the items before and after it, by their exact values.
//
// A [Decoder] reads a whole payload in one pass, [Parse] the data of one record. Values are taken from the images when asked for:
// c.New.String("CustomerId"), c.New.Number("Total"), c.New.AttributeValues(), c.New.AppendJSON(dst).
//
// # Guarantees
//
//   - All or nothing: a record is checked to its last byte before it becomes a [Change]. After that, reading a value fails only
//     because the attribute is missing or has another type (TestGolden, TestGoldenBad, FuzzParse).
//   - Bad data of one record is that record's Err, a [*DecodeError], and touches no other record. So is a field beside the data
//     that isn't as Lambda writes it, except the sequence number: a record without one can't be named to Lambda
//     (TestBadRecordAmongGood, TestEachFieldOfEachWrongType, FuzzBatch).
//   - Values are exact: numbers keep every digit and are never floating point; binary is decoded both times that the stream encodes
//     it (TestCarelessNumber, TestCarelessBinary, TestAccessors).
//   - Version is in microseconds, whether the stream wrote microseconds or milliseconds (TestID, TestGolden).
//   - The same change has the same [ID] and the same item the same ItemKey, however the JSON was written. The forms of both are
//     stable and may be stored (TestID, TestItemKey).
//   - Strings, bytes and SDK values that were taken from a change stay valid and unchanged for as long as they are held. A
//     Decoder's records, changes, images and values themselves are valid until its next Decode (TestTakenValuesStay).
//   - A change may be read by any number of goroutines at once (TestConcurrentReads).
//   - A warm Decoder allocates once for a batch and nothing for a change (TestAllocations).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - Neither the partition key nor eventID identifies a change. Its table, keys, creation time and kind do, and its images too
//     where the time is in milliseconds only. The form of an [ID] never changes, since IDs are stored (TestID).
//   - One shard carries times in both precisions. Compare times in microseconds only (TestID, TestCarelessTime).
//   - Binary is base64 twice, a number is decimal text. A float anywhere loses digits (TestCarelessBinary, TestCarelessNumber).
//   - Strings of a change outlive the change. A Decoder reuses its records for the next batch, but allocates the text that they
//     point into for each batch (TestTakenValuesStay).
//
// # What is accepted
//
// The JSON grammar of encoding/json, names in any order, unknown names with any value. It refuses, unlike encoding/json:
//
//   - invalid UTF-8 and halves of surrogate pairs, which encoding/json would replace without a word;
//   - a name that is read and stands twice in one object, as do attributes in an item: which value was meant, nobody can tell;
//   - names in other letter case. Only those of userIdentity come in two spellings.
//
// A change needs eventName, tableName, Keys (one or two attributes of type S, N or B), a creation time, and the images of its kind:
// an insert the new one, a modify both, a remove none but the old one. The stream always carries whole images. A remove may lack
// its image ([Change.LacksOld]): a sum can't take it, a copy can. A time without precision is in milliseconds. A time before March 1973 or after the
// year 4253 is refused: it is not old or late, but in another unit than the record says.
//
// An attribute's value has exactly one of the ten types. An N is a JSON number within DynamoDB's limits, a B base64 of base64,
// padded and without line breaks, NULL is true. Empty sets are let through.
//
// # Not guaranteed
//
//   - Order and uniqueness: the stream repeats and reorders changes, and the decoder returns what it is given.
//   - That different changes have different IDs: two writes of one kind to one item in the same microsecond have one ID, and so have
//     two in the same millisecond with the same images. So a table needs MICROSECOND: of 1→2, 2→1, 1→2 within a millisecond the
//     third change counts as a repeat of the first, and a sum loses it. Lint asks for MICROSECOND; the metric AmbiguousTimes counts
//     changes in milliseconds.
//   - That nobody makes two IDs collide: 5 bytes of hash stand beside the time. Who writes two items in one microsecond can choose
//     their keys so that both changes have one ID, and a sum counts one of them only. IDs are stored, so their form stays.
//   - That the images hold the key attributes, or that a table's changes all have the same keys.
//   - EventID: a hint for people. Region and SizeBytes are as the record says, if it does.
//   - The texts of errors.
package change
