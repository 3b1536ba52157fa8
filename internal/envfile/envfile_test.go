//go:build unix

package envfile

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// same are values as files have them, which every reader takes for the same.
var same = map[string]string{
	`secret-live-x`:                     "secret-live-x",
	`"Acme Tasks"`:                      "Acme Tasks",
	`'Acme Tasks'`:                      "Acme Tasks",
	`''`:                                "",
	``:                                  "",
	`"say \"hi\" for \$5 \\ \x"`:        `say "hi" for $5 \ \x`,
	`'a\b"c$d'`:                         `a\b"c$d`,
	`"it's"`:                            "it's",
	`a#b`:                               "a#b",
	`#b`:                                "#b",
	`postgres://u:p@h/d?sslmode=x`:      "postgres://u:p@h/d?sslmode=x",
	`'rediss://:p&q@h'`:                 "rediss://:p&q@h",
	`notes:read=Read`:                   "notes:read=Read",
	`Åsa*[x]{a,b}!^`:                    "Åsa*[x]{a,b}!^",
	"\"two\nlines\"":                    "two\nlines",
	"\"a \\\nb\"":                       "a b",
	"-----BEGIN":                        "-----BEGIN",
	"127.0.0.1/32,::1/128   ":           "127.0.0.1/32,::1/128",
	`"127.0.0.1/32, ::1/128"` + "  \t ": "127.0.0.1/32, ::1/128",
}

// What is taken is what a shell makes of the same file.
func TestAValueIsReadAsAShellReadsIt(t *testing.T) {
	for written, want := range same {
		name := filepath.Join(t.TempDir(), "settings")
		text := "# a comment\n\n  NAME=" + written + "\n# 'another\nNEXT=1\n"
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := Read(t.Context(), name)
		if err != nil || len(f.Variables) != 2 || f.Variables[0].Err != nil || f.Variables[0].Value != want ||
			f.Variables[0].Line != 3 || f.Variables[1].Line != 5+strings.Count(written, "\n") {
			t.Errorf("%s: %+v, %v", written, f, err)
		}
		output, err := exec.Command("sh", "-c", `. "$1"; printf %s "$NAME$NEXT"`, "sh", name).CombinedOutput()
		if err != nil || string(output) != want+"1" {
			t.Errorf("%s: a shell reads %q, %v", written, output, err)
		}
	}
}

func TestAValueThatIsReadInSeveralWaysIsNotTaken(t *testing.T) {
	for written, want := range map[string]string{
		"NAME=a b":               "a blank in it",
		"NAME=x # comment":       "a comment takes a line of its own",
		`NAME="x" # comment`:     "behind the closing quotation mark",
		`NAME="x"y`:              "behind the closing quotation mark",
		`NAME=x"y"`:              `has " in it`,
		"NAME=it's":              "has ' in it",
		"NAME=$HOME":             "has $ in it",
		"NAME=`id`":              "has ` in it",
		`NAME="$HOME"`:           "double quotes",
		"NAME=\"`id`\"":          "double quotes",
		"NAME=a;b":               "has ; in it",
		"NAME=a&b":               "has & in it",
		`NAME=a\b`:               `has \ in it`,
		"NAME=~/x":               "has ~ in it",
		"NAME=(a)":               "has ( in it",
		"NAME =x":                "blanks around its =",
		"NAME= x":                "blanks around its =",
		"NAME = x":               "blanks around its =",
		"export NAME=x":          "export before it",
		"export NAME='x'":        "export before it",
		"NAME=x\n\nNAME=x":       "twice, in line 1 as well",
		"NAME=x\rOTHER=secret-x": "a blank in it",
	} {
		f, err := Parse("settings", []byte(written+"\nNEXT=1\n"))
		if err != nil {
			t.Errorf("%q: %v", written, err)
			continue
		}
		next, last := f.Variables[len(f.Variables)-1], f.Variables[len(f.Variables)-2]
		if last.Name != "NAME" || last.Err == nil || !strings.Contains(last.Err.Error(), want) {
			t.Errorf("%q: %v, want %q", written, last.Err, want)
		}
		if next.Name != "NEXT" || next.Value != "1" || next.Err != nil {
			t.Errorf("%q: what follows is %+v", written, next)
		}
	}
}

