package cli

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
)

// allowedImports is the architecture: each package, and those of ours it may
// import. Imports point down this table, never up or sideways. The emulator and the
// simulator import nothing of ours but their own parts: issuer and verifier must not
// share mistakes.
var allowedImports = map[string][]string{
	"cmd/guestpass": {"cli", "resources"},
	"cli": {"", "api", "auth", "gpttest", "internal/admin", "internal/certificates", "internal/clients",
		"internal/credentials", "internal/doctor", "internal/doctor/outside", "internal/envfile",
		"internal/idp", "internal/inside", "internal/limits",
		"internal/management", "internal/newapp", "internal/ownfile", "internal/page", "internal/pageurl",
		"internal/plugin", "internal/setup", "internal/site", "internal/stytch", "internal/text",
		"internal/tracing", "internal/upstream", "mcptest", "mcptest/lint", "openapi", "openapi/lint", "store",
		"stytchtest"},
	"": {"api", "auth", "directory", "internal/account", "internal/clients", "internal/connections",
		"internal/credentials", "internal/doctor", "internal/idp", "internal/inside", "internal/limits",
		"internal/metrics",
		"internal/page", "internal/pageurl", "internal/site", "internal/stytch", "internal/upstream",
		"mcp", "openapi", "store"},
	"guestpasstest": {"", "api", "auth", "internal/postgrestest", "store", "stytchtest"},
	"mcp":           {"api", "auth", "internal/jsonparts", "internal/strictjson", "openapi"},
	"internal/account": {"api", "directory", "internal/connections", "internal/form", "internal/headers",
		"internal/limits", "internal/page", "internal/stytch", "internal/text", "store"},
	"internal/connections": {"auth", "directory", "internal/clients", "internal/limits", "internal/stytch",
		"store"},
	"resources":             {"api", "resources/activity", "resources/members", "resources/profile", "resources/tasks"},
	"resources/activity":    resourceImports,
	"resources/members":     resourceImports,
	"resources/profile":     resourceImports,
	"widget":                {"api"},
	"resources/tasks":       append([]string{"resources/tasks/table"}, resourceImports...),
	"resources/tasks/table": {"store"},
	"api": {"auth", "directory", "internal/credentials", "internal/form", "internal/jsonparts",
		"internal/limits", "internal/strictjson", "internal/text", "store"},
	"auth":      {"internal/cache", "internal/credentials", "internal/strictjson", "internal/upstream"},
	"directory": {},
	"store":     {"internal/cache"},
	"openapi":   {"internal/accept", "internal/static", "openapi/internal/actions"},
	"internal/idp": {"internal/clients", "internal/credentials", "internal/form", "internal/headers",
		"internal/limits", "internal/page", "internal/pageurl", "internal/upstream"},
	"internal/inside": {"internal/doctor", "internal/limits", "internal/stytch"},
	// the linter and the MCP client are apart, so that a server does not carry them
	"internal/doctor/outside": {"internal/credentials", "internal/doctor", "internal/upstream", "mcptest",
		"openapi/lint"},
	"internal/doctor": {"directory", "internal/clients", "internal/credentials", "internal/stytch",
		"store"},
	"internal/stytch": {"directory", "internal/credentials", "internal/limits", "internal/text",
		"internal/upstream"},
	"internal/accept":           {},
	"internal/admin":            {},
	"internal/certificates":     {"store"},
	"internal/cache":            {},
	"internal/clients":          {"internal/credentials"},
	"internal/cluster":          {}, // tests alone
	"internal/credentials":      {},
	"internal/envfile":          {"internal/ownfile"},
	"internal/ownfile":          {},
	"internal/form":             {},
	"internal/headers":          {},
	"internal/jsonparts":        {},
	"internal/limits":           {"internal/cache"},
	"internal/limits/redistest": {}, // for tests only
	"internal/management":       {"internal/upstream"},
	"internal/metrics":          {"auth", "internal/doctor", "internal/limits", "internal/stytch", "store"},
	"internal/setup":            {"internal/management"},
	"internal/newapp":           {},
	"internal/plugin":           {"openapi"},
	"internal/newapp/application": {"cli", "internal/newapp/application/notes", "resources/activity",
		"resources/profile"}, // what `guestpass new` makes: for others it is a main of their own
	"internal/measure":            {}, // benchmarks alone
	"internal/measure/fileserver": {},
	"internal/measure/server":     {"api", "auth", "cli", "resources"},
	"internal/postgrestest":       {}, // for tests only
	"internal/server":             {}, // tests alone
	"internal/pageurl":            {"internal/upstream"},
	"internal/site":               {"internal/headers", "internal/page"},
	"internal/strictjson":         {"internal/jsonparts"},
	"internal/text":               {},
	"internal/upstream":           {},
	"openapi/internal/actions":    {},
	"openapi/lint":                {"gpttest/yaml", "openapi/internal/actions"},
	"internal/packaged":           {}, // tests alone
	"internal/pattern":            {}, // in the place of package regexp, which everybody may import
	"internal/page":               {"internal/pageurl", "internal/static"},
	"internal/static":             {"internal/accept"},
	"internal/tracing":            {},
	"stytchtest": {"stytchtest/internal/documents", "stytchtest/internal/faults",
		"stytchtest/internal/keys", "stytchtest/internal/loopback", "stytchtest/internal/page",
		"stytchtest/internal/wire"},
	"stytchtest/internal/documents": {"stytchtest/internal/loopback"},
	"stytchtest/internal/faults":    {"stytchtest/internal/wire"},
	"stytchtest/internal/keys":      {"stytchtest/internal/wire"},
	"stytchtest/internal/loopback":  {"stytchtest/internal/wire"},
	"stytchtest/internal/page":      {"stytchtest/internal/faults", "stytchtest/internal/wire"},
	"stytchtest/internal/wire":      {},
	"gpttest":                       {"gpttest/yaml"},
	"mcptest":                       {},
	// which addresses are public is decided in one place
	"mcptest/lint": {"gpttest", "internal/upstream", "mcptest"},
	// lint asks the simulator's parser, which is held against the editor's own
	"gpttest/yaml": {},
}

