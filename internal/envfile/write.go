package envfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"guestpass/internal/ownfile"
	"guestpass/internal/pattern"
)

// Merge returns the text of a file with these variables set: in their place where the file has them, else at its end,
// in this order. Comments, empty lines and everything else stay as they are. Variables that the file says already leave
// it unchanged. name is what errors call the file.
func Merge(name string, text []byte, variables []Variable) ([]byte, error) {
	lines, err := scan(name, text)
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		if l.open {
			return nil, fmt.Errorf("%s:%d: the value of %s begins with a quotation mark that nothing closes: close "+
				"it, or what is written below becomes a part of it", name, l.Line, l.Name)
		}
	}
	for _, v := range variables {
		written, err := write(v)
		if err != nil {
			return nil, err
		}
		if lines, err = set(lines, v, written); err != nil {
			return nil, fmt.Errorf("%s:%w", name, err)
		}
	}
	var merged strings.Builder
	for _, l := range lines {
		if text := merged.String(); text != "" && !strings.HasSuffix(text, "\n") { // the last line had no end
			merged.WriteString("\n")
		}
		merged.WriteString(l.text)
	}
	return []byte(merged.String()), nil
}

// set returns the lines with one variable set.
func set(lines []line, v Variable, written string) ([]line, error) {
	place := -1
	for i, l := range lines {
		switch {
		case l.Name != v.Name:
		case place >= 0:
			return nil, fmt.Errorf("%d: %s is there twice, in line %d as well: leave one of them out", l.Line, v.Name,
				lines[place].Line)
		default:
			place = i
		}
	}
	switch {
	case place < 0:
		return append(lines, line{Variable: Variable{Name: v.Name, Value: v.Value}, text: written}), nil
	case lines[place].Err != nil || lines[place].Value != v.Value:
		lines[place].text, lines[place].Value, lines[place].Err = written, v.Value, nil
	}
	return lines, nil
}

// plain matches values that need no quotes.
var plain = pattern.New(`^[A-Za-z0-9_.,:/@%+=?-]+$`)

// write returns the line of a variable, in quotes where it needs them.
func write(v Variable) (string, error) {
	value := v.Value
	switch {
	case !nameForm.MatchString(v.Name):
		return "", fmt.Errorf("%q cannot be the name of a variable", v.Name)
	case strings.ContainsAny(value, "\x00\r\n") || !utf8.ValidString(value):
		return "", fmt.Errorf("the value of %s is not one line of text, as every setting is", v.Name)
	case plain.MatchString(value):
	case !strings.Contains(value, "'"):
		value = "'" + value + "'"
	default:
		value = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(value) + `"`
	}
	return v.Name + "=" + value + "\n", nil
}

// Write sets variables in a file, see [Merge], and reports whether that changed it. The file may be missing. It is
// replaced as a whole, so that nobody reads half of it, and only its owner may read it afterwards.
func Write(name string, variables []Variable) (changed bool, err error) {
	name = meant(name)
	ownfile.RemoveStale(name)
	merged, changed, err := prepare(name, variables)
	if err != nil || !changed {
		return false, err
	}
	return true, ownfile.Replace(name, merged)
}

// Check returns why [Write] could not set the variables; nil if it could. The file is not changed, nor made: only one
// beside it, for a moment.
func Check(name string, variables []Variable) error {
	name = meant(name)
	if _, _, err := prepare(name, variables); err != nil {
		return err
	}
	return ownfile.Check(name)
}

// meant returns the file that a link leads to.
func meant(name string) string {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		return target
	}
	return name
}

// prepare returns the text that a file is to have, and whether it has to be written.
func prepare(name string, variables []Variable) (merged []byte, changed bool, err error) {
	text, mode, err := current(name)
	if err != nil {
		return nil, false, err
	}
	if merged, err = Merge(name, text, variables); err != nil {
		return nil, false, err
	}
	if len(merged) > maxBytes {
		return nil, false, fmt.Errorf("%s would have more than %d bytes", name, maxBytes)
	}
	return merged, string(merged) != string(text) || exposed(mode), nil
}

// current returns what a file has; nothing if there is none.
func current(name string) (text []byte, mode fs.FileMode, err error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0, nil
	case err != nil:
		return nil, 0, err
	case !info.Mode().IsRegular():
		return nil, 0, fmt.Errorf("%s is no regular file", name)
	}
	file, err := os.Open(name) // #nosec G304 -- the person who calls names the file
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	text, err = io.ReadAll(io.LimitReader(file, maxBytes+1))
	return text, info.Mode(), err
}
