package plugin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/guestpasstest"
	"guestpass/internal/newapp/application/notes"
	"guestpass/resources"
)

// world is a server whose operations are declared for real, under a public name.
func world(t *testing.T, change ...func(*guestpasstest.Options)) *guestpasstest.World {
	t.Helper()
	o := guestpasstest.Options{Resources: resources.All()}
	for _, f := range change {
		f(&o)
	}
	return guestpasstest.New(t, o)
}

// ofWorld are the options that the command makes of a server, as if the world saw it on https.
func ofWorld(t *testing.T, w *guestpasstest.World) Options {
	t.Helper()
	document := strings.ReplaceAll(string(w.App.Document().JSON()), w.URL, "https://gpt.example.com")
	o := Options{URL: "https://gpt.example.com/mcp", Document: []byte(document), Tools: w.App.Tools(),
		Skill: w.App.Document().Skill(), Starters: w.App.GPT().Starters, Password: true, Challenge: true,
		Described: true}
	for _, op := range w.App.Operations() {
		o.Order = append(o.Order, op.ID)
		if op.Undoes {
			o.Undoes = append(o.Undoes, op.ID)
		}
	}
	return o
}

func filled() Listing {
	return Listing{DeveloperName: "Acme Inc.", SupportURL: "https://acme.example/help",
		TermsOfServiceURL: "https://acme.example/terms", DemoRecordingURL: "https://acme.example/demo",
		Logo:    "logo.png",
		License: "MIT", LicenseFile: "LICENSE", BrandColor: "#1A5FB4"}
}

