package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryDependencyHasItsReason holds docs/dependencies.md against what the modules here ask for directly, of Go and
// of npm: each has a row with a reason, a licence and a weight, and nothing else has one.
func TestEveryDependencyHasItsReason(t *testing.T) {
	used := append(goModules(t), npmPackages(t)...)
	docs, err := os.ReadFile("../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]+) \\|(.*)\\|$").FindAllStringSubmatch(string(docs), -1) {
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			told[name[1]] = true
			if !slices.Contains(used, name[1]) {
				t.Errorf("nothing asks for %s any more: take its row away", name[1])
			}
		}
		for _, cell := range strings.Split(row[2], "|") {
			if strings.TrimSpace(cell) == "" {
				t.Errorf("%s: a reason, a licence or a weight is missing", row[1])
			}
		}
	}
	for _, name := range used {
		if !told[name] {
			t.Errorf("docs/dependencies.md has no row for %s", name)
		}
	}
}

// goModules are those that a go.mod here asks for: what code imports, and what tools are of.
func goModules(t *testing.T) (modules []string) {
	t.Helper()
	for _, folder := range []string{"..", "../scripts/gosec", "../scripts/packaging", "../scripts/pebble"} {
		out, err := exec.Command("go", "-C", folder, "mod", "edit", "-json").Output()
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Require []struct {
				Path     string
				Indirect bool
			}
			Tool []struct{ Path string }
		}
		if err := json.Unmarshal(out, &file); err != nil {
			t.Fatal(err)
		}
		for _, required := range file.Require {
			isTool := slices.ContainsFunc(file.Tool, func(tool struct{ Path string }) bool {
				return strings.HasPrefix(tool.Path, required.Path+"/")
			})
			if !required.Indirect || isTool {
				modules = append(modules, required.Path)
			}
		}
	}
	return modules
}

func npmPackages(t *testing.T) (packages []string) {
	t.Helper()
	for _, folder := range []string{"web", "acceptance", "internal/measure/peers"} {
		text, err := os.ReadFile(filepath.Join("..", folder, "package.json")) // #nosec G304 -- of the list above
		if err != nil {
			t.Fatal(err)
		}
		var file struct{ Dependencies, DevDependencies map[string]string }
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		for _, names := range []map[string]string{file.Dependencies, file.DevDependencies} {
			for name := range names {
				packages = append(packages, name)
			}
		}
	}
	return packages
}
