// Package newapp starts an application on Guestpass: a module of its own that compiles, with one resource, tests and
// settings for this machine. What it writes is the folder application, a program that the tests of Guestpass build and
// run like any other. It knows nothing of what is served.
package newapp

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"guestpass/internal/pattern"
)

//go:embed application
var application embed.FS

// Options say what to start.
type Options struct {
	Name   string // of the program, and of its folder
	Module string // "": example.com/ and the name
	// Guestpass is the folder of a checkout, see [Checkout].
	Guestpass string
	// Of the emulator's project, for settings to try out.
	ProjectID, Secret, PublicToken string
}

var (
	nameForm   = pattern.New(`^[a-z][a-z0-9-]{0,38}[a-z0-9]$`)
	moduleForm = pattern.New(`^[a-z0-9][a-z0-9.-]*\.[a-z]+(/[A-Za-z0-9][A-Za-z0-9._-]*)+$`)
)

// taken are names that Go or Windows gives a meaning to, or that would be taken for Guestpass's own.
var taken = []string{"guestpass", "internal", "vendor", "testdata", "con", "prn", "aux", "nul"}

// Check tells what is wrong with the name or the module.
func (o Options) Check() error {
	switch {
	case !nameForm.MatchString(o.Name):
		return fmt.Errorf("%q cannot be the name of an application: write 2 to 40 small letters, digits and hyphens, "+
			"such as team-notes; a folder of that name is made here", o.Name)
	case slices.Contains(taken, o.Name):
		return fmt.Errorf("%q means something else already: choose another name, such as team-notes", o.Name)
	case !moduleForm.MatchString(o.module()):
		return fmt.Errorf("%q is no path of a module, such as github.com/you/%s", o.Module, o.Name)
	}
	return nil
}

// CheckModule tells whether the module has the path of Guestpass, or of a module that Guestpass uses: Go would take the
// one for the other.
func (o Options) CheckModule() error {
	theirs, err := os.ReadFile(filepath.Join(o.Guestpass, "go.mod")) // #nosec G304 -- the caller names the checkout
	if err != nil {
		return err
	}
	used := []string{Module()}
	for _, line := range requirement.Regexp().FindAllString(string(theirs), -1) {
		used = append(used, strings.Fields(line)[0])
	}
	if slices.Contains(used, o.module()) {
		return fmt.Errorf("%q is the path of a module that the application uses: choose one of your own, such as "+
			"github.com/you/%s", o.module(), o.Name)
	}
	return nil
}

func (o Options) module() string {
	if o.Module == "" {
		return "example.com/" + o.Name
	}
	return o.Module
}

// Write makes the application in a new folder inside parent, and returns the names of its files. What is there already
// is never overwritten.
func Write(parent string, o Options) (names []string, err error) {
	if err := errors.Join(o.Check(), o.CheckModule()); err != nil {
		return nil, err
	}
	folder := filepath.Join(parent, o.Name)
	files, err := o.files(folder)
	if err != nil {
		return nil, err
	}
	switch err := os.Mkdir(folder, 0o750); {
	case errors.Is(err, fs.ErrExist):
		return nil, fmt.Errorf("%s is there already: choose another name, or remove it", folder)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the folder %s does not exist: make it first, or name one that does", parent)
	case err != nil:
		return nil, fmt.Errorf("the folder %s cannot be made: %w", folder, err)
	}
	for _, f := range files {
		if err := f.write(folder); err != nil {
			return nil, errors.Join(err, os.RemoveAll(folder)) // which has been made here
		}
		names = append(names, f.name)
	}
	return names, nil
}

type file struct {
	name, text string
}

func (f file) write(folder string) error {
	path, mode := filepath.Join(folder, filepath.FromSlash(f.name)), fs.FileMode(0o644)
	if f.name == ".env" {
		mode = 0o600
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(f.text), mode)
}

