package api

import "encoding/json"

// maxReply bounds a page, in bytes of JSON: ChatGPT takes fewer than 100,000
// characters, and what surrounds the elements needs room as well.
const maxReply = 85_000

// cutPage shows up to limit of the stored elements, fewer if the reply would be too
// large, but one at least. last is the index of the last one shown if there are more,
// else -1; so that it can tell, read one element more than the limit.
func cutPage[Stored, Shown any](stored []Stored, limit int, show func(Stored) Shown) (page []Shown, last int,
	err error) {
	page = []Shown{}
	size := 0
	for i, element := range stored {
		shown := show(element)
		encoded, err := json.Marshal(shown)
		if err != nil {
			return nil, -1, err
		}
		if size += len(encoded); i == limit || (size > maxReply && i > 0) {
			return page, i - 1, nil
		}
		page = append(page, shown)
	}
	return page, -1, nil
}
