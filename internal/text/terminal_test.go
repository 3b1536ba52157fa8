package text_test

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"guestpass/internal/text"
)

func TestATerminalGetsNoEscapes(t *testing.T) {
	for _, tt := range []struct{ name, printed, shown string }{
		{"colours", "\x1b[31mred\x1b[0m", `\u001b[31mred\u001b[0m`},
		{"a title", "\x1b]0;pwned\x07", `\u001b]0;pwned\u0007`},
		{"C1", "\u009b31m\u009d0;x\u009c", `\u009b31m\u009d0;x\u009c`},
		{"C1 in bytes", "\x9b31m", "\uFFFD31m"},
		{"overwriting", "refused\rallowed\b", `refused\u000dallowed\u0008`},
		{"directions", "a\u202Eb\u2066c", `a\u202eb\u2066c`},
		{"tags", "a\U000E0041", `a\udb40\udc41`},
		{"selectors", "a\uFE01", `a\ufe01`},
		{"lines and columns", "a\n\tb", "a\n\tb"},
		{"names", "Seán ❤️ 🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f علی\u200cرضا",
			"Seán ❤️ 🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f علی\u200cرضا"},
	} {
		var out bytes.Buffer
		if n, err := io.WriteString(text.NewTerminal(&out), tt.printed); n != len(tt.printed) || err != nil {
			t.Errorf("%s: %d bytes of %d, %v", tt.name, n, len(tt.printed), err)
		}
		if out.String() != tt.shown {
			t.Errorf("%s: %q, want %q", tt.name, out.String(), tt.shown)
		}
	}
}

func TestJSONStaysTheSame(t *testing.T) {
	sent := map[string]string{"name": "\x1b[31m\u009b\u202E\U000E0041\u2028a\"\\b❤️"}
	var out bytes.Buffer
	if err := json.NewEncoder(text.NewTerminal(&out)).Encode(sent); err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || got["name"] != sent["name"] {
		t.Errorf("%q became %q, %v", sent, got, err)
	}
	if strings.ContainsAny(out.String(), "\x1b\u009b\u202E\U000E0041") {
		t.Errorf("raw: %q", out.String())
	}
}

func TestCharactersMayComeInPieces(t *testing.T) {
	var out bytes.Buffer
	terminal := text.NewTerminal(&out)
	for _, b := range []byte("Seán 王 😀\u009b!\n") {
		if _, err := terminal.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if want := "Seán 王 😀\\u009b!\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
