// Command module gives the module another path, everywhere: `make module PATH=github.com/you/guestpass`. It changes the
// go.mod of the module and of the examples, the imports of every Go file, and the few texts that hold the path of a
// package. What else says guestpass is the program's name, and stays.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: module PATH, such as github.com/you/guestpass")
		os.Exit(2)
	}
	if err := rename(".", os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "module:", err)
		os.Exit(1)
	}
}

// modulePath is narrower than what Go takes: what is typed by mistake, such as a URL, is refused.
var modulePath = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$`)

func rename(root, to string) error {
	if !modulePath.MatchString(to) || strings.HasSuffix(to, ".git") {
		return fmt.Errorf("%q is no path of a module, such as github.com/you/guestpass: write it without https://", to)
	}
	from, err := currentPath(filepath.Join(root, "go.mod"))
	if err != nil || from == to {
		return err
	}
	return filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			base := entry.Name()
			if base == "node_modules" || base == "bin" || base != "." && strings.HasPrefix(base, ".") {
				return fs.SkipDir
			}
			return nil
		case entry.Name() == "go.mod":
			return change(name, func(text []byte) ([]byte, error) { return inModuleFile(text, from, to), nil })
		case strings.HasSuffix(name, ".go"):
			return change(name, func(text []byte) ([]byte, error) { return inGo(root, name, text, from, to) })
		}
		return nil
	})
}

func currentPath(name string) (string, error) {
	text, err := os.ReadFile(name) // #nosec G304 -- go.mod of this module
	if err != nil {
		return "", err
	}
	found := regexp.MustCompile(`(?m)^module (\S+)$`).FindSubmatch(text)
	if found == nil {
		return "", errors.New("go.mod names no module")
	}
	return string(found[1]), nil
}

// change writes a file only if there is something to change.
func change(name string, edit func([]byte) ([]byte, error)) error {
	text, err := os.ReadFile(name) // #nosec G304 -- a file of this module
	if err != nil {
		return err
	}
	edited, err := edit(text)
	if err != nil || bytes.Equal(edited, text) {
		return err
	}
	return os.WriteFile(name, edited, 0o644) // #nosec G306 -- as it was
}

// inModuleFile changes the module's own line, and those of a module that requires it.
func inModuleFile(text []byte, from, to string) []byte {
	line := regexp.MustCompile(`(?m)^((?:module|replace|require)\s+|\t)` + regexp.QuoteMeta(from) + `(\s|$)`)
	return line.ReplaceAll(text, []byte("${1}"+to+"${2}"))
}

// inGo changes the strings that are the module's path, in imports, or the path of one of its packages, anywhere.
func inGo(root, name string, text []byte, from, to string) ([]byte, error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, text, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	imports := map[int]bool{}
	for _, imported := range file.Imports {
		if value, _ := strconv.Unquote(imported.Path.Value); value == from {
			imports[set.Position(imported.Path.Pos()).Offset] = true
		}
	}
	var edited bytes.Buffer
	rest := 0
	quoted := regexp.MustCompile(`"` + regexp.QuoteMeta(from) + `(/[A-Za-z0-9_/.-]+)?"`)
	for _, at := range quoted.FindAllSubmatchIndex(text, -1) {
		below := ""
		if at[2] >= 0 {
			below = string(text[at[2]:at[3]])
		}
		if below == "" && !imports[at[0]] || below != "" && !isPackage(root, below) {
			continue
		}
		edited.Write(text[rest:at[0]])
		edited.WriteString(strconv.Quote(to + below))
		rest = at[1]
	}
	if rest == 0 {
		return text, nil
	}
	edited.Write(text[rest:])
	return format.Source(edited.Bytes()) // which sorts the imports anew
}

// isPackage reports whether there is a folder of that name in the module, or it stands for all of them.
func isPackage(root, below string) bool {
	if below == "/..." {
		return true
	}
	info, err := os.Stat(
		filepath.Join(root, filepath.FromSlash(path.Clean(below))),
	) // #nosec G703 -- from our own source
	return err == nil && info.IsDir()
}
