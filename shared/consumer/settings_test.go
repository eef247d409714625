package consumer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestSettingsNameEveryFault(t *testing.T) {
	err := Settings{StuckAfter: -time.Second, GiveUpAge: -1, AnswerReserve: -1}.Validate()
	if err == nil {
		t.Fatal("settings without anything are valid")
	}
	for _, name := range []string{"DEAD_LETTER_QUEUE_URL", "STUCK_AFTER", "GIVE_UP_AGE", "ANSWER_RESERVE"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("the error doesn't name %s:\n%v", name, err)
		}
	}
}

// Fails if a table without a name is not reported, or anything else is.
func TestTablesMustHaveNames(t *testing.T) {
	type inner struct {
		Ledger string `env:"LEDGER_TABLE"`
	}
	type settings struct {
		inner
		Table  string `env:"TABLE"`
		Named  string `env:"NAMED_TABLE"`
		Region string `env:"REGION"`
		Tables int    `env:"TABLES"`
	}
	if got, want := fmt.Sprint(CheckTables(settings{Named: "Plays"})), "LEDGER_TABLE must name a table\nTABLE must name a table"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if err := CheckTables(settings{inner{"Ledger"}, "Totals", "Plays", "", 0}); err != nil {
		t.Error(err)
	}
}

func TestMainHandlerReadsLambdasEnvironment(t *testing.T) {
	for name, value := range map[string]string{
		"DEAD_LETTER_QUEUE_URL": "http://queue", "STUCK_AFTER": "1m",
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
	} {
		t.Setenv(name, value)
	}
	var got aws.Config
	h, err := newMainHandler("test", struct{}{}, func(cfg aws.Config, _ struct{}) (Consumer, error) { got = cfg; return script(nil), nil })
	if err != nil {
		t.Fatal(err)
	}
	want := Settings{DeadLetterQueueURL: "http://queue", StuckAfter: time.Minute, GiveUpAge: DefaultGiveUpAge, AnswerReserve: DefaultAnswerReserve}
	if h.Settings != want {
		t.Errorf("settings %+v, want %+v", h.Settings, want)
	}
	key, err := got.Credentials.Retrieve(t.Context())
	if err != nil || key.AccessKeyID != "id" || got.Region != "eu-west-1" || *got.BaseEndpoint != "http://127.0.0.1:1" {
		t.Errorf("AWS settings: region %s, endpoint %s, key %s (%v)", got.Region, *got.BaseEndpoint, key.AccessKeyID, err)
	}
}
