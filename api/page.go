package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"guestpass/auth"
)

// MaxPage bounds a page of a list, in bytes of JSON: ChatGPT takes fewer than 100,000
// characters, and what surrounds the elements needs room as well.
const MaxPage = 85_000

// A Page is the part of a list that a call asks for.
type Page struct {
	After string // the position behind which the page begins, as the list's own operation gave it; "": at the beginning
	Limit int    // how many elements to show at most

	cursors cursorSigner
	list    []string
}

// Paged is the usual limit and cursor of a list, to be embedded in the operation's input. The operation's Docs say what
// they mean there.
type Paged struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"25"`
	Cursor string `query:"cursor" maxLength:"2000"`
}

// PageOf reads which page a call of a list operation asks for. in points to the operation's input, which has the query
// parameters cursor and limit, as [Paged] has. A cursor is signed together with everything else that the input says,
// the operation, the person and the app, so that no filter can be forgotten: one that belongs to another list is
// refused with 422. The context is the handler's.
func PageOf(ctx context.Context, s *Service, in any) (Page, error) {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		return Page{}, errors.New("PageOf outside of an operation: pass on the context that the handler was given")
	}
	identity := auth.From(ctx)
	p := Page{cursors: s.cursors, list: []string{c.operation.ID, identity.Owner(), identity.Subject, identity.ClientID}}
	var cursor string
	if err := p.read(reflect.Indirect(reflect.ValueOf(in)), &cursor); err != nil {
		return Page{}, err
	}
	if p.After, ok = s.cursors.open(cursor, p.list...); !ok {
		return Page{}, Invalid("query.cursor", "is not a cursor of this list; pass next_cursor unchanged, with the "+
			"same filters, or leave it out")
	}
	return p, nil
}

// read takes the input apart, field by field, in the order of their declaration.
func (p *Page) read(in reflect.Value, cursor *string) error {
	for i := range in.NumField() {
		field, value := in.Type().Field(i), in.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("query")+field.Tag.Get("path"), ",")
		switch {
		case field.Anonymous && field.Type.Kind() == reflect.Struct:
			if err := p.read(value, cursor); err != nil {
				return err
			}
		case name == "cursor":
			*cursor = value.String()
		case name == "limit":
			if !value.CanInt() {
				return fmt.Errorf("the field %s of the input is tagged query:\"limit\" and is no int: make it one",
					field.Name)
			}
			p.Limit = int(value.Int())
		case name != "":
			text, err := json.Marshal(value.Interface())
			if err != nil {
				return fmt.Errorf("sign the filter %s: %w", name, err)
			}
			p.list = append(p.list, name, string(text))
		}
	}
	return nil
}

// Next returns the cursor for what comes behind a position; "" for the empty position, which is the end of the list.
func (p Page) Next(position string) string { return p.cursors.seal(position, p.list...) }

// Cut shows as many of the stored elements as the page has room for, fewer than its limit if the reply would be too
// large, but one at least. next is the cursor behind the last one shown if there are more, else "": so that this is
// known, read one element more than the limit.
func Cut[Stored, Shown any](p Page, stored []Stored, show func(Stored) Shown, position func(Stored) string) (
	shown []Shown, next string, err error) {
	shown = []Shown{}
	size := 0
	for i, element := range stored {
		one := show(element)
		encoded, err := json.Marshal(one)
		if err != nil {
			return nil, "", err
		}
		if size += len(encoded); i == p.Limit || (size > MaxPage && i > 0) {
			return shown, p.Next(position(stored[i-1])), nil
		}
		shown = append(shown, one)
	}
	return shown, "", nil
}
