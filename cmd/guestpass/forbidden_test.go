package main

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

// forbidden are calls that have hurt others, each with what to do instead.
var forbidden = map[string]string{
	"middleware.RealIP":                  "believes any header: take the address of the connection, or of a proxy that is configured",
	"middleware.RedirectSlashes":         "was an open redirect twice: a path with a slash too many is not found",
	"middleware.StripSlashes":            "makes two paths of one",
	"httputil.ReverseProxy":              "passes on what it does not know: rebuild the request",
	"httputil.NewSingleHostReverseProxy": "passes on what it does not know: rebuild the request",
	"http.DefaultClient":                 "has no time limit and follows redirects: make a client",
	"http.Get":                           "has no time limit and follows redirects: make a client",
	"http.Head":                          "has no time limit and follows redirects: make a client",
	"http.Post":                          "has no time limit and follows redirects: make a client",
	"http.PostForm":                      "has no time limit and follows redirects: make a client",
	"http.ListenAndServe":                "has no time limits: server.Serve",
	"jwt.Parse":                          "tokens are read in package auth only",
	"jws.Parse":                          "tokens are read in package auth only",
	"jws.Verify":                         "tokens are read in package auth only",
}

// excused are the places where such a call has been looked at.
var excused = map[string]string{
	"auth/verifier.go jws.Verify":                             "behind the gate, with one algorithm",
	"internal/store/tasklist.go SQL of statement.text":        "made of constants and of placeholders, in that file",
	"internal/store/postgrestest/postgrestest.go SQL of name": "for tests, and counted there",
	"stytchtest/oauth.go .Get(\"Authorization\")":             "the emulator: no access depends on it",
}

// TestNoDangerousCalls reads the program's source. Tests may do as they like.
func TestNoDangerousCalls(t *testing.T) {
	found := map[string]token.Position{}
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		if name := entry.Name(); name == "node_modules" || name == "testdata" || (strings.HasPrefix(name, ".") && path != "../..") {
			return fs.SkipDir
		}
		return lookAt(path, found)
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

// lookAt reads the package in the folder, if there is one. Keys are "file what".
func lookAt(folder string, found map[string]token.Position) error {
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return err
	}
	set, files := token.NewFileSet(), []*ast.File{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, file)
	}
	constants := constantsOf(files)
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			for _, what := range append(dangers(n), builtSQL(n, constants)...) {
				where := set.Position(n.Pos())
				name, _ := filepath.Rel("../..", where.Filename)
				found[filepath.ToSlash(name)+" "+what] = where
			}
			return true
		})
	}
	return nil
}

func dangers(n ast.Node) (found []string) {
	switch n := n.(type) {
	case *ast.SelectorExpr:
		if pkg, ok := n.X.(*ast.Ident); ok && forbidden[pkg.Name+"."+n.Sel.Name] != "" {
			found = append(found, pkg.Name+"."+n.Sel.Name)
		}
	case *ast.CallExpr:
		// Get hides a second header, and with it who is really asking.
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
