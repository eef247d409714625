package badges

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"sluice/shared/consumertest"
	"sluice/shared/consumertest/simulator"
)

// wantSteady is what the rules without revoke earn, by hand: each told.
func wantSteady(changes []consumertest.Change) map[string]string {
	var counted []consumertest.Item
	for _, item := range simulator.Items(changes) {
		if strings.HasPrefix(item["Id"].Text(), "steady") {
			counted = append(counted, item)
		}
	}
	awards := wantOf(counted)
	for _, item := range counted {
		player := item["Player"].Text()
		if strings.HasPrefix(item["Id"].Text(), "steady-0-") && item["Game"] != nil && item["Game"].Text() == "go" {
			awards[player+" hello##"+item["Id"].Text()] = "told"
		}
	}
	count := map[string]int{}
	for _, item := range counted {
		count[item["Player"].Text()]++
	}
	for player, n := range count {
		if n >= 2 {
			awards[player+" quiet"] = "not told"
		}
		if awards[player+" nine"] != "" && n >= 3 {
			awards[player+" both"] = "told"
			if awards[player+" streak#two"] != "" {
				awards[player+" all"] = "told"
			}
		}
	}
	return awards
}

// wantCorrected is what the rules with revoke earn.
func wantCorrected(changes []consumertest.Change) map[string]string {
	var all []consumertest.Item
	for _, item := range simulator.Items(changes) {
		all = append(all, item)
	}
	return wantOf(all)
}

// wantOf returns what plays earn by the simulated rules.
func wantOf(counted []consumertest.Item) map[string]string {
	byPlayer := map[string][]consumertest.Item{}
	for _, item := range counted {
		byPlayer[item["Player"].Text()] = append(byPlayer[item["Player"].Text()], item)
	}
	awards := map[string]string{}
	for player, items := range byPlayer {
		give := func(award string, args ...any) { awards[player+" "+fmt.Sprintf(award, args...)] = "told" }
		give("first")
		games, days, weeks, points := map[string]bool{}, map[int]int{}, map[string]int{}, map[int]decimal.Decimal{}
		total := decimal.Zero
		for _, item := range items {
			at, err := time.Parse(time.RFC3339, item["At"].Text())
			if err != nil {
				panic(err) // the workload makes them
			}
			score := decimal.RequireFromString(item["Score"].Text())
			total = total.Add(score)
			days[at.Day()]++
			points[at.Day()] = points[at.Day()].Add(score)
			year, week := at.ISOWeek()
			weeks[fmt.Sprintf("%d-W%d", year, week)]++
			if score.Equal(decimal.NewFromInt(9)) {
				give("nine")
			}
			if item["Game"] != nil {
				games[item["Game"].Text()] = true
				give("game##%s", item["Game"].Text())
			}
		}
		for level, need := range map[string]int{"two": 2, "three": 3} {
			if len(games) >= need {
				give("games#%s", level)
			}
		}
		for level, need := range map[string]int{"few": 3, "many": 7} {
			if len(items) >= need {
				give("count#%s", level)
			}
		}
		for n := 1; n <= 3; n++ {
			if total.GreaterThanOrEqual(decimal.NewFromInt(int64(10 * n))) {
				give("points##%d", n)
			}
		}
		for week, n := range weeks {
			if n >= 4 {
				give("week##%s", week)
			}
		}
		for day := range days {
			if points[day].GreaterThanOrEqual(decimal.NewFromInt(18)) {
				give("day")
			}
			if days[day]+days[day+1] >= 4 {
				give("window")
			}
			if days[day+1]+days[day+2] == 0 && slices.ContainsFunc(slices.Collect(maps.Keys(days)), func(later int) bool { return later > day+2 }) {
				awards[player+" back"] = "not told"
			}
			if streak(days, day, 2) {
				give("streak#two")
			}
			if streak(days, day, 5) {
				give("streak#five")
			}
		}
	}
	return awards
}

// streak tells whether a run of n days with at most one missed begins on a day.
func streak(days map[int]int, first, n int) bool {
	var played []bool
	for day := first; day < first+n+1; day++ {
		played = append(played, days[day] > 0)
	}
	hits := 0
	for _, hit := range played {
		if hit {
			hits++
		}
	}
	return played[0] && (hits >= n || !slices.Contains(played[:n], false))
}

// ofRules leaves out awards of other rules than these; none: of none.
func ofRules(awards map[string]string, only []string) map[string]string {
	maps.DeleteFunc(awards, func(award, _ string) bool {
		badge, _, _ := strings.Cut(award[strings.LastIndexByte(award, ' ')+1:], "#")
		return len(only) > 0 && !slices.Contains(only, badge)
	})
	return awards
}
