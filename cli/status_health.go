package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sluice/deploy/local/bridge"
	"sluice/deploy/local/mapping"
	"sluice/deploy/local/servers"
	"sluice/deploy/local/stack"
	"sluice/shared/printable"
)

// unknown stands for what isn't known. A number that was true a while ago would be taken for one that is true now.
const unknown = "unknown"

// silentAfter is how long a table's stream may not answer until it isn't known how many of its changes wait.
const silentAfter = 5 * time.Second

// localStatus gathers what the status shows of the local stack.
type localStatus struct {
	info      stack.Info
	health    *stack.Health
	consumers []consumerRow
	notes     []string
	letters   int // dead letters that wait
}

func (l *localStatus) note(format string, args ...any) {
	l.notes = append(l.notes, fmt.Sprintf(format, args...))
}

// silent reports whether a server didn't answer.
func (l *localStatus) silent(server *servers.Server) bool {
	_, silent := l.health.Silent[server.Name]
	return silent
}

// server returns the state of a server, and notes what is to be known of it.
func (l *localStatus) server(p stack.Process) string {
	if p.Restarts > 0 {
		l.note("%s died %d time(s) and was started again, with the data that it keeps on disk. The log of the one that died is %s.died",
			p.Name, p.Restarts, p.Log)
	}
	fault, silent := l.health.Silent[p.Name]
	if !silent {
		return "answers"
	}
	l.note("%s (pid %d) doesn't answer: %s. What depends on it is unknown until it does. Its log is %s", p.Name, p.PID, printable.Cut(fault, noteWidth), p.Log)
	return "silent"
}

// noteWidth is how much of a text a note shows that somebody else wrote.
const noteWidth = 300

// table returns the row of a table.
func (l *localStatus) table(name, region string, t bridge.TableStats) []any {
	if t.Problem != "" {
		l.note("%s in %s: %s", name, region, t.Problem)
	}
	if l.health.Stale {
		return []any{name, region, unknown, unknown, unknown}
	}
	onTheirWay := strconv.FormatInt(t.Pending, 10)
	if l.silent(servers.DynamoDBLocal) || t.MillisSilent > silentAfter.Milliseconds() {
		onTheirWay = unknown
	}
	return []any{name, region, t.Read, onTheirWay, t.Written}
}

// consumer adds the row of a consumer.
func (l *localStatus) consumer(ctx context.Context, name, region string, p stack.Parts) {
	m := p.Mappings[name]
	row := consumerRow{
		name: name, region: region, state: string(m.State), done: strconv.FormatInt(m.Done, 10), rate: rateText(m.Rate),
		onTheirWay: strconv.FormatInt(m.Read-m.Done, 10), invocations: strconv.FormatInt(m.Invocations, 10),
		failed: strconv.FormatInt(m.Failed, 10), letters: unknown, behind: l.behind(m), lag: "-",
	}
	if lag, ok := p.Lags[name]; ok { // of the last batch
		row.lag = lagText(lag.Median, lag.Longest, time.Since(lag.At))
	}
	if l.silent(servers.Ministack) {
		row.state = unknown // it delivers nothing, and may not have noticed yet
	} else {
		var n int
		row.letters, n = deadLetters(ctx, l.info, region, p.Outputs[name]["DeadLetterQueue"])
		l.letters += n
	}
	if l.health.Stale {
		row.state, row.done, row.rate, row.onTheirWay = unknown, unknown, unknown, unknown
		row.invocations, row.failed, row.lag = unknown, unknown, unknown
	}
	l.consumers = append(l.consumers, row)
	what := name + " in " + region
	switch m.State {
	case mapping.Retrying:
		l.note("%s: what failed comes again: %s", what, shorten(m.Problem))
	case mapping.Disabled:
		l.note("%s: its mapping is disabled (Enabled in its template), so nothing is delivered to it", what)
	case mapping.Unknown:
		l.note("%s: %s", what, m.Problem)
	}
	if m.Notice != "" {
		l.note("%s: %s", what, m.Notice)
	}
}

// behind is the age of the oldest change in the stream that isn't done: it grows when a consumer stands still. Changes of
// tables that can't be read, and those in a stream that can't be read, have no age that is known.
func (l *localStatus) behind(m mapping.Stats) string {
	switch {
	case l.health.Stale, m.State == mapping.Unknown, l.silent(servers.Ministack), l.silent(servers.DynamoDBLocal):
		return unknown
	case m.MillisBehind < 0:
		return "-"
	}
	return (time.Duration(max(m.MillisBehind, m.MillisWaiting)) * time.Millisecond).String()
}

// shorten keeps of a function's last words what a person reads: its log has all of them.
func shorten(problem string) string {
	lines := strings.Split(strings.TrimSpace(problem), "\n")
	const most = 8
	if len(lines) > most {
		lines = append(lines[:1], append([]string{"..."}, lines[len(lines)-most+2:]...)...)
	}
	for i, line := range lines {
		lines[i] = printable.Cut(line, noteWidth)
	}
	return strings.Join(lines, "\n")
}
