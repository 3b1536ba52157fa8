package plugin

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Bounds of an archive at OpenAI's portal.
const (
	maxArchive  = 100 << 20
	maxEntries  = 5000
	maxSegments = 20
)

// unpacked opens an archive as the portal does, by rules of its own, and returns the files.
func unpacked(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	if len(archive) > maxArchive {
		t.Errorf("archive_too_large: %d bytes", len(archive))
	}
	reader, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	if len(reader.File) > maxEntries {
		t.Errorf("archive_too_many_entries: %d", len(reader.File))
	}
	files, folded := map[string][]byte{}, map[string]bool{}
	for _, entry := range reader.File {
		name := entry.Name
		switch {
		case path.IsAbs(name), strings.Contains(name, `\`), path.Clean(name) != name, strings.HasPrefix(name, ".."):
			t.Errorf("archive_member_path_absolute, or unsafe: %q", name)
		case strings.Count(name, "/") >= maxSegments:
			t.Errorf("archive_member_path_too_deep: %q", name)
		case folded[strings.ToLower(name)]:
			t.Errorf("archive_member_path_duplicate: %q", name)
		case !entry.Mode().IsRegular(), entry.Flags&1 != 0:
			t.Errorf("%q is a link or encrypted", name)
		}
		folded[strings.ToLower(name)] = true
		content, err := entry.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[name], err = io.ReadAll(content); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	return files
}

// valid holds a document against a schema of testdata.
func valid(t *testing.T, name string, document []byte) {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	schema, err := compiler.Compile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		t.Fatalf("plugin_manifest_json_malformed: %v", err)
	}
	if err := schema.Validate(instance); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

var frontMatter = regexp.MustCompile(`(?s)^---\nname: (\S+)\ndescription: ("[^\n]*")\n---\n(.+)$`)

// TestThePortalTakesTheArchive opens the archive as the portal does.
func TestThePortalTakesTheArchive(t *testing.T) {
	o := ofWorld(t, world(t))
	o.Listing = filled()
	o.Files = os.DirFS(withLogo(t))
	made, err := New(o)
	if err != nil || len(made.Refused) > 0 {
		t.Fatal(err, made.Refused)
	}
	files := unpacked(t, made.Files[made.Archive])
	valid(t, "plugin.schema.json", files["plugin.json"])
	valid(t, "openai.schema.json", files["plugin.json"])
	valid(t, "mcp.schema.json", files["mcp.json"])

	var manifest struct {
		Name       string
		Extensions map[string]struct{ Interface struct{ Logo string } }
	}
	if err := json.Unmarshal(files["plugin.json"], &manifest); err != nil {
		t.Fatal(err)
	}
	logo := manifest.Extensions["com.openai"].Interface.Logo
	if logo != "./assets/logo.png" || len(files[strings.TrimPrefix(logo, "./")]) == 0 {
		t.Errorf("declared_asset_file_missing: %q", logo)
	}
	var servers struct {
		Servers map[string]map[string]string `json:"mcpServers"`
	}
	if err := json.Unmarshal(files[".mcp.json"], &servers); err != nil ||
		servers.Servers[manifest.Name]["type"] != "http" ||
		servers.Servers[manifest.Name]["url"] != o.URL {
		t.Errorf(".mcp.json is %s", files[".mcp.json"])
	}
	skill := frontMatter.FindSubmatch(files["skills/"+manifest.Name+"/SKILL.md"])
	if skill == nil {
		t.Fatalf("skill_frontmatter_missing: %v", made.Names())
	}
	var description string
	if err := json.Unmarshal(skill[2], &description); err != nil || len(description) > 1024 ||
		string(skill[1]) != manifest.Name || len(manifest.Name+":"+string(skill[1])) > 64 ||
		!strings.Contains(string(skill[3]), o.Skill) || strings.Count(string(skill[3]), "\n") > 500 {
		t.Errorf("%v: the skill is %s", err, skill[0])
	}
	for name, content := range files {
		if strings.Contains(string(content), "Claude") || strings.Contains(string(content), "laude") {
			t.Errorf("%s names another assistant", name)
		}
		if name != "plugin.json" && strings.HasPrefix(name, "apps") || strings.HasPrefix(name, "hooks") {
			t.Errorf("%s makes it unsubmittable", name)
		}
	}
}

// An older program reads the manifest of its own folder, which has all that it needs.
func TestTheOlderManifestSaysTheSame(t *testing.T) {
	o := ofWorld(t, world(t))
	o.Listing = filled()
	made, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	type face map[string]any
	var newer struct {
		Name, Version, Description string
		Extensions                 map[string]struct{ Interface face }
	}
	var older struct {
		Name, Version, Description, Skills string
		Servers                            string `json:"mcpServers"`
		Interface                          face
		Schema                             string `json:"$schema"`
	}
	folder := "openai/plugins/" + made.Name + "/"
	if err := json.Unmarshal(made.Files[folder+"plugin.json"], &newer); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(made.Files[folder+".codex-plugin/plugin.json"], &older); err != nil {
		t.Fatal(err)
	}
	if older.Name != newer.Name || older.Version != newer.Version || older.Description != newer.Description ||
		older.Skills != "./skills/" || older.Servers != "./.mcp.json" || older.Schema != "" ||
		older.Interface["displayName"] != newer.Extensions["com.openai"].Interface["displayName"] {
		t.Errorf("%+v\n%+v", older, newer)
	}
}
