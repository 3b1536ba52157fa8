//go:build !production

package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Whoever builds on Guestpass cannot name a type of internal/, and so could neither make nor keep one.
func TestNoExportedSignatureHasATypeOfInternal(t *testing.T) {
	looked := 0
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() &&
			slices.Contains([]string{"internal", "node_modules", "testdata", "scripts", ".git"}, entry.Name()):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		looked++
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, leak := range leaks(file) {
			t.Errorf("%s: %s is of an internal package", set.Position(leak.Pos()), leak.Sel.Name)
		}
		return nil
	})
	if err != nil || looked < 100 {
		t.Fatalf("%d files, %v", looked, err)
	}
}

// leaks are the types of internal packages in a file's exported declarations.
func leaks(file *ast.File) (found []*ast.SelectorExpr) {
	hidden := map[string]bool{}
	for _, imported := range file.Imports {
		path, _ := strconv.Unquote(imported.Path.Value)
		if !strings.Contains(path, "/internal/") {
			continue
		}
		name := path[strings.LastIndex(path, "/")+1:]
		if imported.Name != nil {
			name = imported.Name.Name
		}
		hidden[name] = true
	}
	look := func(part ast.Node) {
		ast.Inspect(part, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit, *ast.BlockStmt:
				return false
			case *ast.Field:
				return len(n.Names) == 0 || anyExported(n.Names) || !inStruct[n]
			case *ast.StructType:
				for _, field := range n.Fields.List {
					inStruct[field] = true
				}
			case *ast.SelectorExpr:
				if of, ok := n.X.(*ast.Ident); ok && hidden[of.Name] {
					found = append(found, n)
				}
			}
			return true
		})
	}
	for _, declared := range file.Decls {
		switch d := declared.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && (d.Recv == nil || receiverExported(d.Recv)) {
				look(d.Type)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					if s.Name.IsExported() {
						look(s.Type)
					}
				case *ast.ValueSpec:
					if s.Type != nil && anyExported(s.Names) {
						look(s.Type)
					}
				}
			}
		}
	}
	return found
}

// inStruct are the fields of structs, of which others than exported ones may have any type.
var inStruct = map[*ast.Field]bool{}

func anyExported(names []*ast.Ident) bool {
	for _, name := range names {
		if name.IsExported() {
			return true
		}
	}
	return false
}

func receiverExported(receiver *ast.FieldList) bool {
	of := receiver.List[0].Type
	if pointer, ok := of.(*ast.StarExpr); ok {
		of = pointer.X
	}
	if generic, ok := of.(*ast.IndexExpr); ok {
		of = generic.X
	}
	name, ok := of.(*ast.Ident)
	return !ok || name.IsExported()
}
