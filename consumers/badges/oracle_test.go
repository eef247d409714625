package badges

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"sluice/consumers/badges/internal/ruletest"
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
	byPlayer := map[string][]ruletest.Play{}
	for _, item := range counted {
		at, err := time.Parse(time.RFC3339, item["At"].Text())
		if err != nil {
			panic(err) // the workload makes them
		}
		play := ruletest.Play{At: at, Score: decimal.RequireFromString(item["Score"].Text())}
		if item["Game"] != nil {
			play.Game = item["Game"].Text()
		}
		byPlayer[item["Player"].Text()] = append(byPlayer[item["Player"].Text()], play)
	}
	awards := map[string]string{}
	for player, plays := range byPlayer {
		for _, k := range ruletest.Kinds {
			for _, r := range k.Simulated {
				for _, award := range r.Earns(plays) {
					awards[player+" "+r.Name+award] = map[bool]string{false: "told", true: "not told"}[r.Untold]
				}
			}
		}
	}
	return awards
}

// ofRules leaves out awards of other rules than these; none: of none.
func ofRules(awards map[string]string, only []string) map[string]string {
	maps.DeleteFunc(awards, func(award, _ string) bool {
		badge, _, _ := strings.Cut(award[strings.LastIndexByte(award, ' ')+1:], "#")
		return len(only) > 0 && !slices.Contains(only, badge)
	})
	return awards
}
