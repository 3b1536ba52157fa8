package lint

import (
	"fmt"
	"os"
	"testing"
)

func TestOwn(t *testing.T) {
	source, err := os.ReadFile("/tmp/stytch.yaml")
	if err != nil {
		t.Skip()
	}
	for _, f := range Check(t.Context(), source, Options{}) {
		fmt.Println(f.Severity, f.Rule, f.Line, f.Pointer, "|", f.Place, "|", f.Problem)
	}
	fixed, left, err := Fix(t.Context(), source, Options{})
	fmt.Println(string(fixed), err)
	for _, f := range left {
		fmt.Println(f.Severity, f.Rule, f.Line, f.Pointer, "|", f.Place, "|", f.Problem)
	}
}
