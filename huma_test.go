package guestpass

import (
	"reflect"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

// fault is what a program around could have made Huma's type of errors.
type fault struct {
	Task string `json:"task"`
}

func (fault) Error() string  { return "" }
func (fault) GetStatus() int { return 500 }

// The published document is the same whatever the program around has set in package huma, and that stays as it is.
func TestADocumentIsTheSameInEveryProgram(t *testing.T) {
	tag := inventoried(t).Document().ETag()
	nullable, strict, made := huma.DefaultArrayNullable, huma.ValidateStrictCasing, huma.NewError
	t.Cleanup(func() { huma.DefaultArrayNullable, huma.ValidateStrictCasing, huma.NewError = nullable, strict, made })
	for range 2 {
		huma.DefaultArrayNullable, huma.ValidateStrictCasing = !huma.DefaultArrayNullable, !huma.ValidateStrictCasing
		huma.NewError = func(int, string, ...error) huma.StatusError { return fault{} }
		nullable, strict, made := huma.DefaultArrayNullable, huma.ValidateStrictCasing, reflect.ValueOf(huma.NewError).
			Pointer()
		if got := inventoried(t).Document().ETag(); got != tag {
			t.Errorf("the document is %s, want %s", got, tag)
		}
		if huma.DefaultArrayNullable != nullable || huma.ValidateStrictCasing != strict ||
			reflect.ValueOf(huma.NewError).Pointer() != made {
			t.Error("a setting of the program around was changed")
		}
	}
}
