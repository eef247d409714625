package simulator

import (
	"context"
	"maps"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sluice/shared/consumertest"
)

// Write is one write of an application.
type Write struct {
	N      int // counts the writes from 1: what WriteAttribute holds
	Region string
	Key    string // the item's key as a text
	// Before and After are the item before and after the write, whole; nil if
	// there is none.
	Before, After consumertest.Item
}

// Outcome is what a schedule left.
type Outcome struct {
	Writes  []Write                      // in the order in which they happened
	Items   map[string]consumertest.Item // what all regions hold, by text of the key
	Configs []aws.Config                 // of the regions, without faults
}

// Lost returns the writes that put an item which nobody has read or written over
// knowingly, and which isn't there any more: each lost against a write made at the
// same time in another region, or against what came of it.
func (o *Outcome) Lost() []Write {
	over := map[string]bool{}
	for _, w := range o.Writes {
		over[written(w.Before)] = true
	}
	for _, item := range o.Items {
		over[written(item)] = true
	}
	return slices.DeleteFunc(slices.Clone(o.Writes), func(w Write) bool { return w.After == nil || over[written(w.After)] })
}

// Followed tells whether an application wrote to the same item in the same region
// after a write, so that it may have written over what the write had lost to.
func (o *Outcome) Followed(w Write) bool {
	return slices.ContainsFunc(o.Writes, func(later Write) bool { return later.N > w.N && later.Key == w.Key && later.Region == w.Region })
}

// written returns which write an item is of.
func written(item consumertest.Item) string {
	if item == nil {
		return ""
	}
	return item[WriteAttribute].Text()
}

// judge compares the regions when all is quiet.
func (w *world) judge(ctx context.Context) {
	if w.failed() {
		return
	}
	w.account()
	w.agree()
	if w.failed() {
		return
	}
	outcome := &Outcome{Writes: w.writes, Items: maps.Clone(w.regions[0].items)}
	before := w.view(w.regions[0])
	for _, r := range w.regions {
		outcome.Configs = append(outcome.Configs, r.config)
	}
	if w.suite.Judge != nil {
		var problems []Problem
		if err := w.engine.Do(func() (err error) {
			problems, err = w.suite.Judge(context.Background(), outcome)
			return err
		}); err != nil {
			w.problem(Unexpected, "judge: %v", err)
		}
		for _, p := range problems {
			w.problem(p.Kind, "%s", p.Text)
		}
		if w.failed() {
			return
		}
	}
	w.tell("all changes are delivered once more")
	for _, r := range w.regions {
		r.waiting = nil
		for n := range r.stream {
			r.waiting = append(r.waiting, n)
		}
	}
	w.deliverAll(ctx)
	if w.failed() {
		return
	}
	w.agree()
	if after := w.view(w.regions[0]); !w.failed() && !reflect.DeepEqual(before, after) {
		w.problem(Doubled, "the items change from %v to %v although nothing is new", before, after)
	}
}

// agree checks that all regions hold the same items, and only what applications
// wrote.
func (w *world) agree() {
	first := w.regions[0]
	want := w.view(first)
	for _, r := range w.regions[1:] {
		got := w.view(r)
		for _, name := range unionKeys(want, got) {
			if want[name] != got[name] {
				w.problem(Diverged, "%s holds %s in %s, but %s in %s", name, orNothing(want, name), first.name, orNothing(got, name), r.name)
			}
		}
	}
	for id, item := range first.items {
		text := w.text(item)
		if !slices.ContainsFunc(w.writes, func(write Write) bool { return write.Key == id && write.After != nil && w.text(write.After) == text }) {
			w.problem(Unexpected, "%s holds %s, which no application has written", id, text)
		}
	}
}

// view returns what a region holds, in words.
func (w *world) view(r *region) map[string]string {
	view := map[string]string{}
	for id, item := range r.items {
		view[id] = w.text(item)
	}
	return view
}

// text is an item without what the consumer adds.
func (w *world) text(item consumertest.Item) string {
	item = maps.Clone(item)
	for _, name := range w.suite.Own {
		delete(item, name)
	}
	return consumertest.Value{"M": item}.Text()
}

// account checks that every record is done with, or kept as a dead letter: poison is, a change isn't.
func (w *world) account() {
	w.accountFor(w.poisons, "")
	for _, r := range w.regions {
		w.accountFor(records(r.stream), " in "+r.name)
	}
}

// redrive has the changes come again whose dead letters leave open what became of
// them.
func (w *world) redrive() {
	left := w.letters[:0]
	for _, letter := range w.letters {
		again := false
		for _, r := range w.regions {
			for n, c := range r.stream {
				if slices.Contains(unknown, letter.Reason) && letter.Data == encode(c.Record()) {
					again = true
					r.waiting = append(r.waiting, n)
				}
			}
		}
		if !again {
			left = append(left, letter)
		}
	}
	w.letters = left
}
