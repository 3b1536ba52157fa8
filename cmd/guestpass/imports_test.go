package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// allowedImports is the architecture: each package, and those of ours it may
// import. Imports point down this table, never up or sideways. The emulator and the
// simulator import nothing of ours: issuer and verifier must not share mistakes.
var allowedImports = map[string][]string{
	"guestpass/cmd/guestpass":               {"api", "auth", "gpttest", "internal/idp", "internal/limits", "internal/server", "internal/site", "internal/store", "openapi", "openapi/lint", "stytchtest"},
	"guestpass/internal/server":             {"api", "auth", "internal/account", "internal/connections", "internal/directory", "internal/idp", "internal/limits", "internal/site", "internal/store", "openapi"},
	"guestpass/api":                         {"auth", "internal/connections", "internal/directory", "internal/limits", "internal/store"},
	"guestpass/internal/account":            {"internal/connections", "internal/directory", "internal/headers", "internal/limits", "internal/store"},
	"guestpass/internal/connections":        {"auth", "internal/directory", "internal/store"},
	"guestpass/auth":                        {},
	"guestpass/openapi":                     {"openapi/internal/actions"},
	"guestpass/internal/directory":          {"internal/limits"},
	"guestpass/internal/headers":            {},
	"guestpass/internal/idp":                {"internal/headers", "internal/limits"},
	"guestpass/internal/limits":             {},
	"guestpass/internal/limits/redistest":   {}, // for tests only
	"guestpass/internal/site":               {"internal/headers"},
	"guestpass/internal/store":              {},
	"guestpass/internal/store/postgrestest": {}, // for tests only
	"guestpass/openapi/internal/actions":    {},
	"guestpass/openapi/lint":                {"openapi/internal/actions"},
	"guestpass/stytchtest":                  {},
	"guestpass/gpttest":                     {},
}

// resourceImports are what every other package may import: it is a resource of one's own,
// which cmd/guestpass names.
var resourceImports = []string{"api", "auth", "internal/store"}

// confined are libraries that one package alone may import.
var confined = map[string]string{
	"github.com/lestrrat-go/jwx/v2":       "guestpass/auth",
	"github.com/stytchauth/stytch-go/v16": "guestpass/internal/directory",
	"github.com/chromedp/chromedp":        "guestpass/gpttest",
	"github.com/redis":                    "guestpass/internal/limits",
	"modernc.org/sqlite":                  "guestpass/internal/store",
	"github.com/pb33f":                    "guestpass/openapi/lint",
	"github.com/sony/gobreaker/v2":        "guestpass/internal/directory",
}

func TestImportsFollowTheTable(t *testing.T) {
	for _, tags := range []string{"", "production"} {
		t.Run("tags "+tags, func(t *testing.T) {
			for _, p := range listPackages(t, tags) {
				p.followsTheTable(t)
			}
		})
	}
}

func (p listed) followsTheTable(t *testing.T) {
	allowed, known := allowedImports[p.ImportPath]
	if !known {
		allowed = resourceImports
	}
	for _, imported := range p.Imports {
		_, part := allowedImports[imported]
		named := p.ImportPath == "guestpass/cmd/guestpass" && !part
		if ours, ok := strings.CutPrefix(imported, "guestpass/"); ok && !named && !slices.Contains(allowed, ours) {
			t.Errorf("%s imports %s", p.ImportPath, imported)
		}
		for library, only := range confined {
			if strings.HasPrefix(imported, library) && p.ImportPath != only {
				t.Errorf("%s imports %s, which only %s may", p.ImportPath, imported, only)
			}
		}
	}
}

type listed struct {
	ImportPath string
	Imports    []string
}

func listPackages(t *testing.T, tags string) (packages []listed) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(goList(t, "-tags", tags, "-json=ImportPath,Imports", "guestpass/...")))
	for {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// goList runs go list. It reads the directory first: the cache of test results knows
// what a test reads, but not what the go command does, such as the other build's files.
func goList(t *testing.T, args ...string) string {
	t.Helper()
	if _, err := os.ReadDir("."); err != nil {
		t.Fatal(err)
	}
	output, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return string(output)
}
