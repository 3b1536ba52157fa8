package actions

import "testing"

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		text, value string
		want        bool
	}{
		{"One of: a, an, and", "an", true},
		{"Any band", "an", false},
		{"Any band, or an", "an", true},
		{"in_progress or done", "progress", false},
		{"naïve", "na", false},
		{"", "x", false},
		{"anything", "", true},
		{"ends with open", "open", true},
	} {
		if got := Names(tt.text, tt.value); got != tt.want {
			t.Errorf("Names(%q, %q) = %v", tt.text, tt.value, got)
		}
	}
}