func TestAFileThatCannotBeReadIsRefusedWithTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"A=1\nB=hunter2\x00":             "settings:2: is no text",
		"A=1\nB=\"hunter2\n\x00\"\n":     "settings:2: begins a value that is no text",
		"\xff\xfeA\x00=\x001\x00":        "settings:1: is no text",
		"\ufeffA=1":                      "settings:1: begins with a byte order mark",
		strings.Repeat("# x\n", 1<<14+1): "settings has more than 65536 bytes",
	} {
		f, err := Parse("settings", []byte(text))
		if f != nil || err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%.40q: %+v, %v, want %q", text, f, err, want)
		}
	}
}

// A line of another program does no harm to those around it, and its text, which may be a secret, is no name.
func TestALineThatOnlyOthersReadIsLeftToThem(t *testing.T) {
	for odd, name := range map[string]string{
		"my.var=x":                    "",
		"source hunter2":              "",
		"export PATH":                 "",
		"export A_B C_D":              "",
		"; hunter2":                   "",
		"=hunter2":                    "",
		"1A=hunter2":                  "",
		"secret-live-hunter2":         "",
		"MIIEpAIBAAKCAQEA+hunter2":    "",
		"GUESTPASS_TITLE":             "GUESTPASS_TITLE",
		"GUESTPASS_TITLE: Acme":       "GUESTPASS_TITLE",
		"GUESTPASS_TITLE Acme=x":      "GUESTPASS_TITLE",
		"GUESTPASS-TITLE=Acme":        "GUESTPASS-TITLE",
		"  GUESTPASS_TITLE.X=Acme":    "GUESTPASS_TITLE.X",
		"PG_DSN='it is never closed":  "PG_DSN",
		"PG_DSN=\"it is never closed": "PG_DSN",
		"PG_DSN=caf\xe9":              "PG_DSN",
		"PG_DSN='caf\xe9'":            "PG_DSN",
		"# caf\xe9":                   "",
	} {
		f, err := Parse("settings", []byte("A=1\n"+odd+"\nB=2\n"))
		if err != nil {
			t.Errorf("%q: %v", odd, err)
			continue
		}
		first, last := f.Variables[0], f.Variables[len(f.Variables)-1]
		if first.Value != "1" || first.Err != nil || last.Name != "B" || last.Value != "2" || last.Err != nil {
			t.Errorf("%q: around it are %+v", odd, f.Variables)
		}
		switch between := f.Variables[1 : len(f.Variables)-1]; {
		case name == "" && len(between) > 0:
			t.Errorf("%q is %+v", odd, between)
		case name != "" && (len(between) != 1 || between[0].Name != name || between[0].Err == nil):
			t.Errorf("%q is %+v, want an error of %s", odd, between, name)
		}
	}
}

// Somebody who names a file of another kind has named the wrong one.
func TestAFileWithoutVariablesIsRefusedIfItIsNamed(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "settings.yaml")
	for text, want := range map[string]string{
		"# x\ntitle: Acme\n": "settings.yaml:2: is neither NAME=VALUE nor a comment", "\n# x\n": "",
		"title: Acme\nA=1": ""} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Read(t.Context(), name)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
		if _, err := Beside(folder, "settings.yaml"); err != nil {
			t.Errorf("%q, unasked: %v", text, err)
		}
	}
}

// A shell takes the carriage return for a part of the value.
func TestAFileWithWindowsLineEnds(t *testing.T) {
	f, err := Parse("settings", []byte("# x\r\nA=1\r\nB=\"2\"\r\n\r\nC=\r\nD=\"a\r\nb\"\n"))
	if err != nil || len(f.Variables) != 4 {
		t.Fatalf("%+v, %v", f, err)
	}
	for _, v := range f.Variables {
		if v.Err == nil || !strings.Contains(v.Err.Error(), "save the file with the line ends of Unix (LF)") {
			t.Errorf("%s %v", v.Name, v.Err)
		}
	}
}

