package main

import (
	"io"
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	reviewed := map[string]string{"GO-2026-0001 example.com/known": "not imported"}
	known := finding{OSV: "GO-2026-0001", Module: "example.com/known"}
	imported := finding{OSV: "GO-2026-0001", Module: "example.com/known", Package: "example.com/known/weak"}
	for _, tt := range []struct {
		name     string
		findings []finding
		problem  string
	}{
		{"what is reviewed passes", []finding{known}, ""},
		{"a package is not excused by the review of its module",
			[]finding{known, imported}, "GO-2026-0001 example.com/known/weak"},
		{"a module is reviewed as well", []finding{known, {OSV: "GO-2026-0002", Module: "example.com/other"}},
			"GO-2026-0002 example.com/other"},
		{"a review of what is not there fails", nil, "GO-2026-0001 example.com/known is reviewed but not there"},
		{"the standard library is the machine's",
			[]finding{known, {OSV: "GO-2026-0003", Module: "stdlib", Package: "net/http",
				Fixed: "v1.26.9"}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := judge(io.Discard, tt.findings, reviewed)
			if (err == nil) != (tt.problem == "") || (err != nil && !strings.Contains(err.Error(), tt.problem)) {
				t.Errorf("problems: %v, want %q", err, tt.problem)
			}
		})
	}
}