// files returns what the application consists of.
func (o Options) files(folder string) ([]file, error) {
	module, err := o.moduleFiles(folder)
	if err != nil {
		return nil, err
	}
	words := o.words(module.goVersion, module.replacement)
	files := []file{{"go.mod", module.text}, {"go.sum", module.sums}}
	err = fs.WalkDir(application, "application", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := application.ReadFile(name)
		files = append(files, file{realName(strings.TrimPrefix(name, "application/")), words.Replace(string(text))})
		return err
	})
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return files, err
}

// realName returns how a file is called in the application. Under its own name it would mean something here.
func realName(name string) string {
	real, isTemplate := strings.CutSuffix(name, ".template")
	if isTemplate && !strings.Contains(real, ".") && real != "Dockerfile" {
		return "." + real
	}
	return real
}

// words replaces what differs from one application to the next. The Go files are those of a package of Guestpass.
func (o Options) words(goVersion, guestpass string) *strings.Replacer {
	return strings.NewReplacer(path.Join(reflect.TypeFor[Options]().PkgPath(), "application"), o.module(),
		"{{name}}", o.Name, "{{go}}", goVersion, "{{folder}}", guestpass,
		"{{project_id}}", o.ProjectID, "{{secret}}", o.Secret, "{{public_token}}", o.PublicToken)
}

// Module returns the path of Guestpass's module, which `make module` changes.
func Module() string {
	return strings.TrimSuffix(reflect.TypeFor[Options]().PkgPath(), "/internal/newapp")
}

// module are the files that make a folder a module.
type module struct{ text, sums, goVersion, replacement string }

var (
	goLine      = pattern.New(`(?m)^go (\d+\.\d+)\S*$`)
	requirement = pattern.New(`(?m)^\t\S+ v\S+`)
	plainPath   = pattern.New(`^[A-Za-z0-9_./~-]+$`)
)

// moduleFiles takes the versions of the checkout, so that the application builds without asking for others.
func (o Options) moduleFiles(folder string) (m module, err error) {
	theirs, err := os.ReadFile(filepath.Join(o.Guestpass, "go.mod")) // #nosec G304 -- the caller names the checkout
	if err != nil {
		return m, err
	}
	sums, err := os.ReadFile(filepath.Join(o.Guestpass, "go.sum")) // #nosec G304 -- the same
	if err != nil {
		return m, err
	}
	version := goLine.FindStringSubmatch(string(theirs))
	if version == nil {
		return m, fmt.Errorf("the go.mod in %s names no version of Go", o.Guestpass)
	}
	m.sums, m.goVersion, m.replacement = string(sums), version[1], replacement(folder, o.Guestpass)
	var b strings.Builder
	fmt.Fprintf(&b, "module %s\n\n%s\n\nrequire %s v0.0.0\n\nreplace %s => %s\n\nrequire (\n", o.module(), version[0],
		Module(), Module(), quoted(m.replacement))
	for _, line := range requirement.Regexp().FindAllString(string(theirs), -1) {
		b.WriteString(line + " // indirect\n")
	}
	b.WriteString(")\n")
	m.text = b.String()
	return m, nil
}

// replacement returns the checkout as it is seen from the application: by a relative path if it lies beside it, so that
// both can move together.
func replacement(folder, checkout string) string {
	if filepath.Dir(folder) == filepath.Dir(checkout) {
		return "../" + filepath.Base(checkout)
	}
	return filepath.ToSlash(checkout)
}

func quoted(path string) string {
	if plainPath.MatchString(path) {
		return path
	}
	return strconv.Quote(path)
}

// Checkout returns the folder of Guestpass's source: the first of these places, or a folder above it, that has it.
func Checkout(places ...string) (string, error) {
	for _, place := range places {
		folder, err := filepath.Abs(place)
		if err != nil {
			return "", err
		}
		for ; ; folder = filepath.Dir(folder) {
			text, err := os.ReadFile(filepath.Join(folder, "go.mod")) // #nosec G304 -- a module's own file
			if err == nil && strings.HasPrefix(string(text), "module "+Module()+"\n") {
				return folder, nil
			}
			if folder == filepath.Dir(folder) {
				break
			}
		}
	}
	return "", errors.New("the source of Guestpass is not found")
}
