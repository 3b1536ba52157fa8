package cli

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
// simulator import nothing of ours but their own parts: issuer and verifier must not
// share mistakes.
var allowedImports = map[string][]string{
	"guestpass/cmd/guestpass": {"cli", "resources"},
	"guestpass/cli": {"", "api", "auth", "gpttest", "internal/clients", "internal/credentials", "internal/idp",
		"internal/limits", "internal/site", "internal/stytch", "internal/text", "internal/upstream", "mcptest", "openapi",
		"openapi/lint", "store", "stytchtest"},
	"guestpass": {"api", "auth", "directory", "internal/account", "internal/clients", "internal/connections",
		"internal/credentials", "internal/idp", "internal/inside", "internal/limits", "internal/site", "internal/stytch",
		"internal/upstream", "mcp", "openapi", "store"},
	"guestpass/guestpasstest": {"", "api", "auth", "internal/postgrestest", "store", "stytchtest"},
	"guestpass/mcp":           {"api", "auth", "internal/jsonparts", "internal/strictjson", "openapi"},
	"guestpass/internal/account": {"directory", "internal/connections", "internal/form", "internal/headers",
		"internal/limits", "internal/stytch", "internal/text", "store"},
	"guestpass/internal/connections": {"auth", "directory", "internal/clients", "internal/limits", "internal/stytch",
		"store"},
	"guestpass/resources":             {"api", "resources/activity", "resources/members", "resources/profile", "resources/tasks"},
	"guestpass/resources/activity":    resourceImports,
	"guestpass/resources/members":     resourceImports,
	"guestpass/resources/profile":     resourceImports,
	"guestpass/resources/tasks":       append([]string{"resources/tasks/table"}, resourceImports...),
	"guestpass/resources/tasks/table": {"store"},
	"guestpass/api": {"auth", "directory", "internal/credentials", "internal/form", "internal/jsonparts",
		"internal/limits", "internal/strictjson", "internal/text", "store"},
	"guestpass/auth":      {"internal/cache", "internal/credentials", "internal/strictjson", "internal/upstream"},
	"guestpass/directory": {},
	"guestpass/store":     {},
	"guestpass/openapi":   {"openapi/internal/actions"},
	"guestpass/internal/idp": {"internal/clients", "internal/credentials", "internal/form", "internal/headers",
		"internal/limits", "internal/upstream"},
	"guestpass/internal/inside": {"internal/limits", "internal/stytch"},
	"guestpass/internal/stytch": {"directory", "internal/credentials", "internal/limits", "internal/text",
		"internal/upstream"},
	"guestpass/internal/cache":            {},
	"guestpass/internal/clients":          {"internal/credentials"},
	"guestpass/internal/credentials":      {},
	"guestpass/internal/form":             {},
	"guestpass/internal/headers":          {},
	"guestpass/internal/jsonparts":        {},
	"guestpass/internal/limits":           {"internal/cache"},
	"guestpass/internal/limits/redistest": {}, // for tests only
	"guestpass/internal/postgrestest":     {}, // for tests only
	"guestpass/internal/server":           {}, // tests alone
	"guestpass/internal/site":             {"internal/headers"},
	"guestpass/internal/strictjson":       {"internal/jsonparts"},
	"guestpass/internal/text":             {},
	"guestpass/internal/upstream":         {},
	"guestpass/openapi/internal/actions":  {},
	"guestpass/openapi/lint":              {"gpttest/yaml", "openapi/internal/actions"},
	"guestpass/stytchtest": {"stytchtest/internal/documents", "stytchtest/internal/faults",
		"stytchtest/internal/keys", "stytchtest/internal/loopback", "stytchtest/internal/page",
		"stytchtest/internal/wire"},
	"guestpass/stytchtest/internal/documents": {"stytchtest/internal/loopback"},
	"guestpass/stytchtest/internal/faults":    {"stytchtest/internal/wire"},
	"guestpass/stytchtest/internal/keys":      {"stytchtest/internal/wire"},
	"guestpass/stytchtest/internal/loopback":  {"stytchtest/internal/wire"},
	"guestpass/stytchtest/internal/page":      {"stytchtest/internal/faults", "stytchtest/internal/wire"},
	"guestpass/stytchtest/internal/wire":      {},
	"guestpass/gpttest":                       {"gpttest/yaml"},
	"guestpass/mcptest":                       {},
	// lint asks the simulator's parser, which is held against the editor's own
	"guestpass/gpttest/yaml": {},
}

// resourceImports are what every other package may import: it is a resource of one's own,
// which a main names.
var resourceImports = []string{"api", "auth", "directory", "store"}

// confined are libraries that one package alone may import.
var confined = map[string][]string{
	"github.com/lestrrat-go/jwx/v2":       {"guestpass/auth"},
	"github.com/stytchauth/stytch-go/v16": {"guestpass/internal/stytch"},
	"github.com/chromedp/chromedp":        {"guestpass/gpttest"},
	"github.com/redis":                    {"guestpass/internal/limits"},
	"github.com/santhosh-tekuri":          {"guestpass/gpttest", "guestpass/openapi/lint"},
	"github.com/dlclark/regexp2":          {"guestpass/gpttest"},
	"modernc.org/sqlite":                  {"guestpass/store"},
	"github.com/sony/gobreaker/v2":        {"guestpass/internal/stytch"},
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
		ours, ok := strings.CutPrefix(imported+"/", "guestpass/")
		if ours = strings.TrimSuffix(ours, "/"); ok && !named && !slices.Contains(allowed, ours) {
			t.Errorf("%s imports %s", p.ImportPath, imported)
		}
		for library, only := range confined {
			if strings.HasPrefix(imported, library) && !slices.Contains(only, p.ImportPath) {
				t.Errorf("%s imports %s, which only %s may", p.ImportPath, imported, strings.Join(only, " and "))
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
