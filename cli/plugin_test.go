//go:build !production

package cli

import (
	"archive/zip"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"guestpass/internal/plugin"
)

// written returns the files below a folder, by path.
func written(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, _ := filepath.Rel(folder, path)
		files[filepath.ToSlash(name)] = readFile(t, path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// fillIn writes the listing that a person would.
func fillIn(t *testing.T, folder, more string) {
	t.Helper()
	listing := `{"developerName": "Acme Inc.", "supportURL": "https://acme.example/help",
		"termsOfServiceURL": "https://acme.example/terms"` + more + `}`
	if err := os.WriteFile(filepath.Join(folder, "listing.json"), []byte(listing), 0o644); err != nil {
		t.Fatal(err)
	}
}

// On a fresh clone, without any setting, there are both packages, and a list of what is wanted before OpenAI takes one.
func TestPluginOnAFreshClone(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new", "plugin")
	code, stdout, stderr := execute(t, nil, "plugin", folder)
	for _, want := range []string{"submission_developer_name_required: developerName is missing",
		"plugin_support_url_format: supportURL", "plugin_website_url_format: websiteURL is http://localhost:8080, ",
		"domain_verification_required: GUESTPASS_PUBLIC_URL", "There is no ZIP", "\n  logo: ", "reviewer's account: ",
		"GUESTPASS_LOGIN_METHODS: add password"} {
		if code != 1 || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d, %s\nno %q in\n%s", code, stderr, want, stdout)
		}
	}
	files := written(t, folder)
	for _, name := range []string{"listing.json", "REVIEW.md", "chatgpt-app-submission.json",
		"openai/.agents/plugins/marketplace.json", "openai/plugins/guestpass-demo/plugin.json",
		"openai/plugins/guestpass-demo/mcp.json", "openai/plugins/guestpass-demo/.mcp.json",
		"openai/plugins/guestpass-demo/.codex-plugin/plugin.json",
		"openai/plugins/guestpass-demo/skills/guestpass-demo/SKILL.md",
		"claude/.claude-plugin/marketplace.json", "claude/plugins/guestpass-demo/.claude-plugin/plugin.json",
		"claude/plugins/guestpass-demo/.mcp.json", "claude/plugins/guestpass-demo/skills/guestpass-demo/SKILL.md"} {
		if files[name] == "" || !strings.Contains(stdout, filepath.Join(folder, name)+"\n") {
			t.Errorf("no %s", name)
		}
	}
	if code, again, _ := execute(t, nil, "plugin", folder); code != 1 || again != stdout {
		t.Errorf("exit code %d, and another output\n%s", code, again)
	}
	for name, text := range written(t, folder) {
		if files[name] != text {
			t.Errorf("%s changes when it is written again", name)
		}
	}
}

func TestPluginWritesTheArchive(t *testing.T) {
	folder := t.TempDir()
	fillIn(t, folder, "")
	settings := environ("GUESTPASS_TITLE=Acme Tasks", "GUESTPASS_LOGIN_METHODS=email_code,password",
		"GUESTPASS_PLUGIN_CHALLENGE=oa-challenge-7Qm2xVbT")
	code, stdout, stderr := execute(t, settings, "plugin", folder)
	archive := filepath.Join(folder, "acme-tasks-1.0.0.zip")
	if code != 0 || !strings.HasSuffix(stdout, archive+" can be uploaded.\n") || strings.Contains(stdout,
		"LOGIN_METHODS") ||
		strings.Contains(stdout, "CHALLENGE") {
		t.Fatalf("exit code %d, %s\n%s", code, stderr, stdout)
	}
	reader, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for _, file := range reader.File {
		if files := written(t, folder); files["openai/plugins/acme-tasks/"+file.Name] == "" {
			t.Errorf("%s is in the archive alone", file.Name)
		}
	}
	for name, text := range written(t, folder) {
		if strings.Contains(text, "secret-live-x") || strings.Contains(text, "oa-challenge") {
			t.Errorf("%s has a secret or the challenge", name)
		}
	}

	fillIn(t, folder, `, "displayName": "The best Acme plugin"`)
	code, stdout, _ = execute(t, settings, "plugin", folder)
	if code != 0 || !strings.Contains(stdout, "\nOpenAI's reviewers may object\n  displayName: contains “plugin”, ") ||
		!strings.Contains(stdout, "  longDescription: is a list of operations") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
	code, stdout, _ = execute(t, append(settings, "GUESTPASS_DESCRIPTION=Keeps the tasks of a team."), "plugin", folder)
	if code != 0 || strings.Contains(stdout, "longDescription") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}

	fillIn(t, folder, `, "displayName": "A name of more than thirty letters"`)
	code, stdout, _ = execute(t, settings, "plugin", folder)
	if _, err := os.Stat(archive); code != 1 || err == nil || !strings.Contains(stdout,
		"submission_display_name_too_long") {
		t.Errorf("exit code %d; the earlier archive is there: %t\n%s", code, err == nil, stdout)
	}
}

