package server_test

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"guestpass"
	"guestpass/internal/inside"
	"guestpass/internal/limits"
)

// traffic is by which tests a bound is shown to leave others room, and its line in the table of
// limits in docs/security.md: "" for its name.
type traffic struct {
	name, line string
	tests      []string
}

// shownBy are the bounds, each by the whole of its name, its beginning or its end, with the tests
// that show by traffic that the worst neighbour does not take of it what another needs.
var shownBy = []traffic{
	{"operations carried out at once",
		"", []string{"TestTooManyOperationsAtOnceAreRefusedQuickly", "TestWhoNeedsNoStytchDoesNotWaitForIt"}},
	{"requests without a valid token", "", []string{"TestAUsedUpAddressAdmitsTokensThatWereVerified",
		"TestForwardedAddressesAreBelievedOfTrustedProxiesOnly"}},
	{"calls", "", []string{"TestCallsOfAMemberAreLimited", "TestOnesLimitIsNotAnothers",
		"TestAPersonWithManyAppsHasNoNumbersOfManyPeople"}},
	{"token requests of listed clients", "", []string{"TestWrongCodesLockNobodyOut"}},
	{"token requests of listed clients at once",
		"", []string{"TestAnAddressDoesNotFillThePlacesOfASlowStytch", "TestOneGrantHoldsFewPlaces"}},
	{"token requests of clients that nobody listed", "", []string{"TestAClientThatNobodyListedIsCountedByAddress"}},
	{"token requests of clients that nobody listed at once", "", []string{"TestClientsThatNobodyListedHoldFewPlaces"}},
	{"token requests without a secret that was proved", "", []string{"TestMadeUpClientsMultiplyNothing"}},
	{"token requests without a secret that was proved, at once",
		"", []string{"TestAnAddressDoesNotFillThePlacesOfASlowStytch"}},
	{"wrong secrets", "", []string{"TestWrongSecretsAreCountedForWhoSendsThem", "TestInstancesCountGuessesTogether"}},
	{"secrets of connected apps that Stytch has taken", "", []string{"TestNobodyMakesASecretForgotten"}},
	{"reports of the sign-in page", "", []string{"TestReportsOfOneAddressAreNotAnothers"}},
	{"references of the sign-in page", "", []string{"TestReferencesOfOneAddressAreNotAnothers"}},
	{"account pages", "", []string{"TestPagesOfAPersonAreLimited"}},
	{"account pages at once", "", []string{"TestAttackAnAdministratorKeepsNobodyOut"}},
	{"downloads of changes", "", []string{"TestDownloadsOfAPersonAreLimited"}},
	{"revocations", "", []string{"TestAttackOneWhoRevokesKeepsNobodyFromIt"}},
	{"revocations at once", "", []string{"TestAttackOneWhoRevokesKeepsNobodyFromIt"}},
	{"sessions seen on the account page", "", []string{"TestManyPagesKeepNobodyFromRevoking"}},
	{"calls to Stytch at once: *", "calls to Stytch under way", []string{"TestASlowEndpointTakesNoPlacesOfOthers",
		"TestAttackOneEndpointOfStytchStopsNothingElse"}},
	{"failures of Stytch: *", "circuit breaker to Stytch", []string{"TestOneOrganizationOpensNobodyElsesCircuit",
		"TestVisitorsOpenNoCircuitOfOthers"}},
	{"owners remembered for Stytch: *", "circuit breaker to Stytch",
		[]string{"TestOneOrganizationOpensNobodyElsesCircuit"}},
	{"sessions that *", "look-ups and sessions remembered", []string{"TestVisitorsSpendLittle"}},
	{"sessions shown in vain, for people", "what visitors ask Stytch for in vain", []string{"TestVisitorsSpendLittle"}},
	{"look-ups of what Stytch does not know, for visitors",
		"what visitors ask Stytch for in vain", []string{"TestVisitorsSpendLittle"}},
	{"*that were looked up", "look-ups and sessions remembered", []string{"TestVisitorsSpendLittle"}},
	{"*that Stytch does not know", "look-ups and sessions remembered", []string{"TestVisitorsSpendLittle"}},
	{"uses of apps *", "uses of apps to be written", []string{"TestUsesToBeWrittenAreCountedForEachOrganization"}},
	{"revocations that could not be written", "", []string{"TestRevocationsThatWaitAreCountedForEachOrganization"}},
	{"tokens that were introspected", "", []string{"TestManyTokensHaveNobodyElsesIntrospectedAnew"}},
	{"answers about people that are shown again", "answers about people", []string{"TestWhatWeChangeShowsAtOnce"}},
	{"people whose standing is remembered", "look-ups and sessions remembered", []string{"TestVisitorsSpendLittle"}},
}

