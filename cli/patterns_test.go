package cli

import (
	"regexp"
	"testing"

	"guestpass/internal/pattern"
)

// A faulty pattern would panic when somebody first comes to it.
func TestEveryPatternCompiles(t *testing.T) {
	all := pattern.All()
	if len(all) < 50 {
		t.Fatalf("the program has %d patterns: does this test import it?", len(all))
	}
	for _, p := range all {
		if _, err := regexp.Compile(p.String()); err != nil {
			t.Error(err)
		}
	}
}
