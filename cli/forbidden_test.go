package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// forbidden is what has hurt others, each with what to do instead: a name of a package, a
// method of whatever type, or an import of a module.
var forbidden = map[string]string{
	"middleware.RealIP":    "believes any header: take the address of the connection, or of a proxy that is configured",
	"httprate.KeyByRealIP": "believes any header: take the address of the connection, or of a proxy that is configured",
	"httprate.LimitByRealIP": "believes any header: take the address of the connection, or of a proxy " +
		"that is configured",
	"httprate.WithKeyByRealIP": "believes any header: take the address of the connection, or of a proxy " +
		"that is configured",
	"middleware.RedirectSlashes":         "was an open redirect twice: a path with a slash too many is not found",
	"middleware.StripSlashes":            "makes two paths of one",
	"middleware.CleanPath":               "makes two paths of one",
	"middleware.Profiler":                "shows memory to everybody",
	"httputil.ReverseProxy":              "passes on what it does not know: rebuild the request",
	"httputil.NewSingleHostReverseProxy": "passes on what it does not know: rebuild the request",
	"http.DefaultClient":                 "has no time limit and follows redirects: make a client",
	"http.Get":                           "has no time limit and follows redirects: make a client",
	"http.Head":                          "has no time limit and follows redirects: make a client",
	"http.Post":                          "has no time limit and follows redirects: make a client",
	"http.PostForm":                      "has no time limit and follows redirects: make a client",
	"http.DefaultTransport": "is shared with everybody and takes a proxy from the environment: make a " +
		"transport",
	"http.NewRequest":                   "cannot be ended: http.NewRequestWithContext",
	"http.ListenAndServe":               "has no time limits: guestpass.Serve",
	"http.ListenAndServeTLS":            "has no time limits: guestpass.Serve",
	"http.Serve":                        "has no time limits: guestpass.Serve",
	"http.ServeTLS":                     "has no time limits: guestpass.Serve",
	"http.Handle":                       "any dependency can add routes there: make a router",
	"http.HandleFunc":                   "any dependency can add routes there: make a router",
	"http.DefaultServeMux":              "any dependency can add routes there: make a router",
	"import net/http/pprof":             "adds routes that show memory to everybody",
	"import expvar":                     "adds a route that shows the command line to everybody",
	"jws.Parse":                         "tokens are read in package auth only",
	"jws.Verify":                        "tokens are read in package auth only",
	"import github.com/lestrrat-go/jwx": "tokens are read in package auth only",
	"import github.com/golang-jwt/jwt":  "tokens are read in package auth only",
	"import github.com/go-jose/go-jose": "tokens are read in package auth only",
	"import github.com/MicahParks":      "tokens are read in package auth only",
	".IntrospectTokenLocal":             "tokens are read in package auth only",
	".AuthenticateJWT":                  "tokens are read in package auth only",
	".AuthenticateJWTLocal":             "tokens are read in package auth only",
	".AuthenticateJWTWithClaims":        "tokens are read in package auth only",
	`.Get("Authorization")`:             "hides a second header, and with it who is really asking: Values",
	"#nosec":                            "write // #nosec G123 -- why it does no harm",
}

// excused are the places where such a call has been looked at.
var excused = map[string]string{
	"internal/admin/admin.go import net/http/pprof": "on the operator's own address; http.DefaultServeMux, to which " +
		"it adds them too, is served by nobody",
	"auth/verifier.go jws.Verify":                           "behind the gate, with one algorithm",
	"auth/verifier.go import github.com/lestrrat-go/jwx":    "in package auth",
	"resources/tasks/table/entries.go SQL of an expression": "names of columns, from the constants of that file",
	"resources/tasks/table/entries.go SQL of w.Text":        "made of constants and of placeholders, in that file",
	"resources/tasks/table/entries.go SQL of seq":           "one of two constants",
	"resources/tasks/table/entries.go SQL of column":        "one of the constants of that file",
	"resources/tasks/table/list.go SQL of query.Text":       "made of constants and of placeholders, in entries.go",
	"resources/tasks/table/list.go SQL of an expression":    "names of columns, from the constants of entries.go",
	"resources/tasks/table/search.go SQL of query.Text":     "made of constants and of placeholders, in that file",
	"resources/tasks/table/search.go SQL of an expression":  "made of constants and of placeholders, in that file",
	"store/compatible.go SQL of an expression":              "the name of the schema, quoted",
	"examples/expenses/table.go SQL of query.Text":          "made of constants and of placeholders, in that file",
	"store/activity.go SQL of query.Text":                   "made of constants and of placeholders, in that file",
	"store/activity.go SQL of an expression":                "names of columns, from a constant",
	"store/postgres.go SQL of an expression": "the name of the schema, quoted; letters, digits and " +
		"_, see CheckSchema",
	"resources/tasks/table/erasure.go SQL of s.table":       "one of the constants of that function",
	"resources/tasks/table/erasure.go SQL of s.condition":   "one of the constants of that function",
	"resources/tasks/table/erasure.go SQL of an expression": "made of constants, in that function",
	"store/down.go SQL of an expression":                    "a table that the catalog has, quoted",
	"store/erasure.go SQL of an expression":                 "made of constants and of placeholders, in that file",
	"store/person.go SQL of an expression":                  "tables and columns that the catalog has, quoted",
	"store/takeover.go SQL of an expression":                "names of tables that the catalog has, quoted",
	"internal/postgrestest/postgrestest.go SQL of name":     "for tests, and counted there",
	"stytchtest/tokens_oauth.go .Get(\"Authorization\")":    "the emulator: no access depends on it",
}

