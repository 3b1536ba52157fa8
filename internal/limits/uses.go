package limits

import (
	"cmp"
	"maps"
	"slices"
)

// A Use is what has become of a bound since the start: of all that were made with its name.
type Use struct {
	Bound   Bound
	Places  bool // the bound is of places, and not of a rate
	InUse   int  // places taken now
	Queued  int  // who wait for one now
	Refused map[Kind]uint64
}

// used are the rates and places of one server.
type used struct {
	rates  []*Rate
	places []*Places
}

// Uses returns the use of each bound that somebody has come to, by name. A bound that is kept by a cache or a library
// is none of them. Refused has every kind of which the bound has a share, and "" for the whole.
func (l *Limits) Uses() []Use {
	if l == nil {
		return nil
	}
	l.declared.mu.Lock()
	defer l.declared.mu.Unlock()
	byName := map[string]*Use{}
	use := func(b Bound, refused map[Kind]uint64) *Use {
		u := byName[b.Name]
		if u == nil {
			u = &Use{Bound: b, Refused: map[Kind]uint64{}}
			byName[b.Name] = u
		}
		for kind, times := range refused {
			u.Refused[kind] += times
		}
		return u
	}
	for _, r := range l.declared.rates {
		use(r.bound, r.refusals())
	}
	for _, p := range l.declared.places {
		if inUse, queued, refused, entered := p.use(); entered {
			u := use(p.bound, refused)
			u.Places, u.InUse, u.Queued = true, u.InUse+inUse, u.Queued+queued
		}
	}
	var list []Use
	for _, u := range byName {
		list = append(list, *u)
	}
	slices.SortFunc(list, func(a, b Use) int { return cmp.Compare(a.Bound.Name, b.Bound.Name) })
	return list
}

// refusals returns how often the rate has refused, by the kind of the share that was used up.
func (r *Rate) refusals() map[Kind]uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.refused)
}

func (p *Places) use() (inUse, queued int, refused map[Kind]uint64, entered bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken, p.waiting.Len(), maps.Clone(p.refused), p.entered
}

// none are zeros for the kinds of the bound's shares, and for the whole.
func (b Bound) none() map[Kind]uint64 {
	refused := map[Kind]uint64{}
	if b.Number > 0 {
		refused[""] = 0
	}
	for kind := range b.Shares {
		refused[kind] = 0
	}
	return refused
}

// Sharing reports whether instances are to count together in a Redis, and whether they do: else each counts by itself.
func (l *Limits) Sharing() (wanted, counting bool) {
	if l == nil || l.shared == nil {
		return false, false
	}
	return true, l.shared.away.retryAt.Load() == 0
}