// withLogo is a folder with what [filled] names.
func withLogo(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for name, content := range map[string][]byte{"logo.png": picture(t, 512, 512), "LICENSE": []byte("MIT License"),
		"wide.png": picture(t, 512, 256), "small.png": picture(t, 32, 32), "screen.png": picture(t, 706, 500),
		"not.png":   []byte("not an image"),
		"round.svg": []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>`),
		"long.svg":  []byte(`<svg width="9" height="90px"/>`), "large.png": make([]byte, maxImage+1),
		"other/logo.png": picture(t, 256, 256)} {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func picture(t *testing.T, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestRefusalsHaveTheNamesOfThePortal changes one thing at a time in a package that is taken.
func TestRefusalsHaveTheNamesOfThePortal(t *testing.T) {
	o := ofWorld(t, world(t))
	o.Files = os.DirFS(withLogo(t))
	for _, tt := range []struct {
		want, place string
		change      func(*Listing, *Options)
	}{
		{"plugin_name_format", "name", func(l *Listing, _ *Options) { l.Name = "Acme--Tasks" }},
		{"plugin_name_too_long", "name", func(l *Listing, _ *Options) { l.Name = strings.Repeat("a", 65) }},
		{"skill_identity_too_long", "name", func(l *Listing, _ *Options) { l.Name = strings.Repeat("a", 32) }},
		{"plugin_version_not_semver", "version", func(l *Listing, _ *Options) { l.Version = "1.0" }},
		{"submission_display_name_too_long", "displayName",
			func(l *Listing, _ *Options) { l.DisplayName = strings.Repeat("å", 31) }},
		{"submission_display_name_required", "displayName", func(l *Listing, _ *Options) { l.DisplayName = "  " }},
		{"submission_subtitle_too_long", "shortDescription",
			func(l *Listing, _ *Options) { l.ShortDescription = strings.Repeat("a", 31) }},
		{"submission_description_too_long", "longDescription",
			func(l *Listing, _ *Options) { l.LongDescription = strings.Repeat("a", 4001) }},
		{"submission_developer_name_required", "developerName", func(l *Listing, _ *Options) { l.DeveloperName = "" }},
		{"submission_developer_name_too_long", "developerName",
			func(l *Listing, _ *Options) { l.DeveloperName = strings.Repeat("a", 81) }},
		{"plugin_category_unknown", "category", func(l *Listing, _ *Options) { l.Category = "Tasks" }},
		{"plugin_website_url_format", "websiteURL",
			func(l *Listing, _ *Options) { l.WebsiteURL = "http://acme.example" }},
		{"plugin_support_url_format", "supportURL",
			func(l *Listing, _ *Options) { l.SupportURL = "mailto:help@acme.example" }},
		{"plugin_privacy_policy_url_format", "privacyPolicyURL",
			func(l *Listing, _ *Options) { l.PrivacyPolicyURL = "acme.example/privacy" }},
		{"plugin_terms_of_service_url_format", "termsOfServiceURL",
			func(l *Listing, _ *Options) { l.TermsOfServiceURL = "https://me:pass@acme.example" }},
		{"plugin_default_prompt_too_many", "defaultPrompt",
			func(l *Listing, _ *Options) { l.DefaultPrompt = []string{"a", "b", "c", "d"} }},
		{"plugin_default_prompt_too_long", "defaultPrompt[0]",
			func(l *Listing, _ *Options) { l.DefaultPrompt = []string{strings.Repeat("a", 129)} }},
		{"plugin_default_prompt_mention", "defaultPrompt[0]",
			func(l *Listing, _ *Options) { l.DefaultPrompt = []string{"Ask @acme for my tasks"} }},
		{"plugin_default_prompt_duplicate", "defaultPrompt[1]",
			func(l *Listing, _ *Options) { l.DefaultPrompt = []string{"My tasks", "my  TASKS "} }},
		{"plugin_brand_color_format", "brandColor", func(l *Listing, _ *Options) { l.BrandColor = "blue" }},
		{"plugin_brand_color_contrast", "brandColor", func(l *Listing, _ *Options) { l.BrandColor = "#FFFF00" }},
		{"plugin_brand_color_dark_format", "brandColorDark", func(l *Listing,
			_ *Options) {
			l.BrandColorDark = "#FFF"
		}},
		{"plugin_brand_color_dark_contrast", "brandColorDark",
			func(l *Listing, _ *Options) { l.BrandColorDark = "#333333" }},
		{"declared_asset_path_unsafe", "logo", func(l *Listing, _ *Options) { l.Logo = "../logo.png" }},
		{"declared_asset_file_missing", "composerIcon", func(l *Listing, _ *Options) { l.ComposerIcon = "none.png" }},
		{"image_file_too_large", "logo", func(l *Listing, _ *Options) { l.Logo = "large.png" }},
		{"raster_image_not_square", "logo", func(l *Listing, _ *Options) { l.Logo = "wide.png" }},
		{"raster_image_dimensions_too_small", "logoDark", func(l *Listing, _ *Options) { l.LogoDark = "small.png" }},
		{"archive_member_path_duplicate", "logoDark", func(l *Listing, _ *Options) { l.LogoDark = "other/logo.png" }},
		{"", "logo", func(l *Listing, _ *Options) { l.Logo = "not.png" }},
		{"", "logo", func(l *Listing, _ *Options) { l.Logo = "long.svg" }},
		{"screenshots_not_allowed", "screenshots",
			func(l *Listing, o *Options) {
				l.Screenshots = []string{"screen.png"}
				o.Tools = regexp.MustCompile(`"ui":\{[^}]*\},`).ReplaceAll(o.Tools, nil)
			}},
		{"", "countries[1]", func(l *Listing, _ *Options) { l.Countries = []string{"DE", "Germany"} }},
		{"", "countries[0]", func(l *Listing, _ *Options) { l.Countries = []string{"XX"} }},
		{"", "countries[0]", func(l *Listing, _ *Options) { l.Countries = []string{"UK"} }},
		{"", "countries[0]", func(l *Listing, _ *Options) { l.Countries = []string{"de"} }},
		{"", "developerEmail", func(l *Listing, _ *Options) { l.DeveloperEmail = "foo" }},
		{"", "developerEmail", func(l *Listing, _ *Options) { l.DeveloperEmail = "Acme <help@acme.example>" }},
		{"", "justifications", func(l *Listing, _ *Options) {
			l.Justifications = map[string]map[string]string{"listTask": {"readOnlyHint": "It reads."}}
		}},
		{"", "justifications.listTasks", func(l *Listing, _ *Options) {
			l.Justifications = map[string]map[string]string{"listTasks": {"readOnly": "It reads."}}
		}},
		{"", "demoRecordingURL", func(l *Listing, _ *Options) { l.DemoRecordingURL = "demo.mp4" }},
		{"skill_body_empty", "skill", func(_ *Listing, o *Options) { o.Skill = " " }},
		{"domain_verification_required", "GUESTPASS_PUBLIC_URL",
			func(_ *Listing, o *Options) { o.URL = "http://localhost:8080/mcp" }},
		{"annotations_required", "listTasks", func(_ *Listing, o *Options) {
			o.Tools = regexp.MustCompile(`("name":"listTasks".*?)"openWorldHint":false`).
				ReplaceAll(o.Tools, []byte(`$1"openWorldHint":null`))
		}},
		{"justification_required", "listTasks", func(_ *Listing, o *Options) {
			o.Tools = regexp.MustCompile(`("name":"listTasks".*?"description":)".*?"`).ReplaceAll(o.Tools,
				[]byte(`$1""`))
		}},
		{"", "test_cases", func(l *Listing, _ *Options) { l.Cases.Positive = make([]Case, 4) }},
	} {
		t.Run(tt.want+" "+tt.place, func(t *testing.T) {
			o := o
			o.Listing = filled()
			tt.change(&o.Listing, &o)
			made, err := New(o)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(made.Refused, func(f Finding) bool {
				return f.Name == tt.want && f.Place == tt.place && f.Text != ""
			}) {
				t.Errorf("refused is %v", made.Refused)
			}
			if made.Files[made.Archive] != nil {
				t.Error("there is an archive")
			}
		})
	}
	o.Listing = filled()
	o.Listing.ComposerIcon, o.Listing.DeveloperEmail = "round.svg", "help@acme.example"
	o.Listing.Countries = []string{"DE", "FR", "US"}
	if made, err := New(o); err != nil || len(made.Refused) > 0 || len(made.Files[made.Archive]) == 0 {
		t.Errorf("the unchanged one: %v, %v", err, made.Refused)
	}
}

// Screenshots are for tools with widgets: one for each prompt, of one size.
func TestScreenshotsGoWithWidgets(t *testing.T) {
	o := ofWorld(t, world(t))
	o.Files, o.Listing = os.DirFS(withLogo(t)), filled()
	made, err := New(o)
	wanted := slices.ContainsFunc(made.Missing, func(f Finding) bool { return f.Place == "screenshots" })
	if notes := string(made.Files[ReviewFile]); err != nil || !wanted ||
		!strings.Contains(notes, "in widgets: listMembers, listTasks. Each is a self-contained document") ||
		!strings.Contains(notes, "Its one link opens https://gpt.example.com/account; for Claude, list its host, "+
			"gpt.example.com, under Allowed link URIs.") {
		t.Errorf("%v, %v\n%s", err, made.Missing, notes)
	}
	o.AppURL = "https://app.acme.example/tasks"
	if made, _ := New(o); !strings.Contains(string(made.Files[ReviewFile]), "opens "+o.AppURL+
		"; for Claude, list its host, app.acme.example, under") {
		t.Errorf("the review notes do not name %s\n%s", o.AppURL, made.Files[ReviewFile])
	}
	o.Listing.DefaultPrompt, o.Listing.Screenshots = []string{"My tasks"}, []string{"screen.png"}
	if made, err := New(o); err != nil || len(made.Refused) > 0 ||
		made.Files["openai/plugins/"+made.Name+"/assets/screen.png"] == nil {
		t.Errorf("%v, %v", err, made.Refused)
	}
	for _, screenshots := range [][]string{{"screen.png", "screen.png"}, {"logo.png"}} {
		o.Listing.Screenshots = screenshots
		if made, _ := New(o); len(made.Refused) != 1 || !strings.HasPrefix(made.Refused[0].Place, "screenshots") {
			t.Errorf("%v: %v", screenshots, made.Refused)
		}
	}
}

func TestTheSameInputGivesTheSameBytes(t *testing.T) {
	o := ofWorld(t, world(t))
	o.Files, o.Listing = os.DirFS(withLogo(t)), filled()
	first, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		again, err := New(o)
		if err != nil || !maps.EqualFunc(first.Files, again.Files, bytes.Equal) {
			t.Fatalf("%v: other bytes", err)
		}
	}
}

// TestThePositiveCasesCanBeCarriedOut makes the calls of each case, in its order, with what the prompt says and
// what the answer before had, as a person who has nothing yet.
func TestThePositiveCasesCanBeCarriedOut(t *testing.T) {
	for _, tt := range []struct {
		name, person string
		change       func(*guestpasstest.Options)
		want         []string
	}{
		{"B2B", guestpasstest.Grace, func(*guestpasstest.Options) {}, []string{"listMembers", "createTask",
			"createTask, updateTask", "createTask, getTask", "createTask, deleteTask"}},
		{"Consumer", guestpasstest.UserGrace, func(o *guestpasstest.Options) { o.Vertical = auth.Consumer },
			[]string{"listTasks", "createTask", "createTask, updateTask", "createTask, getTask",
				"createTask, deleteTask"}},
		{"a resource of one's own", guestpasstest.Grace,
			func(o *guestpasstest.Options) { o.Resources = []api.Resource{notes.Resource()} }, nil},
		{"one operation", guestpasstest.Grace, func(o *guestpasstest.Options) {
			o.Change = func(o *guestpass.Options) { o.Operations = []string{"listTasks"} }
		}, []string{"listTasks", "listTasks", "listTasks", "listTasks", "listTasks"}},
		{"what reaches outside comes last", guestpasstest.Ada, func(o *guestpasstest.Options) {
			o.Change = func(o *guestpass.Options) {
				o.Operations = []string{"inviteMember", "getMember", "getUserInfo", "listMembers", "createTask"}
			}
		}, []string{"listMembers", "createTask", "listMembers, getMember", "inviteMember", "listMembers"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := world(t, tt.change)
			_, tools, err := read(ofWorld(t, w))
			if err != nil {
				t.Fatal(err)
			}
			cases := casesOf("Demo", tools)
			var called, prompts []string
			for _, c := range cases.Positive {
				called, prompts = append(called, c.Tools), append(prompts, c.Prompt)
				carryOut(t, w, tt.person, c)
			}
			slices.Sort(prompts)
			if len(cases.Positive) != 5 || len(cases.Negative) != 3 || len(slices.Compact(prompts)) != 5 ||
				tt.want != nil && !slices.Equal(called, tt.want) {
				t.Errorf("the cases call %q", called)
			}
		})
	}
}

// carryOut makes the calls of a case through /mcp.
func carryOut(t *testing.T, w *guestpasstest.World, person string, c Case) {
	t.Helper()
	answer := map[string]any{}
	for _, step := range c.Steps {
		arguments := map[string]any{}
		for _, given := range step.Given {
			arguments[given.Name] = given.Value
			if !strings.Contains(c.Prompt, fmt.Sprint(given.Value)) {
				t.Errorf("the prompt does not say %v: %s", given.Value, c.Prompt)
			}
		}
		for _, name := range step.Taken {
			arguments[name] = find(answer, name)
		}
		body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/call",
			"params": map[string]any{"name": step.Tool, "arguments": arguments}})
		if err != nil {
			t.Fatal(err)
		}
		reply := w.As(person).Do(200, "POST", "/mcp", string(body))
		result, _ := reply["result"].(map[string]any)
		if result == nil || result["isError"] == true {
			t.Fatalf("%s\n%s: %v", c.Prompt, body, reply)
		}
		if answer, _ = result["structuredContent"].(map[string]any); answer["repeated"] == true {
			t.Errorf("%s: it was taken for a repetition", c.Prompt)
		}
		if !strings.Contains(c.Expected, step.Tool) {
			t.Errorf("%s is not expected: %s", step.Tool, c.Expected)
		}
	}
}

// find returns the first value of that name, however deep.
func find(value any, name string) any {
	switch value := value.(type) {
	case map[string]any:
		if found, ok := value[name]; ok {
			return found
		}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			if found := find(value[key], name); found != nil {
				return found
			}
		}
	case []any:
		for _, item := range value {
			if found := find(item, name); found != nil {
				return found
			}
		}
	}
	return nil
}

// Every value of every hint has a reason, which says what the tool does.
func TestEveryAnnotationIsJustified(t *testing.T) {
	o := ofWorld(t, world(t))
	made, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	var f form
	if err := json.Unmarshal(made.Files[FormFile], &f); err != nil || len(f.Tools) != 16 {
		t.Fatalf("%v: %d tools", err, len(f.Tools))
	}
	notes := string(made.Files[ReviewFile])
	for name, tool := range f.Tools {
		j := tool.Justifications
		for hint, reason := range map[string]string{"readOnlyHint": j.ReadOnly, "destructiveHint": j.Destructive,
			"openWorldHint": j.OpenWorld} {
			value, said := tool.Annotations[hint]
			if !said || len(reason) < 40 || !strings.HasSuffix(reason, ".") ||
				!strings.Contains(notes, fmt.Sprintf("- `%s` %t: %s\n", hint, value, reason)) {
				t.Errorf("%s: %s %t is justified by %q", name, hint, value, reason)
			}
		}
	}
	for name, want := range map[string]string{"deleteTask": "What the call names is removed: it deletes a task",
		"undoActivity": "in place of what is there now: it takes back",
		"updateTask":   "The values in the call replace those that were there",
		"inviteMember": "What it sends cannot be called back",
		"createTask":   "It deletes nothing, replaces nothing that anybody has written"} {
		if got := f.Tools[name].Justifications.Destructive; !strings.Contains(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := f.Tools["inviteMember"].Justifications.OpenWorld; !strings.Contains(got, "sends an invitation by "+
		"e-mail") {
		t.Errorf("inviteMember: %q", got)
	}
}

// What nobody but a person can give is listed, and what is there is not.
func TestWhatOnlyAPersonCanGiveIsListed(t *testing.T) {
	o := ofWorld(t, world(t))
	o.Password, o.Challenge, o.Described = false, false, false
	places := func(o Options) (found []string) {
		made, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range made.Missing {
			found = append(found, f.Place)
			if !strings.Contains(string(made.Files[ReviewFile]), "- [ ] "+f.String()) {
				t.Errorf("the review notes lack %s", f)
			}
		}
		return found
	}
	if got := places(o); !slices.Equal(got, []string{"longDescription", "logo", "demoRecordingURL", "screenshots",
		"reviewer's account", "GUESTPASS_LOGIN_METHODS", "GUESTPASS_PLUGIN_CHALLENGE", "license, licenseFile"}) {
		t.Errorf("missing are %q", got)
	}
	o.Password, o.Challenge, o.Listing, o.Files = true, true, filled(), os.DirFS(withLogo(t))
	o.Listing.LongDescription = "Acme keeps the tasks of a team."
	if got := places(o); !slices.Equal(got, []string{"screenshots", "reviewer's account"}) {
		t.Errorf("missing are %q", got)
	}
}

// Claude's directory wants some files that the portal does not.
func TestThePackageOfClaude(t *testing.T) {
	o := ofWorld(t, world(t))
	o.Listing, o.Files = filled(), os.DirFS(withLogo(t))
	made, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	folder := "claude/plugins/" + made.Name + "/"
	var manifest struct {
		Name, License, PrivacyPolicyURL string
	}
	var market struct {
		Owner   struct{ Name string }
		Plugins []struct{ Name, Source string }
	}
	if err := json.Unmarshal(made.Files[folder+".claude-plugin/plugin.json"], &manifest); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(made.Files["claude/.claude-plugin/marketplace.json"], &market); err != nil {
		t.Fatal(err)
	}
	readme := string(made.Files[folder+"README.md"])
	if manifest.Name != made.Name || manifest.License != "MIT" ||
		manifest.PrivacyPolicyURL != "https://gpt.example.com/privacy" ||
		market.Owner.Name != "Acme Inc." || len(market.Plugins) != 1 || "claude/"+strings.TrimPrefix(
		market.Plugins[0].Source, "./")+"/" != folder || string(made.Files[folder+"LICENSE"]) != "MIT License" ||
		len(strings.Fields(readme)) < 40 || !strings.Contains(readme, "## Privacy Policy") {
		t.Errorf("%+v %+v\n%s", manifest, market, readme)
	}
	skill := string(made.Files[folder+"skills/"+made.Name+"/SKILL.md"])
	if strings.Contains(skill, "GPT") ||
		skill != string(made.Files["openai/plugins/"+made.Name+"/skills/"+made.Name+"/SKILL.md"]) {
		t.Errorf("the skill is\n%s", skill)
	}
}

func TestAListingSaysWhereItIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"{\n  \"supportUrls\": \"x\"\n}":   `unknown field "supportUrls"`,
		"{\n  \"logo\": 5\n}":              "line 2: logo must be one text",
		"{\n\n\"screenshots\": \"a.png\"}": "line 3: screenshots must be a list of texts",
		"{\"countries\": [49]}":            "line 1: countries must be a list of texts",
		"{\"test_cases\": []}":             "line 1: test_cases must be an object",
		"{\"test_cases\": {\"positive\": [\n{\"tools_triggered\": [\"listTasks\"]}]}}": "line 2: tools_triggered " +
			"must be one text, names separated by commas",
		"{\"test_cases\": {\"negative\": {}}}":                 "line 1: negative must be a list of objects",
		"{\"justifications\": {\"listTasks\": \"It reads.\"}}": "line 1: justifications must be an object of tools",
		"[]":               "line 1: it must be an object",
		"{\n\n\"logo\": }": "line 3: ",
		"{} {}":            "something follows",
		"{\"name\":\"" + strings.Repeat("a", maxListing) + "\"}": "more than 262144 bytes",
		"":                "line 1: it ends before the object does",
		"{\n\"logo\": \"": "line 2: it ends before the object does",
	} {
		if _, err := ReadListing(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "Go ") {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
	empty, err := ReadListing(bytes.NewReader(EmptyListing()))
	if err != nil || empty.Screenshots == nil || empty.DefaultPrompt == nil {
		t.Errorf("%v: the first listing shows no place for %+v", err, empty)
	}
}

func TestNamesAreMadeOfTitles(t *testing.T) {
	for title, want := range map[string]string{"Acme Tasks": "acme-tasks", "Büro & Söhne": "b-ro-s-hne",
		"タスク":                                   "guestpass",
		"The very long title of an application": "the-very-long-title-of-an"} {
		if got := nameOf(title); got != want {
			t.Errorf("%q is named %q, want %q", title, got, want)
		}
	}
}