// TestNoDangerousCalls reads the program's source. Tests may do as they like.
func TestNoDangerousCalls(t *testing.T) {
	found := map[string]token.Position{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		if name := entry.Name(); name == "node_modules" || name == "testdata" || (strings.HasPrefix(name, ".") &&
			path != "..") {
			return fs.SkipDir
		}
		return inspectFolder(path, found)
	})
	if err != nil {
		t.Fatal(err)
	}
	for what, where := range found {
		if _, ok := excused[what]; !ok {
			t.Errorf("%s: %s: %s", where, what, forbidden[what[strings.IndexByte(what, ' ')+1:]])
		}
	}
	for what := range excused {
		if _, ok := found[what]; !ok {
			t.Errorf("%s is excused but not there", what)
		}
	}
}

// inspectFolder reads the package in the folder, if there is one. Keys are "file what".
func inspectFolder(folder string, found map[string]token.Position) error {
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return err
	}
	set, files := token.NewFileSet(), []*ast.File{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			return err
		}
		files = append(files, file)
	}
	constants := constantsOf(files)
	for _, file := range files {
		inspect := func(n ast.Node) bool {
			for _, what := range append(dangers(n), builtSQL(n, constants)...) {
				where := set.Position(n.Pos())
				name, _ := filepath.Rel("..", where.Filename)
				found[filepath.ToSlash(name)+" "+what] = where
			}
			return true
		}
		ast.Inspect(file, inspect)
		for _, comments := range file.Comments { // those within statements belong to no node
			ast.Inspect(comments, inspect)
		}
	}
	return nil
}

// reviewed is how a finding of gosec is excused.
var reviewed = regexp.MustCompile(`^// #nosec( G\d{3})+ -- \w`)

func dangers(n ast.Node) (found []string) {
	switch n := n.(type) {
	case *ast.SelectorExpr:
		if pkg, ok := n.X.(*ast.Ident); ok && forbidden[pkg.Name+"."+n.Sel.Name] != "" {
			found = append(found, pkg.Name+"."+n.Sel.Name)
		}
		if forbidden["."+n.Sel.Name] != "" {
			found = append(found, "."+n.Sel.Name)
		}
	case *ast.ImportSpec:
		for what := range forbidden {
			if path, ok := strings.CutPrefix(what, "import "); ok && strings.HasPrefix(strings.Trim(n.Path.Value, "\"")+
				"/", path+"/") {
				found = append(found, what)
			}
		}
	case *ast.Comment:
		if strings.Contains(n.Text, "#nosec") && !reviewed.MatchString(n.Text) || strings.Contains(n.Text,
			"gosec:disable") {
			found = append(found, "#nosec")
		}
	case *ast.CallExpr:
		if method, ok := n.Fun.(*ast.SelectorExpr); ok && method.Sel.Name == "Get" && len(n.Args) == 1 {
			if name, ok := n.Args[0].(*ast.BasicLit); ok && strings.EqualFold(name.Value, `"Authorization"`) {
				found = append(found, `.Get("Authorization")`)
			}
		}
	}
	return found
}

var sqlPattern = regexp.MustCompile("^[\"`]\\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|WITH|PRAGMA) ")

// builtSQL finds statements put together of anything but constants: values belong into
// placeholders.
func builtSQL(n ast.Node, constants []string) (found []string) {
	switch n := n.(type) {
	case *ast.CallExpr:
		if method, ok := n.Fun.(*ast.SelectorExpr); ok && method.Sel.Name == "Sprintf" && len(n.Args) > 1 {
			if format, ok := n.Args[0].(*ast.BasicLit); ok && sqlPattern.MatchString(format.Value) {
				found = append(found, "SQL of Sprintf")
			}
		}
	case *ast.BinaryExpr:
		parts := operands(n)
		if first, ok := parts[0].(*ast.BasicLit); !ok || !sqlPattern.MatchString(first.Value) {
			return nil
		}
		for _, part := range parts {
			switch part := part.(type) {
			case *ast.BasicLit:
			case *ast.Ident:
				if !slices.Contains(constants, part.Name) {
					found = append(found, "SQL of "+part.Name)
				}
			case *ast.SelectorExpr:
				if pkg, ok := part.X.(*ast.Ident); ok {
					found = append(found, "SQL of "+pkg.Name+"."+part.Sel.Name)
				}
			default:
				found = append(found, "SQL of an expression")
			}
		}
	}
	return found
}

// operands are the parts of a sum, in order.
func operands(e ast.Expr) []ast.Expr {
	if sum, ok := e.(*ast.BinaryExpr); ok && sum.Op == token.ADD {
		return append(operands(sum.X), operands(sum.Y)...)
	}
	return []ast.Expr{e}
}

func constantsOf(files []*ast.File) (names []string) {
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			if declaration, ok := n.(*ast.GenDecl); ok && declaration.Tok == token.CONST {
				for _, spec := range declaration.Specs {
					for _, name := range spec.(*ast.ValueSpec).Names {
						names = append(names, name.Name)
					}
				}
			}
			return true
		})
	}
	return names
}
