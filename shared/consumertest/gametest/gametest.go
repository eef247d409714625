// Package gametest is a pipeline for the tests of the consumers: a game with scores, and a tracker of pets. It has each form that the
// declarations take. What a team declares in the folder pipeline is no part of these tests.
package gametest

import (
	"embed"
	"io/fs"
	"testing/fstest"

	"sluice/shared/declaration"
)

//go:embed *.yaml indexes
var files embed.FS

// Pipeline are the declarations of the game and the tracker.
var Pipeline = declaration.Pipeline{Files: files, Folder: "gametest"}

// The tables of the declarations, by their settings' defaults.
const (
	ScoreTable = "UserScoreEvents"
	BoardTable = "Leaderboard"
	BoxTable   = "LeaderboardBoxes"
	RankTable  = "LeaderboardRanks"
	PetTable   = "PetTracker"
	Shards     = 10
	Region     = "eu-west-1" // of the copy
)

// Definition is the name of one of the definitions of indexes.
const Definition = "pets.json"

// The attributes of the tables' items.
const (
	AttrUser       = "UserId"
	AttrTimestamp  = "Timestamp" // sort key of the table of scores
	AttrScore      = "Score"
	AttrReachedAt  = "ReachedAt" // µs
	AttrShard      = "ShardNo"
	AttrBoard      = "Board" // sort key of the table of boxes, partition key of the table of ranks
	AttrBoardShard = "BoardShard"
	AttrBucket     = "Bucket"  // sort key of the table of ranks
	AttrPlayers    = "Players" // how many are in a bucket
)

// Declarations returns the declarations with their defaults, but for the settings in changed: NAME, VALUE, NAME, VALUE.
func Declarations(changed ...string) declaration.Declarations {
	d, err := Pipeline.Defaults()
	if err != nil {
		panic(err)
	}
	for i := 0; i < len(changed); i += 2 {
		d.Settings[changed[i]] = changed[i+1]
	}
	return d
}

// Files returns the files of the pipeline with a text in the place of one.
func Files(name, text string) fs.FS { return replaced{files, name, text} }

type replaced struct {
	fs.ReadDirFS
	name, text string
}

func (r replaced) Open(name string) (fs.File, error) {
	if name == r.name {
		return fstest.MapFS{name: {Data: []byte(r.text)}}.Open(name)
	}
	return r.ReadDirFS.Open(name)
}

// With returns the declarations with their defaults, with a text in the place of one file.
func With(name, path, text string) declaration.Declarations {
	return Declarations().With(name, path, []byte(text))
}
