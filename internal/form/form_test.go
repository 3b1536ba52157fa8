package form_test

import (
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"guestpass/internal/form"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		text string
		want url.Values
	}{
		{"", url.Values{}},
		{"a=1", url.Values{"a": {"1"}}},
		{"a=1&b=2&a=3", url.Values{"a": {"1", "3"}, "b": {"2"}}},
		{"%6Cimit=5", url.Values{"limit": {"5"}}},
		{"limit=1&%6Cimit=2", url.Values{"limit": {"1", "2"}}},
		{"a=b=c", url.Values{"a": {"b=c"}}},
		{"a+b=c+d%2B", url.Values{"a b": {"c d+"}}},
		{"a=%00", url.Values{"a": {"\x00"}}},
		{"a=%3B%26%3D%25", url.Values{"a": {";&=%"}}},
		{"a=gr%C3%BCn&b=grün", url.Values{"a": {"grün"}, "b": {"grün"}}},
		{"a", url.Values{"a": {""}}},
		{"a&a", url.Values{"a": {"", ""}}},
		{"a=", url.Values{"a": {""}}},
		{"&a=1&&b=2&", url.Values{"a": {"1"}, "b": {"2"}}},
	} {
		if got, err := form.Parse(tt.text); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%q: %v %v, want %v", tt.text, got, err, tt.want)
		}
	}
}

func TestParseRefusesWhatCannotBeRead(t *testing.T) {
	for _, tt := range []struct{ text, name, reason string }{
		{"search=100%", "search", "write %25"},
		{"state=%zz", "state", "write %25"},
		{"limit=%", "limit", "write %25"},
		{"assignee=%G1", "assignee", "write %25"},
		{"ok=1&%73earch=%4", "search", "write %25"},
		{"a%=1", "", "write %25"},
		{"a=1;b=2", "a", "write %3B"},
		{"a;b=2", "", "write %3B"},
		{"a=%FF", "a", "UTF-8"},
		{"a=\xff", "a", "UTF-8"},
		{"a=%ED%A0%80", "a", "UTF-8"}, // a surrogate
		{"a=%C0%AF", "a", "UTF-8"},    // overlong
		{"%FF=1", "", "UTF-8"},
		{"=x", "", "no name"},
		{"=", "", "no name"},
		{"a=1&=", "", "no name"},
	} {
		values, err := form.Parse(tt.text)
		var fault *form.Fault
		if !errors.As(err, &fault) || values != nil || fault.Name != tt.name ||
			!strings.Contains(fault.Reason, tt.reason) {
			t.Errorf("%q: %v %v, want %s for %q", tt.text, values, err, tt.reason, tt.name)
		}
	}
}

// What Parse accepts, the standard library's lenient reader understands in the same way.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"a=1&b=2", "a=%zz", "a;b", "%6C=+&&x", "=", "a=%00", "\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		strict, err := form.Parse(text)
		lenient, lenientErr := url.ParseQuery(text)
		if err != nil {
			return
		}
		if lenientErr != nil || !reflect.DeepEqual(strict, lenient) {
			t.Errorf("%q: %v, the standard library reads %v (%v)", text, strict, lenient, lenientErr)
		}
		if again, err := form.Parse(strict.Encode()); err != nil || !reflect.DeepEqual(again, strict) {
			t.Errorf("%q: %v becomes %v (%v) when it is encoded", text, strict, again, err)
		}
	})
}
