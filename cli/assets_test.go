//go:build !production

package cli

import (
	"os"
	"path/filepath"
	"testing"

	"guestpass"
	"guestpass/resources"
)

// What the command writes is what a program without bundles of its own needs, in both verticals.
func TestAssetsAreWrittenForProgramsThatEmbed(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new", "assets")
	code, stdout, stderr := execute(t, nil, "assets", folder)
	if code != 0 {
		t.Fatalf("%d %s", code, stderr)
	}
	for _, name := range []string{"stytch-b2b.js", "stytch-consumer.js"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Size() < 10_000 {
			t.Errorf("%s: %v, %v\n%s", name, info, err, stdout)
		}
	}
	o := func(folder string) guestpass.Options {
		return guestpass.Options{PublicURL: "https://gpt.example.com", Assets: os.DirFS(folder),
			Resources: resources.All(), Title: "T", Version: "1",
			ProjectID: "project-test-11111111-1111-4111-8111-111111111111", Secret: "secret-test-x", Vertical: "b2b",
			PublicToken: "public-token-test-x", Domain: "https://login.example.com", ForwardTokens: true}
	}
	if _, err := guestpass.New(o(folder)); err != nil {
		t.Error(err)
	}
	if _, err := guestpass.New(o(t.TempDir())); err == nil {
		t.Error("a server without bundles is made")
	}
	if code, _, stderr := execute(t, nil, "assets"); code != 2 {
		t.Errorf("without a folder: %d %s", code, stderr)
	}
	if code, _, stderr := execute(t, nil, "assets", filepath.Join(folder, "stytch-b2b.js", "x")); code != 1 {
		t.Errorf("into a file: %d %s", code, stderr)
	}
}
