package rule

import (
	"testing"
)

func TestTry(t *testing.T) {
	b, err := Parse("r.yaml", []byte(`
plays: {table: Plays, player: UserId, at: Timestamp, zone: {attribute: Zone, otherwise: UTC}, earliest: 2000-01-01}
badges:
  - name: first-play
    title: {en: First}
    text: {en: "You have played"}
    first: {}
  - name: games
    title: {en: First}
    text: {en: "You have played {of}"}
    first: {each: Game}
  - name: streak
    title: {en: First}
    text: {en: "You have played {level}"}
    streak: {days: {week: 7, month: 30}, grace: 1}
  - name: nine
    title: {en: First}
    text: {en: "You have played {level}"}
    where: {Score: {is: 9}}
    first: {}
  - name: weekly
    title: {en: First}
    text: {en: "You have played {level}"}
    total: {of: Score, reaches: 100, within: week, repeat: each}
`), nil, "State")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range b.Views {
		t.Log(v.Name, v.Source, v.Table)
	}
}