func TestMergeKeepsWhatIsNotItsOwn(t *testing.T) {
	before := "# Acme\nA=1\n\nFOREIGN=$HOME/x # kept\n  B = 2\nexport C='3'\nKEY=\"a\nb\"\n#D=4\nLAST=5"
	merged, err := Merge("settings", []byte(before), []Variable{
		{Name: "B", Value: "it's $5"}, {Name: "A", Value: "1"}, {Name: "C", Value: "3"}, {Name: "D", Value: "x y"},
		{Name: "E", Value: "postgres://u:p@h/d?a=b"}})
	want := "# Acme\nA=1\n\nFOREIGN=$HOME/x # kept\nB=\"it's \\$5\"\nC=3\nKEY=\"a\nb\"\n#D=4\nLAST=5\nD='x y'\n" +
		"E=postgres://u:p@h/d?a=b\n"
	if err != nil || string(merged) != want {
		t.Errorf("%s\n%v", merged, err)
	}
	again, err := Merge("settings", merged, []Variable{{Name: "D", Value: "x y"}, {Name: "B", Value: "it's $5"}})
	if err != nil || string(again) != want {
		t.Errorf("again: %s\n%v", again, err)
	}
	// What is written ends as Unix has it, whatever the rest of the file has.
	windows, err := Merge("settings", []byte("A=2\r\n"), []Variable{{Name: "A", Value: "2"}, {Name: "B", Value: "3"}})
	if err != nil || string(windows) != "A=2\nB=3\n" {
		t.Errorf("%q, %v", windows, err)
	}
	for text, want := range map[string]string{
		"A=1\nB=2\nA=3\n": "settings:3: A is there twice, in line 1 as well",
		"A=1\nB='x\n":     "settings:2: the value of B begins with a quotation mark that nothing closes: close it",
	} {
		if _, err := Merge("settings", []byte(text), []Variable{{Name: "A", Value: "4"}}); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, v := range []Variable{{Name: "A B", Value: "x"}, {Name: "A", Value: "x\ny"}, {Name: "A", Value: "x\x00"},
		{Name: "A", Value: "x\xff"}} {
		if _, err := Merge("settings", nil, []Variable{v}); err == nil {
			t.Errorf("%+v is written", v)
		}
	}
}

func TestWriteReplacesTheFileAsAWhole(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, ".env")
	write := func(want bool, variables ...Variable) {
		t.Helper()
		if changed, err := Write(name, variables); err != nil || changed != want {
			t.Fatalf("changed: %v, %v", changed, err)
		}
		if info, err := os.Stat(name); err != nil || info.Mode() != 0o600 {
			t.Fatalf("%v, %v", info.Mode(), err)
		}
		if entries, _ := os.ReadDir(folder); len(entries) != 1 {
			t.Errorf("%v", entries)
		}
	}
	secret := Variable{Name: "STYTCH_SECRET", Value: "secret-test-x"}
	write(true, secret)
	write(false, secret)
	if err := os.Chmod(name, 0o644); err != nil {
		t.Fatal(err)
	}
	write(true, secret)
	if text, err := os.ReadFile(name); err != nil || string(text) != "STYTCH_SECRET=secret-test-x\n" {
		t.Errorf("%s, %v", text, err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(link, []Variable{{Name: "STYTCH_SECRET", Value: "secret-test-y"}}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is replaced: %v", err)
	}
	write(false, Variable{Name: "STYTCH_SECRET", Value: "secret-test-y"})
	if _, err := Write(folder, []Variable{secret}); err == nil {
		t.Error("a folder is written")
	}
}

// A write that was killed leaves its secrets beside the file until the next one.
func TestTheNextWriteRemovesWhatOneThatWasKilledLeft(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, ".env")
	past := time.Now().Add(-time.Hour)
	for _, left := range []string{".env.partial-123", ".env.partial-456", ".env.partial-mine", ".env.partial-",
		"x.env.partial-123", "other.partial-123"} {
		if err := os.WriteFile(filepath.Join(folder, left), []byte("STYTCH_SECRET=x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if left == ".env.partial-456" { // somebody writes it at this moment
			continue
		}
		if err := os.Chtimes(filepath.Join(folder, left), past, past); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(name, filepath.Join(folder, ".env.partial-789")); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(name, []Variable{{Name: "A", Value: "1"}}); err != nil {
		t.Fatal(err)
	}
	var names []string
	entries, err := os.ReadDir(folder)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if want := []string{".env", ".env.partial-", ".env.partial-456", ".env.partial-789", ".env.partial-mine",
		"other.partial-123", "x.env.partial-123"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("there are %q, want %q", names, want)
	}
}

func TestTheFileOfAnotherIsNotReadUnasked(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, ".env")
	if f, err := Beside(folder, ".env"); f != nil || err != nil {
		t.Errorf("no file: %+v, %v", f, err)
	}
	if err := os.Mkdir(name, 0o700); err != nil {
		t.Fatal(err)
	}
	if f, err := Beside(folder, ".env"); f != nil || err != nil {
		t.Errorf("a folder: %+v, %v", f, err)
	}
	if _, err := Read(t.Context(), name); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a folder that is named: %v", err)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(name, []Variable{{Name: "A", Value: "1"}}); err != nil {
		t.Fatal(err)
	}
	if f, err := Beside(folder, ".env"); err != nil || f.Exposed() || f.Name != name || f.Variables[0].Value != "1" {
		t.Errorf("one's own: %+v, %v", f, err)
	}
	if err := os.Chmod(name, 0o602); err != nil {
		t.Fatal(err)
	}
	if _, err := Beside(folder, ".env"); err == nil || !strings.Contains(err.Error(), "by every user") {
		t.Errorf("everybody may write it: %v", err)
	}
	if f, err := Read(t.Context(), name); err != nil || !f.Exposed() {
		t.Errorf("everybody may write it, and it is named: %+v, %v", f, err)
	}
	if os.Geteuid() == 0 { // who alone can give a file away
		if err := os.Chmod(name, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(name, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		if _, err := Beside(folder, ".env"); err == nil || !strings.Contains(err.Error(), "belongs to another user") {
			t.Errorf("another's: %v", err)
		}
	}
}

// A pipe that nobody writes to would keep the program from starting.
func TestAPipeIsReadOnlyIfItIsNamed(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, ".env")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Beside(folder, ".env"); err == nil || !strings.Contains(err.Error(), "is no regular file") {
		t.Errorf("not named: %v", err)
	}
	go func() { _ = os.WriteFile(name, []byte("A=1\n"), 0o600) }()
	done := make(chan *File)
	go func() {
		f, _ := Read(t.Context(), name)
		done <- f
	}()
	select {
	case f := <-done:
		if f == nil || len(f.Variables) != 1 || f.Exposed() {
			t.Errorf("named: %+v", f)
		}
	case <-time.After(10 * time.Second):
		t.Error("a pipe is not read")
	}
}

// What is written is read back, and what is read is kept.
func FuzzMerge(f *testing.F) {
	for written, value := range same {
		f.Add("NAME="+written+"\n", value)
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		lines, err := scan("settings", []byte(text))
		if err != nil {
			return
		}
		whole := ""
		for _, l := range lines {
			whole += l.text
		}
		if whole != text {
			t.Fatalf("%q is cut into %q", text, whole)
		}
		merged, err := Merge("settings", []byte(text), []Variable{{Name: "SET", Value: value}})
		if err != nil || len(merged) > maxBytes {
			return
		}
		read, err := Parse("settings", merged)
		if err != nil {
			t.Fatalf("%q cannot be read back: %v", merged, err)
		}
		for _, v := range read.Variables {
			if v.Name == "SET" && (v.Value != value || v.Err != nil) {
				t.Fatalf("%q is read as %+v, not %q", merged, v, value)
			}
		}
	})
}

// A shell, or whoever wrote the file, may take such a line for a variable. Comments and pieces of secrets are none.
func TestWhatOthersMayTakeForAVariableIsNoticed(t *testing.T) {
	for text, want := range map[string]bool{
		"export\tNAME_X=1":         true,
		"\ufeffNAME_X=1":           true,
		"\u00a0NAME_X=1":           true,
		"NAME_X\u00a0=1":           true,
		"set NAME_X=1":             true,
		"OTHER=1 NAME_X=1":         true,
		"export OTHER=1 NAME_X=1":  true,
		"name-x=1":                 true,
		"\fNAME_X=1":               true,
		"OTHER=1\rNAME_X=1":        true,
		"# a comment\rNAME_X=1":    true,
		"NAME_X=1":                 false,
		"# NAME_X=1":               false,
		"# a comment\r\n":          false,
		"OTHER='NAME_X=1'":         false,
		"export NAME_X":            false,
		"export NAME_X # see: y":   false,
		"unset NAME_X; A_B=1":      false,
		`if [ "$NAME_X" = on ]`:    false,
		"; NAME_X=on":              false,
		"OTHER=$NAME_X/y":          false,
		"export\tOTHER=NAME_X":     false,
		"export\tMY_NAME_X=1":      false,
		"export\tNAME_XY=1":        false,
		"OTHER=\"a\nNAME_X=1\nb\"": false,
	} {
		f, err := Parse("settings", []byte("A=1\n"+text+"\nB=2\n"))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		line := f.AssignedElsewhere("NAME_X")
		if want && line != 2 || !want && line != 0 {
			t.Errorf("%q: line %d, noticed should be %v", text, line, want)
		}
	}
}
