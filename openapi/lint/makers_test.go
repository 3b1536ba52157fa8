//go:build !production

package lint

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestDocumentsInTheMannerOfTenMakers holds what is found in each, what mending changes and
// what is left against lists that were judged line by line.
func TestDocumentsInTheMannerOfTenMakers(t *testing.T) {
	names, err := filepath.Glob("testdata/makers/*.*")
	if err != nil {
		t.Fatal(err)
	}
	judged := 0
	for _, name := range names {
		if strings.HasSuffix(name, ".golden") {
			continue
		}
		judged++
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		golden, got := name+".golden", verdict(t, source)
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(golden); err != nil || string(want) != got {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
	if judged != 10 {
		t.Errorf("%d documents", judged)
	}
}

func verdict(t *testing.T, source []byte) string {
	var b strings.Builder
	list := func(findings []Finding) {
		for _, f := range findings {
			fmt.Fprintf(&b, "  %-7s %s %s: %s\n", f.Severity, f.Rule, f.Place, f.Problem)
		}
	}
	fmt.Fprintln(&b, "found")
	list(Check(t.Context(), source, Options{}))
	mended, err := Fix(t.Context(), source, Options{})
	if err != nil {
		fmt.Fprintln(&b, "not mended:", err)
		return b.String()
	}
	for title, changes := range map[string][]Change{"kept": mended.Kept} {
		if len(changes) > 0 {
			fmt.Fprintln(&b, title, changes)
		}
	}
	fmt.Fprintln(&b, "changed")
	for _, c := range mended.Changes {
		fmt.Fprintf(&b, "  %s: %s\n", c.Place, c.What)
	}
	fmt.Fprintln(&b, "left")
	list(mended.Left)
	return b.String()
}