// parties are one of the kind with all that is nearer to it changing, so that it is the worst
// there is of it: n tells which.
func worst(kind limits.Kind, n int) limits.Party {
	other := strconv.Itoa(n)
	switch kind {
	case limits.Address:
		return limits.Party{Address: "192.0.2.1", Client: "client " + other, Person: "grant " + other}
	case limits.Anonymous:
		return limits.Party{Address: "192.0.2.1 " + other, Client: "client " + other, Person: "grant " + other}
	case limits.ClientOfAddress:
		return limits.Party{Address: "192.0.2.1", Client: "gpt", Person: "grant " + other}
	case limits.Member:
		return limits.Party{Client: "gpt", Person: "ada", Operation: "operation " + other}
	case limits.Person:
		return limits.Party{Client: "client " + other, Person: "ada", Organization: "organization " + other,
			Operation: "operation " + other}
	case limits.Organization:
		return limits.Party{Client: "client " + other, Person: "person " + other, Organization: "acme",
			Operation: "operation " + other}
	case limits.Operation:
		return limits.Party{Client: "client " + other, Person: "person " + other, Organization: "organization " + other,
			Operation: "list"}
	case limits.Client:
		return limits.Party{Client: "gpt", Person: "person " + other, Organization: "organization " + other,
			Operation: "operation " + other}
	}
	return limits.Party{}
}

// beside is somebody else, who shares nothing with the worst of any kind.
func beside(kind limits.Kind) limits.Party {
	if kind == limits.Address || kind == limits.ClientOfAddress {
		return limits.Party{Address: "198.51.100.1", Client: "another client", Person: "another grant"}
	}
	return limits.Party{Client: "another client", Person: "grace", Organization: "globex", Operation: "another"}
}

// The list is of an assembled server: what is bounded is on it because it was made. By the
// numbers as they are, the worst of each kind leaves somebody else room; that requests are
// counted for whom they should be, the tests of the list above show.
func TestAttackEveryBoundLeavesOthersRoom(t *testing.T) {
	l := inside.Limits(newWorld(t, limited(guestpass.Limits{})).app)
	tests := testNames(t)
	bounds := l.Bounds()
	shares := 0
	documented, err := os.ReadFile(filepath.Join("..", "..", "docs", "security.md"))
	must(t, err)
	for _, b := range bounds {
		s := shown(t, b.Name)
		if !strings.Contains(string(documented), "\n| "+cmp.Or(s.line, b.Name)) {
			t.Errorf("docs/security.md has no line for %q in its table of limits", b.Name)
		}
		for _, name := range s.tests {
			if !tests[name] {
				t.Errorf("%s: there is no test %s", b.Name, name)
			}
		}
		for kind := range b.Shares {
			shares++
			if b.Number == 0 {
				leavesOthersTimes(t, b, kind)
			} else {
				leavesOthersPlaces(t, b, kind)
			}
		}
	}
	if len(bounds) < 17 {
		t.Errorf("%d bounds are on the list, which is not all", len(bounds))
	}
	t.Logf("%d bounds with %d shares: of none of them the worst of its kind takes what another "+
		"needs", len(bounds), shares)
}

func shown(t *testing.T, bound string) traffic {
	t.Helper()
	for _, s := range shownBy {
		if s.name == bound || strings.HasSuffix(s.name, "*") && strings.HasPrefix(bound,
			strings.TrimSuffix(s.name, "*")) ||
			strings.HasPrefix(s.name, "*") && strings.HasSuffix(bound, strings.TrimPrefix(s.name, "*")) {
			return s
		}
	}
	t.Errorf("no test is named that shows by traffic whose the bound %q is: add it to shownBy", bound)
	return traffic{}
}

func leavesOthersPlaces(t *testing.T, b limits.Bound, kind limits.Kind) {
	t.Helper()
	b.Queue = 0 // nobody waits here
	places := new(limits.Limits).Places(b)
	taken := 0
	for n := range 2 * b.Number {
		if _, err := places.Enter(limits.WithParty(t.Context(), worst(kind, n))); err == nil {
			taken++
		}
	}
	if taken > b.Shares[kind] {
		t.Errorf("%s: one %s has %d, its share is %d", b.Name, kind, taken, b.Shares[kind])
	}
	if _, err := places.Enter(limits.WithParty(t.Context(), beside(kind))); err != nil && b.Number > 1 {
		t.Errorf("%s: one %s leaves others none of %d", b.Name, kind, b.Number)
	}
}

