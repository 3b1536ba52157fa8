//go:build !production

package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	maxColumns       = 120
	tabColumns       = 4
	maxFunctionLines = 63
)

// goFiles calls visit with the name and the text of each Go file of the module and of the examples.
func goFiles(t *testing.T, visit func(name, text string)) {
	t.Helper()
	files := 0
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch name := entry.Name(); {
		case err != nil:
			return err
		case entry.IsDir() && path != ".." && (name == "node_modules" || strings.HasPrefix(name, ".")):
			return fs.SkipDir
		case !entry.IsDir() && filepath.Ext(path) == ".go":
			visit(path, readFile(t, path))
			files++
		}
		return nil
	})
	if err != nil || files < 400 {
		t.Errorf("%d files were read, %v", files, err)
	}
}

func TestLinesEndByColumn120(t *testing.T) {
	goFiles(t, func(name, text string) {
		for i, line := range strings.Split(text, "\n") {
			if n := utf8.RuneCountInString(line) + strings.Count(line, "\t")*(tabColumns-1); n > maxColumns {
				t.Errorf("%s:%d: %d columns, at most %d: break the line; for a tag that is too long there is "+
					"api.Operation.Docs", name, i+1, n, maxColumns)
			}
		}
	})
}

// TestFunctionsFitAScreen leaves out tests, whose tables may be long.
func TestFunctionsFitAScreen(t *testing.T) {
	goFiles(t, func(name, text string) {
		if strings.HasSuffix(name, "_test.go") {
			return
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := set.Position(function.End()).Line - set.Position(function.Pos()).Line + 1; n > maxFunctionLines {
				t.Errorf("%s: %s has %d lines, at most %d: split it", set.Position(function.Pos()), function.Name.Name,
					n, maxFunctionLines)
			}
		}
	})
}
