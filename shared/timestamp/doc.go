// Package timestamp reads timestamps, dates and time zones. Every consumer reads them here, so that all of them
// agree on the day of an item.
//
// # Guarantees
//
//   - [Parse], [Date] and [LoadZone] depend on their arguments alone. The zones are part of the program: the
//     machine's own zone files and its TZ setting change nothing (TestZones, TestZonesAreCurrent).
//   - A local time that its zone skips is the first instant after the gap. A day whose midnight is skipped starts
//     there, and no time of that day counts for the day before (TestMidnights, TestLocalTimes).
//   - A local time that its zone repeats is the first of the two instants (TestLocalTimes).
//
// # Invariants
//
// Check these before a change: the test that each names fails without it.
//
//   - time.Date and time.LoadLocation never read an item's time. time.Date takes the hour before for a midnight
//     that the clocks skip; time.LoadLocation depends on the machine's files (TestMidnights, TestZones).
//   - Go's ZoneBounds is wrong on the 366th day of a year; offsetEnd corrects it (TestLastDayOfALeapYear).
//
// # Not guaranteed
//
//   - That a zone stays as it is: governments change their clocks. The zones are those of the Go release that the
//     program is built with, which a test checks.
package timestamp
