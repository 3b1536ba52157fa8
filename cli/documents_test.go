//go:build !production

package cli

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	declaredTest = regexp.MustCompile(`(?m)^func (Test[A-Z]\w*)\(`)
	namedTest    = regexp.MustCompile(`\bTest[A-Z]\w*`)
	namedRun     = regexp.MustCompile("([^`\n]*)-run ('[^']*'|[^\\s`]+)")
	namedServer  = regexp.MustCompile("(?m)\\bS `([^`]*)`") // go test ./internal/server -v -run, says SECURITY.md
	escapedBar   = regexp.MustCompile("`[^`\n]*\\\\\\|[^`\n]*`")
	packages     = regexp.MustCompile(`\./([\w/]+)`)
)

// declaredTests are the names of the tests in each folder.
func declaredTests(t *testing.T, root string) map[string][]string {
	declared := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		folder, _ := filepath.Rel(root, filepath.Dir(path))
		for _, found := range declaredTest.FindAllStringSubmatch(string(source), -1) {
			declared[folder] = append(declared[folder], found[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return declared
}

// documents are those that name tests, by name.
func documents(t *testing.T, root string) map[string]string {
	names, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%d documents, %v", len(names), err)
	}
	texts := map[string]string{}
	for _, name := range append(names, filepath.Join(root, "README.md"), filepath.Join(root, "SECURITY.md")) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	return texts
}

// TestDocumentsNameTestsThatExist: a document that says which test holds a promise is wrong
// when the test is renamed or gone. A beginning of a name will do, as go test -run takes it.
func TestDocumentsNameTestsThatExist(t *testing.T) {
	root := ".."
	declared := slices.Concat(slices.Collect(maps.Values(declaredTests(t, root)))...)
	named := 0
	for document, text := range documents(t, root) {
		for _, name := range namedTest.FindAllString(text, -1) {
			named++
			if !slices.ContainsFunc(declared, func(test string) bool { return strings.HasPrefix(test, name) }) {
				t.Errorf("%s names %s, and there is no such test", document, name)
			}
		}
	}
	if named == 0 {
		t.Error("no document names a test")
	}
}

// TestCommandsOfDocumentsRunTests: go test ends well where its pattern matches nothing. Readers copy
// a command from the page or from the source, so it must be the same in both: a table's \| is not.
func TestCommandsOfDocumentsRunTests(t *testing.T) {
	root := ".."
	declared := declaredTests(t, root)
	all := slices.Concat(slices.Collect(maps.Values(declared))...)
	commands := 0
	check := func(document, command, pattern string, tests []string) {
		commands++
		name, _, _ := strings.Cut(strings.Trim(pattern, "'"), "/") // behind it are subtests
		expression, err := regexp.Compile(name)
		if err != nil || !slices.ContainsFunc(tests, expression.MatchString) {
			t.Errorf("%s: %s matches no test: %v", document, command, err)
		}
	}
	for document, text := range documents(t, root) {
		for _, span := range escapedBar.FindAllString(text, -1) {
			t.Errorf("%s: %s is another command in the source than on the page", document, span)
		}
		for _, found := range namedServer.FindAllStringSubmatch(text, -1) {
			check(document, found[0], found[1], declared[filepath.Join("internal", "server")])
		}
		for _, found := range namedRun.FindAllStringSubmatch(text, -1) {
			if found[2] == "'^$'" { // benchmarks alone
				continue
			}
			tests := []string{}
			for _, name := range packages.FindAllStringSubmatch(found[1], -1) {
				tests = append(tests, declared[filepath.FromSlash(name[1])]...)
			}
			if len(tests) == 0 {
				tests = all
			}
			check(document, found[0], found[2], tests)
		}
	}
	if commands < 50 {
		t.Errorf("the documents have %d commands", commands)
	}
}

// TestTheTableOfClientsHasTheirVersions compares docs/mcp.md with what is installed for the tests.
func TestTheTableOfClientsHasTheirVersions(t *testing.T) {
	root := ".."
	read := func(path ...string) string { return readFile(t, filepath.Join(append([]string{root}, path...)...)) }
	modules, packages := read("go.mod"), read("acceptance", "package.json")
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (\\S+) \\|")
	clients := 0
	for _, found := range row.FindAllStringSubmatch(read("docs", "mcp.md"), -1) {
		name, version := found[1], found[2]
		if strings.Contains(modules, name+" "+version+"\n") ||
			strings.Contains(packages, fmt.Sprintf("%q: %q", name, version)) {
			clients++
			continue
		}
		t.Errorf("docs/mcp.md says %s %s, which is not what is installed", name, version)
	}
	if clients < 8 {
		t.Errorf("the table has %d clients", clients)
	}
}

// TestTheToolsAreListedAsTheirPageSays runs the commands of docs/mcp.md that get a token and use it.
func TestTheToolsAreListedAsTheirPageSays(t *testing.T) {
	app, emulator := development(t)
	page := readFile(t, filepath.Join("..", "docs", "mcp.md"))
	_, commands, _ := strings.Cut(page, "<!-- token -->\n```sh\n")
	commands, _, found := strings.Cut(commands, "```\n<!-- /token -->")
	commands = strings.NewReplacer(defaultAppURL, app, defaultEmulatorURL, emulator).Replace(commands)
	output, err := exec.Command("sh", "-c", commands).CombinedOutput()
	if err != nil || !found || !strings.Contains(string(output), `"name":"listTasks"`) {
		t.Errorf("%s\n%v\n%s", commands, err, output)
	}
}

// isShown compares what a document shows between its comments of that name, and with -update writes it there.
func isShown(t *testing.T, document, name, text string) {
	t.Helper()
	content := readFile(t, document)
	begin, end := "<!-- "+name+" -->\n```text\n", "```\n<!-- /"+name+" -->"
	if *update {
		content = regexp.MustCompile(`(?s)`+begin+`.*?`+end).
			ReplaceAllStringFunc(content, func(string) string { return begin + text + end })
		if err := os.WriteFile(document, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(content, begin+text+end) {
		t.Errorf("%s does not show what the program prints: run the tests of this package with -update\n%s", document,
			text)
	}
}

// What documents show of Go is code of the examples, which are compiled and run: each block stands in one of their
// files as it is, but for the indentation of all of it.
func TestDocumentsShowCodeOfTheExamples(t *testing.T) {
	code := ""
	for _, pattern := range []string{"../examples/*/*.go", "../examples/*/*/*/*.go", "../examples/*/*.sql",
		"../examples/*/*.html"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			code += readFile(t, name) + "\x00"
		}
	}
	blocks := 0
	block := regexp.MustCompile("(?s)```(?:go|sql|html)\n(.*?)```")
	for _, document := range []string{"../README.md", "../docs/extending.md", "../docs/embedding.md"} {
		for _, found := range block.FindAllStringSubmatch(readFile(t, document), -1) {
			if blocks++; !strings.Contains(code, found[1]) {
				t.Errorf("%s shows what no example has:\n%s", document, found[1])
			}
		}
	}
	if blocks < 8 {
		t.Errorf("the documents show %d blocks", blocks)
	}
}

func TestEveryVariableIsExplained(t *testing.T) {
	explained := readFile(t, "../docs/settings.md")
	for _, s := range new(config).settings() {
		if !strings.Contains(explained, "`"+s.name+"`") {
			t.Errorf("docs/settings.md does not explain %s", s.name)
		}
	}
}
