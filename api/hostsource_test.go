package api_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// humaPackages are those whose variables count, by the name under which they are imported.
var humaPackages = map[string]string{"huma": "github.com/danielgtaylor/huma/v2",
	"humachi":    "github.com/danielgtaylor/huma/v2/adapters/humachi",
	"validation": "github.com/danielgtaylor/huma/v2/validation"}

// An update of Huma may bring new ones.
func TestEverySettingOfHumaIsKnown(t *testing.T) {
	for _, name := range []string{"huma", "humachi"} {
		dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", humaPackages[name]).Output()
		if err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(err, files)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, declaration := range parsed(t, file).Decls {
				for _, variable := range exportedVariables(declaration) {
					if settings[name+"."+variable] == nil {
						t.Errorf("%s.%s is not among the settings", name, variable)
					}
				}
			}
		}
	}
}

func parsed(t *testing.T, file string) *ast.File {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func exportedVariables(declaration ast.Decl) (names []string) {
	if d, ok := declaration.(*ast.GenDecl); ok && d.Tok == token.VAR {
		for _, spec := range d.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				if name.IsExported() {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

// No code of ours but tests sets a variable of Huma's packages or takes its address. Nor does any make errors that are
// of the type that a host has chosen, but for the registry, which looks at the type.
func TestNothingSetsWhatHumaKeepsForTheWholeProgram(t *testing.T) {
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains([]string{"node_modules", ".git", "testdata", "examples"}, entry.Name()) {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		for _, found := range uses(parsed(t, path)) {
			if found != "calls huma.NewError" || path != filepath.Join("..", "api", "schemas.go") {
				t.Errorf("%s: %s", path, found)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// makesErrors are the functions of Huma's that make errors of the type that the program around has chosen.
var makesErrors = regexp.MustCompile(`^huma\.(NewError|NewErrorWithContext|WriteErr|Status304.*|Error[0-9].*)$`)

// uses are what a file does with what Huma keeps for the whole program.
func uses(file *ast.File) (found []string) {
	names := map[string]string{} // of Huma's packages, by their names in the file
	for _, imported := range file.Imports {
		path, _ := strconv.Unquote(imported.Path.Value)
		for name, of := range humaPackages {
			switch {
			case path != of:
			case imported.Name != nil:
				names[imported.Name.Name] = name
			default:
				names[name] = name
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				if name := ofHuma(left, names); name != "" {
					found = append(found, "sets "+name)
				}
			}
		case *ast.UnaryExpr:
			if name := ofHuma(n.X, names); name != "" && n.Op == token.AND {
				found = append(found, "takes the address of "+name)
			}
		case *ast.CallExpr:
			if name := ofHuma(n.Fun, names); makesErrors.MatchString(name) {
				found = append(found, "calls "+name)
			}
		}
		return true
	})
	return found
}

// ofHuma is what an expression is or is a part of, such as huma.DefaultFormats; "" if it is none of Huma's.
func ofHuma(e ast.Expr, names map[string]string) string {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return ofHuma(e.X, names)
	case *ast.IndexExpr:
		return ofHuma(e.X, names)
	case *ast.SelectorExpr:
		if pkg, ok := e.X.(*ast.Ident); ok && names[pkg.Name] != "" {
			return names[pkg.Name] + "." + e.Sel.Name
		}
		return ofHuma(e.X, names)
	}
	return ""
}

// What finds them finds them however they are written.
func TestUsesOfHumasSettingsAreFound(t *testing.T) {
	for text, want := range map[string]string{
		"huma.NewError = nil":                              "[sets huma.NewError]",
		"a, huma.DefaultArrayNullable = 1, false":          "[sets huma.DefaultArrayNullable]",
		`huma.DefaultFormats["a"] = huma.Format{}`:         "[sets huma.DefaultFormats]",
		"(huma.DefaultJSONFormat).Marshal = nil":           "[sets huma.DefaultJSONFormat]",
		"p := &huma.ValidateStrictCasing":                  "[takes the address of huma.ValidateStrictCasing]",
		"p := &huma.ErrorDetail{}":                         "[]",
		"words.MsgExpectedString = s":                      "[sets validation.MsgExpectedString]",
		`return huma.Error404NotFound("there is nothing")`: "[calls huma.Error404NotFound]",
		"x.huma = y": "[]",
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "", `package p
import "github.com/danielgtaylor/huma/v2"
import words "github.com/danielgtaylor/huma/v2/validation"
func f() { `+text+" }", 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(uses(file)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
