package packaged_test

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestAnArchiveHasAllThatOneNeeds makes that of this machine, twice: both are the same.
func TestAnArchiveHasAllThatOneNeeds(t *testing.T) {
	out, again := filepath.Join(t.TempDir(), "release"), filepath.Join(t.TempDir(), "release")
	for _, folder := range []string{out, again} {
		pack(t, "release", folder, "-version", "v1.2.3", "-commit", "0123456789abcdef")
	}
	folder := "guestpass_1.2.3_linux_" + runtime.GOARCH
	archive, sums := readFile(t, filepath.Join(out, folder+".tar.gz")), readFile(t, out+"/SHA256SUMS")
	if want := fmt.Sprintf("%x  %s.tar.gz\n", sha256.Sum256([]byte(archive)), folder); sums != want {
		t.Errorf("the checksums are %q, want %q", sums, want)
	}
	if other := readFile(t, again+"/SHA256SUMS"); other != sums {
		t.Errorf("made again it is another: %s", other)
	}
	unpacked, err := gzip.NewReader(strings.NewReader(archive))
	must(t, err)
	contents := map[string][]byte{}
	eachFile(t, unpacked, func(header *tar.Header, content []byte) {
		name, in := strings.CutPrefix(header.Name, folder+"/")
		if !in {
			t.Errorf("%s is beside the folder", header.Name)
		}
		contents[name] = content
		if (header.Mode == 0o755) != (name == "guestpass" || name == "guestpass-production") {
			t.Errorf("%s has the mode %o", name, header.Mode)
		}
	})
	for _, name := range []string{"README.md", "CHANGELOG.md", "LICENSE", "THIRD_PARTY_NOTICES",
		"deploy/guestpass.service", "deploy/compose.yaml", "deploy/haproxy.cfg", "deploy/alerts.yaml",
		"docs/deploying.md", "docs/operating.md", "docs/keeping.md", "docs/settings.md", "SECURITY.md",
		"completions/guestpass.bash", "completions/_guestpass", "completions/guestpass.fish",
		"completions/guestpass.ps1"} {
		if len(contents[name]) < 100 {
			t.Errorf("%s has %d bytes", name, len(contents[name]))
		}
	}
	for _, name := range []string{"guestpass", "guestpass-production"} {
		path := filepath.Join(t.TempDir(), name)
		must(t, os.WriteFile(path, contents[name], 0o700)) // #nosec G306 -- it is run
		said, err := exec.Command(path, "version").CombinedOutput()
		if err != nil || !strings.Contains(string(said), " 1.2.3\ncommit     0123456789abcdef\n") {
			t.Errorf("%s: %v\n%s", name, err, said)
		}
	}
	namesTheModules(t, contents)
}

// namesTheModules holds that each direct module is a component of the program for development or is for tests alone,
// and that the one for production has no more than it needs.
func namesTheModules(t *testing.T, contents map[string][]byte) {
	t.Helper()
	urls := func(name string) (urls []string) {
		var bill struct {
			Format     string `json:"bomFormat"`
			Components []struct {
				Version string
				URL     string `json:"purl"`
			}
		}
		must(t, json.Unmarshal(contents[name], &bill))
		if bill.Format != "CycloneDX" {
			t.Errorf("%s is %q", name, bill.Format)
		}
		for _, c := range bill.Components {
			urls = append(urls, c.URL)
			if c.Version == "" {
				t.Errorf("%s: %s has no version", name, c.URL)
			}
		}
		return urls
	}
	all, served := urls("guestpass.cdx.json"), urls("guestpass-production.cdx.json")
	list := exec.Command("go", "list", "-deps", "-f",
		`{{with .Module}}{{if not (or .Main .Indirect)}}pkg:golang/{{.Path}}@{{.Version}}{{end}}{{end}}`,
		"./cmd/guestpass")
	list.Dir = root
	text, err := list.Output()
	must(t, err)
	direct := strings.Fields(string(text))
	if len(direct) < 10 {
		t.Fatalf("there are %d direct modules", len(direct))
	}
	for _, url := range append(direct, "pkg:golang/std@"+strings.TrimPrefix(runtime.Version(), "go")) {
		if !slices.Contains(all, url) {
			t.Errorf("the program for development does not name %s", url)
		}
	}
	chromedp := regexp.MustCompile(`pkg:golang/github.com/chromedp/`)
	if slices.ContainsFunc(served, chromedp.MatchString) || !slices.ContainsFunc(all, chromedp.MatchString) {
		t.Error("chromedp is for development alone")
	}
	stytch := regexp.MustCompile(`^pkg:npm/%40stytch/vanilla-js@\d`)
	if !slices.ContainsFunc(served, stytch.MatchString) {
		t.Errorf("what comes from npm is not named: %q", served)
	}
}