// The page explains what a person can say.
func TestEveryMemberOfTheListingIsExplained(t *testing.T) {
	page := readFile(t, "../docs/from-gpt-to-plugin.md")
	listing := reflect.TypeFor[plugin.Listing]()
	for i := range listing.NumField() {
		name, _, _ := strings.Cut(listing.Field(i).Tag.Get("json"), ",")
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/from-gpt-to-plugin.md does not explain %s", name)
		}
	}
}

// The tools can be fewer than the published operations: nothing in the package speaks of the others.
func TestPluginIsOfTheToolsAlone(t *testing.T) {
	folder := t.TempDir()
	fillIn(t, folder, "")
	code, stdout, stderr := execute(t, environ("GUESTPASS_MCP_OPERATIONS=listTasks,createTask"), "plugin", folder)
	if code != 0 {
		t.Fatalf("exit code %d, %s\n%s", code, stderr, stdout)
	}
	var form struct{ Tools map[string]any }
	files := written(t, folder)
	if err := json.Unmarshal([]byte(files["chatgpt-app-submission.json"]), &form); err != nil || len(form.Tools) != 2 {
		t.Errorf("%v: %d tools", err, len(form.Tools))
	}
	for name, text := range files {
		if strings.Contains(text, "deleteTask") || strings.Contains(text, "Delete a task") {
			t.Errorf("%s speaks of what is no tool", name)
		}
	}
}

func TestPluginLeavesOtherFoldersAlone(t *testing.T) {
	folder := t.TempDir()
	if err := os.MkdirAll(filepath.Join(folder, "claude", "mine"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		settings []string
		args     []string
		want     string
	}{
		{"a folder of something else", nil, []string{folder}, "is not empty and has no listing.json"},
		{"no folder", nil, nil, "takes one folder to write into"},
		{"two folders", nil, []string{"a", "b"}, "takes one folder"},
		{"without tools", []string{"GUESTPASS_MCP=off"}, []string{folder}, "GUESTPASS_MCP"},
		{"without operations", []string{"GUESTPASS_MODULES=none"}, []string{folder}, "GUESTPASS_MODULES"},
		{"a wrong setting", []string{"GUESTPASS_PUBLIC_URL=gpt.example.com"}, []string{folder}, "GUESTPASS_PUBLIC_URL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, _, stderr := execute(t, environ(tt.settings...), append([]string{"plugin"}, tt.args...)...)
			if code != 2 || !strings.Contains(stderr, tt.want) {
				t.Errorf("exit code %d, %s", code, stderr)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(folder, "claude", "mine")); err != nil {
		t.Error("what was there is gone")
	}

	fillIn(t, folder, `, "suport": 1`)
	if code, _, stderr := execute(t, environ(), "plugin", folder); code != 2 ||
		!strings.Contains(stderr, `listing.json: line 2: unknown field "suport"`) {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}