func leavesOthersTimes(t *testing.T, b limits.Bound, kind limits.Kind) {
	t.Helper()
	rate := new(limits.Limits).Rate(b)
	taken := 0
	for n := range 2 * b.Shares[kind] {
		if _, exceeded := rate.Take(worst(kind, n)); exceeded == nil {
			taken++
		}
	}
	if taken > b.Shares[kind]+b.Shares[kind]/10 { // a minute may end meanwhile
		t.Errorf("%s: one %s has %d, its share is %d", b.Name, kind, taken, b.Shares[kind])
	}
	if _, exceeded := rate.Take(beside(kind)); exceeded != nil {
		t.Errorf("%s: one %s leaves others none: %+v", b.Name, kind, exceeded)
	}
}

// testNames returns the tests of all packages.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	eachFile(t, true, func(_ string, file *ast.File) {
		for _, declared := range file.Decls {
			if f, ok := declared.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Test") {
				names[f.Name.Name] = true
			}
		}
	})
	return names
}

// libraries bound something, and know nothing of whose it is: a file that uses one declares it.
var libraries = []string{"golang.org/x/time/rate", "golang.org/x/sync/semaphore", "github.com/sony/gobreaker",
	"github.com/hashicorp/golang-lru", "golang.org/x/net/netutil"}

// excused are places that bound something by other means, each with its reason.
var excused = map[string]string{
	"store/write.go":    "a batch of one transaction: who comes next waits for it and is never refused",
	"store/session.go":  "connections to Postgres: TestOneBlockedRowLeavesOthersTheirConnections shows whose they are",
	"store/prepared.go": "statements that stay prepared: whose is let go is prepared anew, and nobody is refused",
	"serve.go": "connections, of which nothing is known but an address that a proxy in front may " +
		"share with everybody",
	"internal/admin/admin.go": "connections to the admin address, which nobody but the operator reaches",
	"internal/cache/cache.go": "the one cache: those of package limits are declared there, and of auth's " +
		"TestOnePersonsTokensForgetNobodyElses shows whose it is",
}

// What is bounded elsewhere than in package limits would not be on the list.
func TestAttackNothingIsBoundedUnlisted(t *testing.T) {
	eachFile(t, false, func(path string, file *ast.File) {
		if strings.HasPrefix(path, "internal/limits/") || excused[path] != "" {
			return
		}
		declares := false
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				selector, _ := call.Fun.(*ast.SelectorExpr)
				declares = declares || selector != nil && selector.Sel.Name == "Declare"
			}
			return true
		})
		for _, imported := range file.Imports {
			name, _ := strconv.Unquote(imported.Path.Value)
			uses := slices.ContainsFunc(libraries, func(l string) bool { return strings.HasPrefix(name, l) })
			if uses && !declares {
				t.Errorf("%s uses %s, and does not declare what it bounds", path, name)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if what := bounding(n); what != "" {
				t.Errorf("%s: %s: make it by package limits, or excuse it", path, what)
			}
			return true
		})
	})
}

// bounding tells what bounds something by hand: a channel with room for several, or a map that is
// kept from growing.
func bounding(n ast.Node) string {
	switch n := n.(type) {
	case *ast.CallExpr:
		name, _ := n.Fun.(*ast.Ident)
		if name == nil || name.Name != "make" || len(n.Args) != 2 {
			return ""
		}
		size, _ := n.Args[1].(*ast.BasicLit)
		if _, channel := n.Args[0].(*ast.ChanType); channel && (size == nil || size.Value != "1") {
			return "a channel with room for several"
		}
	case *ast.IfStmt:
		condition := false
		ast.Inspect(n.Cond, func(c ast.Node) bool {
			if compared, ok := c.(*ast.BinaryExpr); ok && (compared.Op == token.GEQ || compared.Op == token.GTR) {
				call, _ := compared.X.(*ast.CallExpr)
				if call != nil {
					name, _ := call.Fun.(*ast.Ident)
					condition = condition || name != nil && name.Name == "len"
				}
			}
			return true
		})
		forgets := false
		ast.Inspect(n.Body, func(c ast.Node) bool {
			switch c := c.(type) {
			case *ast.CallExpr:
				name, _ := c.Fun.(*ast.Ident)
				forgets = forgets || name != nil && (name.Name == "clear" || name.Name == "delete")
			case *ast.CompositeLit: // a new one in its place
				_, fresh := c.Type.(*ast.MapType)
				forgets = forgets || fresh
			}
			return true
		})
		if condition && forgets {
			return "a map that forgets when it is full"
		}
	}
	return ""
}

// eachFile parses the files of the program, or of its tests.
func eachFile(t *testing.T, tests bool, do func(path string, file *ast.File)) {
	t.Helper()
	root, set := filepath.Join("..", ".."), token.NewFileSet()
	must(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains([]string{"node_modules", "testdata", "stytchtest", "gpttest", "mcptest", "scripts",
				".git"}, entry.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") != tests {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(set, path, content, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		path, err = filepath.Rel(root, path)
		do(filepath.ToSlash(path), file)
		return err
	}))
}
