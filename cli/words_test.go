//go:build !production

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestServeSaysWhatIsWrongWithWords, before it opens or makes anything.
func TestServeSaysWhatIsWrongWithWords(t *testing.T) {
	folder := t.TempDir()
	for content, want := range map[string]string{
		"":                                  "GUESTPASS_WORDS names a file that is not as",
		"[]":                                "GUESTPASS_WORDS names a file that is not as",
		`{"en": {"layout.help": 1}}`:        "GUESTPASS_WORDS names a file that is not as",
		`{} {}`:                             "GUESTPASS_WORDS names a file that is not as",
		`{"en": {"layout.hlp": "x"}}`:       `words of en: there is no key "layout.hlp"`,
		`{"de": {"signin.returns": "Los"}}`: "words of de: signin.returns must have the places {place}",
		strings.Repeat(" ", 300<<10):        "GUESTPASS_WORDS names a file of more than 256 KiB",
	} {
		file := filepath.Join(folder, "words.json")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		code, _, stderr := execute(t, environ("GUESTPASS_WORDS="+file), "serve")
		if code != 2 || !strings.Contains(stderr, want) {
			t.Errorf("%.40q: exit code %d, %s", content, code, stderr)
		}
	}
	// What shows no page does not read them.
	if code, _, stderr := execute(t, environ("GUESTPASS_LANGUAGE=fr"), "openapi"); code != 0 {
		t.Errorf("openapi: exit code %d, %s", code, stderr)
	}
	code, _, stderr := execute(t, environ("GUESTPASS_WORDS="+folder+"/none.json"), "serve")
	if code != 2 || !strings.Contains(stderr, "GUESTPASS_WORDS names a file that is not there") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	code, _, stderr = execute(t, environ("GUESTPASS_LANGUAGE=fr"), "serve")
	if code != 2 || !strings.Contains(stderr, `no words of the language "fr": there are de, en`) {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}
