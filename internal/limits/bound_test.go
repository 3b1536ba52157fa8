package limits

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func as(t *testing.T, p Party) context.Context {
	t.Helper()
	return WithParty(t.Context(), p)
}

func TestABoundSaysWhoseItIs(t *testing.T) {
	for name, b := range map[string]Bound{
		"no name":                    {Number: 5, Of: "the server"},
		"nobody's":                   {Name: "x", Number: 5},
		"no number":                  {Name: "x", Of: "the server"},
		"a share that is the whole":  {Name: "x", Number: 5, Shares: Shares{Person: 5}},
		"a share of nothing":         {Name: "x", Number: 5, Shares: Shares{Person: 0}},
		"a share of an unknown kind": {Name: "x", Number: 5, Shares: Shares{"galaxy": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v is made", b)
				}
			}()
			new(Limits).Places(b)
		})
	}
}

func TestWhatIsMadeIsOnTheList(t *testing.T) {
	l := open(t, Options{})
	before := len(l.Bounds())
	l.Places(Bound{Name: "b places", Number: 5, Shares: Shares{Person: 2}})
	l.Rate(Bound{Name: "c rate", Number: 5, Of: "the server"})
	NewCache[int](l, Bound{Name: "d cache", Number: 5, Shares: Shares{Address: 2}})
	l.Declare(Bound{Name: "a breaker", Number: 5, Of: "the server"})
	var names []string
	for _, b := range l.Bounds() {
		names = append(names, b.Name)
	}
	if len(names) != before+4 || !slices.IsSorted(names) {
		t.Errorf("the list: %v", names)
	}
}

// Each kind's share is its own: none takes another's place, and the whole is not more.
func TestAPartyHoldsNoMoreThanItsShare(t *testing.T) {
	for kind, parties := range map[Kind][2]Party{
		Address:         {{Address: "192.0.2.1"}, {Address: "192.0.2.2"}},
		Anonymous:       {{Address: "192.0.2.1"}, {Person: "ada"}},
		Client:          {{Client: "gpt"}, {Client: "docs"}},
		Person:          {{Person: "ada"}, {Person: "grace"}},
		Organization:    {{Organization: "acme"}, {Organization: "globex"}},
		Operation:       {{Operation: "list"}, {Operation: "create"}},
		Member:          {{Person: "ada", Client: "gpt"}, {Person: "ada", Client: "docs"}},
		ClientOfAddress: {{Address: "192.0.2.1", Client: "gpt"}, {Address: "192.0.2.1", Client: "docs"}},
	} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := new(Limits).Places(Bound{Name: "x", Number: 3, Shares: Shares{kind: 2}})
				for range 2 {
					if _, err := p.Enter(as(t, parties[0])); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := p.Enter(as(t, parties[0])); !errors.Is(err, ErrBusy) {
					t.Errorf("beyond the share: %v", err)
				}
				leave, err := p.Enter(as(t, parties[1]))
				if err != nil {
					t.Fatalf("another's share: %v", err)
				}
				if _, err := p.Enter(as(t, parties[1])); !errors.Is(err, ErrBusy) {
					t.Errorf("beyond the whole: %v", err)
				}
				leave()
				leave() // which is once
				if _, err := p.Enter(as(t, parties[1])); err != nil {
					t.Errorf("after one has left: %v", err)
				}
			})
		})
	}
}

// Who waits for the party's own place is passed by those whose share is free, and the queue
// has shares as well.
func TestAPartyWaitsInItsShareOfTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ada, grace := as(t, Party{Person: "ada"}), as(t, Party{Person: "grace"})
		p := new(Limits).Places(Bound{Name: "x", Number: 4, Queue: 4, Shares: Shares{Person: 2}})
		leave, err := p.Enter(ada)
		if _, second := p.Enter(ada); err != nil || second != nil {
			t.Fatal(err, second)
		}
		in := make(chan error)
		for range 2 {
			go func() { _, err := p.Enter(ada); in <- err }()
		}
		synctest.Wait()
		start := time.Now()
		if _, err := p.Enter(ada); !errors.Is(err, ErrBusy) || time.Since(start) != 0 {
			t.Errorf("the third in a queue of two: %v after %s", err, time.Since(start))
		}
		if _, err := p.Enter(grace); err != nil || time.Since(start) != 0 {
			t.Errorf("another person: %v after %s", err, time.Since(start))
		}
		leave()
		if err := <-in; err != nil {
			t.Errorf("the first who waited: %v", err)
		}
		if err := <-in; !errors.Is(err, ErrBusy) || time.Since(start) != queueTimeout {
			t.Errorf("the second: %v after %s", err, time.Since(start))
		}
		if _, err := p.Enter(ada); !errors.Is(err, ErrBusy) || time.Since(start) != queueTimeout {
			t.Errorf("when waiting does not help: %v after %s", err, time.Since(start))
		}
		if _, err := p.Enter(grace); err != nil {
			t.Errorf("another person, whom that does not concern: %v", err)
		}
	})
}

func TestWhoGivesUpLeavesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(Limits).Places(Bound{Name: "x", Number: 1, Queue: 1, Of: "the test"})
		leave, err := p.Enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		in := make(chan error)
		go func() { _, err := p.Enter(ctx); in <- err }()
		synctest.Wait()
		cancel()
		if err := <-in; !errors.Is(err, ErrBusy) || !errors.Is(err, context.Canceled) {
			t.Errorf("who gave up: %v", err)
		}
		go func() { _, err := p.Enter(t.Context()); in <- err }()
		synctest.Wait()
		leave()
		if err := <-in; err != nil {
			t.Errorf("who waited after that: %v", err)
		}
		if len(p.held) != 1 || len(p.queued) != 0 || p.waiting.Len() != 0 {
			t.Errorf("left behind: %v %v %d", p.held, p.queued, p.waiting.Len())
		}
	})
}

func TestARateCountsForEveryShareOrForNone(t *testing.T) {
	r := new(Limits).Rate(Bound{Name: "x", Number: 5, Shares: Shares{Address: 2, ClientOfAddress: 1}})
	take := func(address, client string) string {
		if _, e := r.Take(Party{Address: address, Client: client}); e != nil {
			return e.Policy
		}
		return ""
	}
	for i, tt := range []struct{ address, client, want string }{
		{"a", "gpt", ""}, {"a", "gpt", string(ClientOfAddress)}, {"a", "docs", ""}, {"a", "more", string(Address)},
		{"b", "gpt", ""}, {"b", "more", ""}, {"c", "gpt", ""}, {"c", "more", "x"},
		{"a", "gpt", string(ClientOfAddress)},
	} {
		if got := take(tt.address, tt.client); got != tt.want {
			t.Errorf("%d, %s of %s: refused for %q, want %q", i, tt.client, tt.address, got, tt.want)
		}
	}
	if e := r.Exceeded(Party{Address: "d"}); e == nil || e.Policy != "x" {
		t.Errorf("looked at: %+v", e)
	}
}

func TestACacheKeepsNoMoreOfAPartyThanItsShare(t *testing.T) {
	now := time.Now()
	c := NewCache[int](nil, Bound{Name: "x", Number: 10, Shares: Shares{Address: 3}})
	c.Put(Party{Address: "b"}, "kept", 7, now.Add(time.Minute))
	for i := range 100 {
		c.Put(Party{Address: "a"}, fmt.Sprint(i), i, now.Add(time.Minute))
	}
	if value, found := c.Get("kept", now); !found || value != 7 || c.entries.Len() != 4 {
		t.Errorf("another's: %d %t, of %d", value, found, c.entries.Len())
	}
	if value, found := c.Get("99", now); !found || value != 99 {
		t.Errorf("the latest of its own: %d %t", value, found)
	}
	for i := range 100 {
		c.Put(Party{Address: fmt.Sprint(i)}, fmt.Sprint(i), i, now.Add(time.Minute))
	}
	if c.entries.Len() != 10 {
		t.Errorf("%d are kept", c.entries.Len())
	}
	c.Put(Party{Address: "z"}, "z", 1, now.Add(time.Second))
	if _, found := c.Get("z", now.Add(time.Second)); found {
		t.Error("what is over is found")
	}
	if c.Drop("z"); c.entries.Len() != 9 {
		t.Errorf("%d are kept", c.entries.Len())
	}
}
