package capacity

import "github.com/shopspring/decimal"

// Cost is what something costs a month, line by line.
type Cost struct {
	Lines   []Line          `json:"cost"`
	USD     decimal.Decimal `json:"usdPerMonth"`
	Million decimal.Decimal `json:"usdPerMillionChanges"`
}

// Line is one line of a bill.
type Line struct {
	What   string          `json:"what"`
	Amount decimal.Decimal `json:"amount"` // a month, in what the price is for
	Price  string          `json:"price"`  // its name in the prices
	USD    decimal.Decimal `json:"usdPerMonth"`
}

var (
	// A month has 730 hours, as AWS's own calculator (https://calculator.aws) takes it.
	monthHours   = decimal.NewFromInt(730)
	monthSeconds = monthHours.Mul(decimal.NewFromInt(3600))
	million      = decimal.NewFromInt(1_000_000)
	gigabyte     = decimal.NewFromInt(1_000_000_000)
)

// putUnitBytes is what a PUT payload unit of Kinesis holds.
const putUnitBytes = 25 * KB

func (c *Cost) add(what, price string, amount decimal.Decimal) {
	if amount.IsZero() {
		return
	}
	usd := amount.Mul(prices().Of[price].USD)
	c.Lines = append(c.Lines, Line{What: what, Amount: amount, Price: price, USD: usd})
	c.USD = c.USD.Add(usd)
}

// millions is how many millions there are in a month of so many a second.
func millions(perSecond decimal.Decimal) decimal.Decimal {
	return perSecond.Mul(monthSeconds).Div(million)
}

func perMillion(usd decimal.Decimal, l Load) decimal.Decimal {
	if l.Changes == 0 {
		return decimal.Zero
	}
	return usd.Div(millions(decimal.NewFromInt(l.Changes)))
}

// charge adds the lines of the bill. Capture units are for each KB of the larger image
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/kds.html): a total is below 1 KB.
func (s *Stream) charge(l Load) {
	changes, shardHours := decimal.NewFromInt(l.Changes), decimal.NewFromInt(s.Shards).Mul(monthHours)
	s.add("shards", "shardHour", shardHours)
	s.add("retention of 7 days", "retentionShardHour", shardHours)
	units := decimal.NewFromInt(int64((s.RecordBytes + putUnitBytes - 1) / putUnitBytes))
	s.add("PUT payload units", "putUnits", millions(changes.Mul(units).Add(s.Totals)))
	s.add("change data capture units", "captureUnits", millions(changes.Mul(decimal.NewFromInt(l.Item.units())).Add(s.Totals)))
	s.Million = perMillion(s.USD, l)
}

func (f *Function) charge(l Load, s Stream) {
	if f.FanOut {
		f.add("enhanced fan-out, hours", "fanOutHour", decimal.NewFromInt(s.Shards).Mul(monthHours))
		f.add("enhanced fan-out, data", "fanOutGB", s.Bytes.Mul(monthSeconds).Div(gigabyte))
	}
	f.add("Lambda invocations", "invocations", millions(f.Invocations))
	f.add("Lambda GB-seconds", "gbSeconds", f.GBSeconds.Mul(monthSeconds))
	f.add("DynamoDB write units", "writeUnits", millions(f.WriteUnits))
	f.add("DynamoDB read units", "readUnits", millions(f.ReadUnits))
	f.add("SNS notices", "notices", millions(f.Notices))
	if f.profile.OtherRegion {
		copied := decimal.NewFromInt(l.Changes).Mul((l.Item + f.profile.MarkBytes).decimal())
		f.add("data to another region", "transferGB", copied.Mul(monthSeconds).Div(gigabyte))
	}
	f.Million = perMillion(f.USD, l)
}
