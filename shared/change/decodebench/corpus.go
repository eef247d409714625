package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
)

// payload makes what Lambda would hand to a consumer: n records of the given corpus, always the same ones. A fifth are inserts,
// a tenth removes (half of them by TTL), the others modifies.
func payload(corpus string, n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	item := map[string]func(*rand.Rand) (keys string, image func() string){"small": small, "rich": rich}[corpus]
	var b bytes.Buffer
	b.WriteString(`{"Records":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		keys, image := item(r)
		sequence := fmt.Sprintf("495903382714902565596927%032d", 1_000_000+i)
		fmt.Fprintf(&b, `{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":"%032X","sequenceNumber":"%s","data":"%s",`+
			`"approximateArrivalTimestamp":%d.%03d},"eventSource":"aws:kinesis","eventVersion":"1.0",`+
			`"eventID":"shardId-000000000006:%s","eventName":"aws:kinesis:record",`+
			`"invokeIdentityArn":"arn:aws:iam::123456789012:role/leaderboard","awsRegion":"us-east-1",`+
			`"eventSourceARN":"arn:aws:kinesis:us-east-1:123456789012:stream/changes"}`,
			r.Uint64(), sequence, base64.StdEncoding.EncodeToString(record(r, i, corpus, keys, image)),
			1_767_139_200+i/100, i%1000, sequence)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

func record(r *rand.Rand, i int, table, keys string, image func() string) []byte {
	kind, identity := "MODIFY", "null"
	var images string
	switch {
	case i%10 < 2:
		kind, images = "INSERT", `"NewImage":`+image()
	case i%10 == 9:
		kind, images = "REMOVE", `"OldImage":`+image()
		if i%20 == 19 {
			identity = `{"type":"Service","principalId":"dynamodb.amazonaws.com"}`
		}
	default:
		images = `"NewImage":` + image() + `,"OldImage":` + image()
	}
	return fmt.Appendf(nil, `{"awsRegion":"us-east-1","eventID":"%08x-%04x-4%03x-a%03x-%012x","eventName":"%s","userIdentity":%s,`+
		`"recordFormat":"application/json","tableName":"%s","dynamodb":{"ApproximateCreationDateTime":%d,"Keys":%s,%s,"SizeBytes":%d,`+
		`"ApproximateCreationDateTimePrecision":"MICROSECOND"},"eventSource":"aws:dynamodb"}`,
		r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), r.IntN(1<<12), r.Int64N(1<<48), kind, identity,
		table, 1_767_139_200_000_000+int64(i)*1517, keys, images, len(images)/2)
}

// small is an item of three attributes: a record of about 600 bytes.
func small(r *rand.Rand) (keys string, image func() string) {
	both := fmt.Sprintf(`"Sensor":{"S":"user-%06d"},"WrittenAt":{"N":"%d"}`, r.IntN(100_000), 1_767_139_200_000_000+r.Int64N(1e12))
	return "{" + both + "}", func() string { return fmt.Sprintf(`{%s,"Value":{"N":"%d"}}`, both, r.IntN(10_000)) }
}

// rich is an item of about 1 KB with nested and binary values, and text with escapes: a record of about 2.7 KB.
func rich(r *rand.Rand) (keys string, image func() string) {
	both := fmt.Sprintf(`"pk":{"S":"OWNER#%06d"},"sk":{"S":"DOC#%08x"}`, r.IntN(100_000), r.Uint32())
	words := strings.Fields(`calm friendly loves long walks and a \"warm\" place near the café window; eats twice today, shy with strangers\nplays well`)
	vets := []string{"Alvarez", "Brandt", "Chen"}
	return "{" + both + "}", func() string {
		var about strings.Builder
		for about.Len() < 330 {
			about.WriteString(words[r.IntN(len(words))] + " ")
		}
		photo := make([]byte, 48)
		for i := range photo {
			photo[i] = byte(r.Uint32())
		}
		twice := base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString(photo)))
		visits := make([]string, 4)
		for i := range visits {
			visits[i] = fmt.Sprintf(`{"M":{"date":{"S":"2025-%02d-%02d"},"vet":{"S":"Dr %s"},"cost":{"N":"%d.%02d"}}}`,
				1+r.IntN(12), 1+r.IntN(28), vets[r.IntN(len(vets))], r.IntN(300), r.IntN(100))
		}
		return fmt.Sprintf(`{%s,"name":{"S":"Rex %d"},"variety":{"S":"dog"},"maker":{"S":"border collie"},"description":{"S":"%s"},`+
			`"weightKg":{"N":"%d.%d"},"vaccinated":{"BOOL":true},"tips":{"SS":["agility","calm","indoor","neutered","vip"]},`+
			`"visits":{"L":[%s]},"photo":{"B":"%s"},"owner":{"M":{"id":{"S":"own-%06d"},"name":{"S":"María L%d"},"fax":{"NULL":true},`+
			`"phones":{"L":[{"S":"+1-202-555-0%03d"},{"S":"+1-202-555-0%03d"}]},`+
			`"address":{"M":{"street":{"S":"%d Elm Street"},"city":{"S":"Springfield"},"zip":{"S":"%05d"},"country":{"S":"US"}}}}}}`,
			both, r.IntN(1000), about.String(), r.IntN(60), r.IntN(10), strings.Join(visits, ","), twice,
			r.IntN(1_000_000), r.IntN(1000), r.IntN(1000), r.IntN(1000), r.IntN(999), r.IntN(99_999))
	}
}
