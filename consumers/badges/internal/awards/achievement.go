package awards

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/badges/internal/notify"
	"sluice/consumers/badges/rule"
	"sluice/shared/change"
)

// Attributes of an achievement. Its key is the player and the award's key.
const (
	AttrPlayer = rule.AttrPlayer
	AttrAward  = "Award"

	attrBadge     = "Badge"
	attrLevel     = "Level"
	attrOf        = "AwardOf"
	attrEarnedAt  = "EarnedAt"  // the play's time, or the day that completed it
	attrAwardedAt = "AwardedAt" // by the clock
	attrPending   = "Pending"   // the notice that has yet to be told
	attrToldAt    = "ToldAt"
	attrRevokedAt = "RevokedAt" // its plays were corrected
	attrEventType = "EventType"
)

// Achievement is a badge that a player has, as the table holds it.
type Achievement struct {
	Player    string
	Award     rule.Award
	EarnedAt  string // RFC 3339, or a date for rules of days
	AwardedAt string
	ToldAt    string // empty: not yet, or to nobody
	RevokedAt string // empty: it stands
	// Pending is the message that has yet to be told, as JSON; empty: none.
	Pending string
	// EventType is that of the pending message.
	EventType string
}

func (a *Achievement) key() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{AttrPlayer: text(a.Player), AttrAward: text(a.Award.Key())}
}

func (a *Achievement) attributes() map[string]types.AttributeValue {
	item := a.key()
	for name, value := range map[string]string{
		attrBadge: a.Award.Badge, attrLevel: a.Award.Level, attrOf: a.Award.Of, attrEarnedAt: a.EarnedAt, attrAwardedAt: a.AwardedAt,
		attrPending: a.Pending, attrEventType: a.EventType, attrToldAt: a.ToldAt, attrRevokedAt: a.RevokedAt,
	} {
		if value != "" {
			item[name] = text(value)
		}
	}
	return item
}

// ReadAchievement reads an item of the table of achievements.
func ReadAchievement(item map[string]types.AttributeValue) *Achievement {
	return &Achievement{
		Player:   change.TextOf(item[AttrPlayer]),
		Award:    rule.Award{Badge: change.TextOf(item[attrBadge]), Level: change.TextOf(item[attrLevel]), Of: change.TextOf(item[attrOf])},
		EarnedAt: change.TextOf(item[attrEarnedAt]), AwardedAt: change.TextOf(item[attrAwardedAt]), ToldAt: change.TextOf(item[attrToldAt]),
		RevokedAt: change.TextOf(item[attrRevokedAt]), Pending: change.TextOf(item[attrPending]), EventType: change.TextOf(item[attrEventType]),
	}
}

// notice is what the topic gets of an award that has yet to be told.
func (a *Achievement) notice() notify.Notice {
	return notify.Notice{
		ID: NoticeID(a.Player, a.Award), Body: []byte(notify.Escape(a.Pending)),
		User: a.Player, Badge: a.Award.Badge, Level: a.Award.Level, EventType: a.EventType,
	}
}