// resourceImports are what every other package may import: it is a resource of one's own,
// which a main names.
var resourceImports = []string{"api", "auth", "directory", "store", "widget"}

// confined are libraries that one package alone may import.
var confined = map[string][]string{
	"github.com/lestrrat-go/jwx/v2":       {"auth"},
	"github.com/stytchauth/stytch-go/v16": {"internal/stytch"},
	"github.com/chromedp/chromedp":        {"gpttest"},
	"github.com/redis":                    {"internal/limits"},
	"github.com/santhosh-tekuri":          {"gpttest", "openapi/lint"},
	"github.com/dlclark/regexp2":          {"gpttest"},
	"modernc.org/sqlite":                  {"store"},
	"github.com/prometheus":               {"", "internal/admin", "internal/metrics"},
	"go.opentelemetry.io/otel/sdk":        {"internal/tracing"},
	"github.com/sony/gobreaker/v2":        {"internal/stytch"},
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
	name, _ := inModule(t, p.ImportPath)
	allowed, known := allowedImports[name]
	if !known {
		allowed = resourceImports
	}
	for _, imported := range p.Imports {
		ours, ok := inModule(t, imported)
		_, part := allowedImports[ours]
		named := name == "cmd/guestpass" && !part
		asRegexp := ours == "internal/pattern" && !slices.ContainsFunc([]string{"stytchtest", "gpttest", "mcptest"},
			func(apart string) bool { return strings.HasPrefix(name, apart) })
		if ok && !named && !asRegexp && !slices.Contains(allowed, ours) {
			t.Errorf("%s imports %s", p.ImportPath, imported)
		}
		for library, only := range confined {
			if strings.HasPrefix(imported, library) && !slices.Contains(only, name) {
				t.Errorf("%s imports %s, which only %s may", p.ImportPath, imported, strings.Join(only, " and "))
			}
		}
	}
}

// modulePath is the module's, which `make module` changes.
var modulePath = sync.OnceValue(func() string {
	info, _ := debug.ReadBuildInfo()
	return info.Main.Path
})

// inModule is a package's path below the module's; "" for the root, false for a package of others.
func inModule(t *testing.T, path string) (below string, ours bool) {
	t.Helper()
	if path == modulePath() {
		return "", true
	}
	return strings.CutPrefix(path, modulePath()+"/")
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
