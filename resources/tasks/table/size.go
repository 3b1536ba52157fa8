package table

import "guestpass/store"

// How much space a row takes beside its texts, for identifiers and its entries in the indexes. Measured, and rounded
// up.
const (
	taskOverhead    = 1800
	commentOverhead = 600

	labelOverhead = 600
)

// termOverhead is what a word takes in the search index, beside its letters, if no other task has it.
var termOverhead = map[store.Database]int64{store.SQLite: 10, store.Postgres: 64}

// size returns what a task takes without its words in the search index.
func (t Task) size() int64 {
	return int64(taskOverhead + len(t.Title) + len(t.Notes) + labelOverhead*len(t.Labels))
}

// terms returns the words and pairs of a task, each once.
func (t Task) terms() map[string]bool {
	terms := map[string]bool{}
	for _, piece := range t.pieces() {
		for _, unit := range piece {
			terms[unit] = true
		}
		for _, pair := range piece.pairs() {
			terms[pair] = true
		}
	}
	return terms
}

// sizeOf returns what a task takes, in place of an old one. Postgres never removes a word from an index, so there only
// new ones are counted.
func sizeOf(tx *store.Tx, t, old Task) int64 {
	if old.ID != "" && t.Title == old.Title && t.Notes == old.Notes {
		return old.bytes + t.size() - old.size()
	}
	terms, size := t.terms(), t.size()
	if tx.Database() == store.Postgres && old.ID != "" {
		for term := range old.terms() {
			delete(terms, term)
		}
		size += old.bytes - old.size()
	}
	for term := range terms {
		size += int64(len(term)) + termOverhead[tx.Database()]
	}
	return size
}
