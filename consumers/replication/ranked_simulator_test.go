package replication

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sluice/shared/consumertest"
	"sluice/shared/consumertest/simulator"
)

// TestSimulatorAttribute has applications write to two regions at once, which keep
// an attribute that ranks what they write.
func TestSimulatorAttribute(t *testing.T) {
	s := rankedRegions("us-east-1", "eu-west-1")
	s.Schedules = 40
	simulator.RunRegions(t, s)
}

// TestSimulatorAttributeThreeRegions is TestSimulatorAttribute with one more.
func TestSimulatorAttributeThreeRegions(t *testing.T) {
	s := rankedRegions("us-east-1", "eu-west-1", "ap-south-1")
	s.Schedules = 40
	simulator.RunRegions(t, s)
}

const rankAttribute = "Version"

func rankedRegions(names ...string) simulator.Regions {
	s := regionsOf(&Shared{Name: "shared", Table: "Shared", Regions: names, Attribute: rankAttribute})
	s.Amend = amendRank
	s.Own = nil
	s.Judge = judgeRanked
	return s
}

// amendRank raises the attribute, as applications do: two regions raise it to the
// same value, a coarse clock puts an item at a value that it had before, some value
// is a string, and some writer doesn't look and lowers it.
func amendRank(item, before consumertest.Item) {
	n, err := strconv.Atoi(item[simulator.WriteAttribute].Text())
	if err != nil {
		panic(err)
	}
	rank := 3 + n - n%3
	if before != nil {
		rank, err = strconv.Atoi(before[rankAttribute].Text())
		if err != nil {
			panic(err)
		}
		if rank++; n%6 == 5 {
			rank -= 2
		}
	}
	if _, ok := before[rankAttribute]["S"]; ok || n%8 == 7 {
		item[rankAttribute] = consumertest.S(fmt.Sprintf("%06d", rank))
		return
	}
	item[rankAttribute] = consumertest.N(strconv.Itoa(rank))
}

// judgeRanked checks that what lost is in some region's conflict log, and that what is
// left ranks above all that was written.
func judgeRanked(ctx context.Context, o *simulator.Outcome) ([]simulator.Problem, error) {
	logged, err := readConflicts(ctx, o)
	if err != nil {
		return nil, err
	}
	var problems []simulator.Problem
	for _, w := range o.Lost() {
		// If a function dies, one of two versions with the same value may be lost untold.
		tied := slices.ContainsFunc(o.Writes, func(other simulator.Write) bool {
			return other.N != w.N && other.Key == w.Key && place(other.After) == place(w.After)
		})
		if !tied && len(logged[fmt.Sprint(w.N)]) == 0 {
			problems = append(problems, simulator.Problem{Kind: simulator.Lost, Text: fmt.Sprintf("write %d in %s lost, but is in no conflict log", w.N, w.Region)})
		}
	}
	greatest := map[string]string{}
	for _, w := range o.Writes {
		rank := place(w.After)
		if w.After == nil {
			rank = place(w.Before) + removed
		}
		greatest[w.Key] = max(greatest[w.Key], rank)
	}
	for key, rank := range greatest {
		got, want := place(o.Items[key]), rank
		if strings.HasSuffix(rank, removed) {
			want = ""
		}
		if got != want {
			problems = append(problems, simulator.Problem{Kind: simulator.Diverged, Text: fmt.Sprintf("%s stands at %q, but the greatest write at %q", key, got, rank)})
		}
	}
	return problems, nil
}

// removed stands behind the place of an item that was removed.
const removed = " removed"

// place is where an item stands among all versions, as a text that compares.
func place(item consumertest.Item) string {
	v, ok := item[rankAttribute]
	if !ok {
		return ""
	}
	if _, ok := v["S"]; ok {
		return "string " + v.Text()
	}
	n, err := strconv.Atoi(v.Text())
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("number %06d", n)
}
