package lint

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const labCallback = "http://127.0.0.1:49567/callback"

// brokenRules returns the rules that a report says are broken, each once.
func brokenRules(r *Report) (broken []string) {
	for _, f := range r.Findings {
		if !slices.Contains(broken, f.Rule) {
			broken = append(broken, f.Rule)
		}
	}
	slices.Sort(broken)
	return broken
}

func listed(r *Report) string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s %s %s: %s\n", f.Severity, f.Rule, f.Place, f.Problem)
	}
	for _, s := range r.Skipped {
		fmt.Fprintf(&b, "skipped, %s: %v\n", s.Reason, s.Rules)
	}
	return b.String()
}

func TestAServerWithWhichNothingIsWrong(t *testing.T) {
	for _, tt := range []struct {
		name    string
		change  func(*lab)
		skipped string
	}{
		{"that wants a token", func(*lab) {}, "M023 M024 M025 M028"},
		{"that is open", func(l *lab) { l.open = true }, "M001 M002 M003"},
		{"of the versions with initialize", func(l *lab) { l.modern = false }, "M062 M063"},
		{"of 2026-07-28", func(l *lab) { l.legacy = false }, "M043 M044 M045"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t)
			tt.change(l)
			r := l.check(l.options())
			want := ""
			if !l.modern {
				want = "M060"
			}
			if got := strings.Join(brokenRules(r), " "); got != want {
				t.Errorf("broken are %q, want %q\n%s", got, want, listed(r))
			}
			seen := len(r.Kept)
			for _, s := range r.Skipped {
				seen += len(s.Rules)
				if s.Reason == "the check ended before" {
					t.Errorf("no check looks at %v", s.Rules)
				}
			}
			if seen += len(brokenRules(r)); seen != len(Rules()) {
				t.Errorf("%d rules are kept, broken or skipped, and there are %d", seen, len(Rules()))
			}
			if n := len(l.seen); n > 130 {
				t.Errorf("%d requests were sent", n)
			}
			if l.calls(addNote) > 0 || l.calls(getNote) == 0 || l.calls(listNotes) == 0 {
				t.Errorf("called were addNote %d times, getNote %d times, listNotes %d times", l.calls(addNote),
					l.calls(getNote), l.calls(listNotes))
			}
		})
	}
}
