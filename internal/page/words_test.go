package page

import (
	"html/template"
	"io/fs"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func catalogueOf(t *testing.T, given map[string]map[string]string) *catalogue {
	t.Helper()
	c, err := newCatalogue(given, "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEveryLanguageSaysEverything(t *testing.T) {
	c := catalogueOf(t, nil)
	if len(c.words) < 2 {
		t.Fatalf("languages: %v", c.tags)
	}
	known := c.known()
	for tag, texts := range c.words {
		for key, text := range texts {
			if err := checkText(known, key, text); err != nil {
				t.Errorf("%s: %v", tag, err)
			}
			if isOptional(key) {
				continue
			}
			if _, found := c.words[first][key]; !found {
				t.Errorf("%s: %s is not in %s", tag, key, first)
			}
		}
		for key := range c.words[first] {
			if texts[key] == "" {
				t.Errorf("%s: %s is missing", tag, key)
			}
		}
		if _, err := texts.time(time.Now()); err != nil {
			t.Errorf("%s: %v", tag, err)
		}
	}
	t.Logf("%d texts, %d of the component's", len(c.words[first]), len(c.words["de"].of(ofComponent)))
}

// sources returns what speaks to people, by file.
func sources(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, folder := range []string{".", "../idp", "../account", "../site"} {
		err := filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
			ending := filepath.Ext(name)
			if err != nil || entry.IsDir() || strings.HasSuffix(name, "_test.go") ||
				strings.Contains(name, "stytch-") || strings.Contains(name, "swagger") ||
				!slices.Contains([]string{".go", ".html", ".js"}, ending) {
				return err
			}
			content, err := os.ReadFile(name)
			found[name] = string(content)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// TestEveryTextIsUsed, and every key that is used has one.
func TestEveryTextIsUsed(t *testing.T) {
	c := catalogueOf(t, nil)
	literal := regexp.MustCompile(`"([a-z]+\.[a-z_]+)"`)
	inScript := regexp.MustCompile(`"([a-z_]+)"`)
	groups := map[string]bool{}
	for key := range c.words[first] {
		groups[strings.SplitN(key, ".", 2)[0]] = true
	}
	used := map[string]bool{}
	for name, content := range sources(t) {
		for _, match := range literal.FindAllStringSubmatch(content, -1) {
			key := match[1]
			used[key] = true
			if _, found := c.words[first][key]; !found && groups[strings.SplitN(key, ".", 2)[0]] &&
				!strings.HasSuffix(key, ".html") {
				t.Errorf("%s: there is no text %s", name, key)
			}
		}
		if strings.HasPrefix(name, "../idp/assets/") {
			for _, match := range inScript.FindAllStringSubmatch(content, -1) {
				used["script."+match[1]] = true
			}
			for _, match := range regexp.MustCompile(`(?:say|parts)\("([^"]+)"|title\(\["([^"]+)"`).
				FindAllStringSubmatch(content, -1) {
				if key := "script." + match[1] + match[2]; c.words[first][key] == "" {
					t.Errorf("%s: there is no text %s", name, key)
				}
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.words[first])) {
		if !used[key] && !isOptional(key) {
			t.Errorf("nothing uses %s", key)
		}
	}
}

// TestWhatWasDoneIsSaidInTheWordsOfTheLanguage, else of the declaration, and only where each place has a value.
func TestWhatWasDoneIsSaidInTheWordsOfTheLanguage(t *testing.T) {
	c := catalogueOf(t, map[string]map[string]string{"de": {"done.addNote": "Notiz {text} ({place}) geschrieben"}})
	deed := Deed{Operation: "addNote", Done: "Wrote “{text}”", Summary: "Write <a> note",
		Values: map[string]string{"text": "<b>{place}", "place": "Ulm"}}
	for _, tt := range []struct{ tag, without, markup, text string }{
		{"de", "", "Notiz <bdi>&lt;b&gt;{place}</bdi> (<bdi>Ulm</bdi>) geschrieben",
			"Notiz <b>{place} (Ulm) geschrieben"},
		{"en", "", "Wrote “<bdi>&lt;b&gt;{place}</bdi>”", "Wrote “<b>{place}”"},
		{"de", "place", "Wrote “<bdi>&lt;b&gt;{place}</bdi>”", "Wrote “<b>{place}”"},
		{"de", "text", "Write &lt;a&gt; note", "Write <a> note"},
	} {
		one := deed
		one.Values = maps.Clone(deed.Values)
		delete(one.Values, tt.without)
		markup, err := c.words[tt.tag].doneMarkup(one)
		if err != nil || string(markup) != tt.markup {
			t.Errorf("%s without %q: %s %v", tt.tag, tt.without, markup, err)
		}
		if text, err := c.words[tt.tag].doneText(one); err != nil || text != tt.text {
			t.Errorf("%s without %q: %s %v", tt.tag, tt.without, text, err)
		}
	}
	if got := c.words["de"].field("due") + c.words["en"].field("spent_on"); got != "Fälligspent on" {
		t.Errorf("fields are %s", got)
	}
}

// TestWhatIsDeclaredIsSaidInTheLanguage where it is the very text: a scope of the same name may be for something else.
func TestWhatIsDeclaredIsSaidInTheLanguage(t *testing.T) {
	c := catalogueOf(t, map[string]map[string]string{"de": {"scope.notes:read": "Notizen lesen"}})
	for _, tt := range []struct{ tag, scope, declared, want string }{
		{"de", "tasks:read", "Read tasks", "Aufgaben lesen"}, {"en", "tasks:read", "Read tasks", "Read tasks"},
		{"de", "tasks:read", "Read and sell tasks", "Read and sell tasks"},
		{"de", "notes:read", "Read your notes", "Notizen lesen"},
	} {
		if got := c.words[tt.tag].scope(tt.scope, tt.declared); got != tt.want {
			t.Errorf("%s says %q of %q", tt.tag, got, tt.declared)
		}
	}
}

// TestPagesForPeopleHaveNoTextOfTheirOwn: what they say is among the words, so that it can be said otherwise.
func TestPagesForPeopleHaveNoTextOfTheirOwn(t *testing.T) {
	markup := regexp.MustCompile(`(?s)\{\{.*?\}\}|<[^>]*>|–|·|[\s:.,()“”]`)
	sentence := regexp.MustCompile("[\"'`>][A-Z][a-z’']+ [a-z ’']+|[\"'`][a-z]+ [a-z]+ [a-z]+ [a-z]")
	for name, content := range sources(t) {
		base := filepath.Base(name)
		switch {
		case base == "landing.html", base == "docs.html", strings.HasPrefix(name, "../site/assets/"): // for builders
		case strings.HasSuffix(name, ".html"):
			if left := markup.ReplaceAllString(content, ""); left != "" {
				t.Errorf("%s says %q", name, left)
			}
		case strings.HasSuffix(name, ".js"):
			code := regexp.MustCompile(`(?m)^\s*//.*$|\s//.*$`).ReplaceAllString(content, "")
			if found := sentence.FindAllString(code, -1); found != nil {
				t.Errorf("%s says %q", name, found)
			}
		}
	}
}

// TestComponentsKeysExist: a key that the component does not have would change nothing.
func TestComponentsKeysExist(t *testing.T) {
	theirs := map[string]string{}
	for _, file := range []string{"messages/en.po", "messages/b2b/en.po"} {
		content, err := os.ReadFile("../../web/node_modules/@stytch/vanilla-js/" + file)
		if err != nil {
			t.Fatalf("the packages of web/ are missing, run make web: %v", err)
		}
		message := regexp.MustCompile(`msgid "(.+)"\nmsgstr "(.*)"`)
		for _, match := range message.FindAllStringSubmatch(string(content), -1) {
			theirs[match[1]] = match[2]
		}
	}
	for tag, texts := range catalogueOf(t, nil).words {
		for key, text := range texts.of(ofComponent) {
			original, found := theirs[key]
			if !found {
				t.Errorf("%s: the component has no %s", tag, key)
			}
			ours := places(strings.ReplaceAll(text, "{app}", "{projectName}"))
			if !slices.Equal(ours, places(original)) ||
				strings.Contains(text, "<bold>") != strings.Contains(original, "<bold>") {
				t.Errorf("%s: %s: %q in place of %q", tag, key, text, original)
			}
		}
	}
}

func TestTheReaderChoosesTheLanguage(t *testing.T) {
	whole := maps.Clone(catalogueOf(t, nil).words[first])
	maps.DeleteFunc(whole, func(key, _ string) bool { return strings.HasPrefix(key, ofComponent) })
	pages, err := New(Options{Words: map[string]map[string]string{"pt-BR": whole}})
	if err != nil {
		t.Fatal(err)
	}
	for accepted, want := range map[string]string{
		"": "en", "de": "de", "de-AT,de;q=0.9,en;q=0.8": "de", "fr,de;q=0.5": "de", "fr": "en", "*": "en",
		"en-GB,de": "en", "de;q=0.1,en;q=0.9": "en", "pt": "pt-BR", "pt-PT": "pt-BR", "nonsense;;q": "en", "\xff": "en",
		strings.Repeat("de,", 200): "en", "de;q=0,en": "en",
	} {
		r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		r.Header.Set("Accept-Language", accepted)
		if got := pages.Language(w, r); got != want || w.Header().Get("Vary") != "Accept-Language" {
			t.Errorf("%.40q: %s, want %s; Vary %q", accepted, got, want, w.Header().Get("Vary"))
		}
	}
	fixed, err := New(Options{Language: "de"})
	if err != nil {
		t.Fatal(err)
	}
	r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
	r.Header.Set("Accept-Language", "en")
	if got := fixed.Language(w, r); got != "de" || w.Header().Get("Vary") != "" {
		t.Errorf("fixed: %s, Vary %q", got, w.Header().Get("Vary"))
	}
}

func TestWordsOfOnesOwn(t *testing.T) {
	c := catalogueOf(t, map[string]map[string]string{"en": {"signin.returns": "Afterwards: {place}!"},
		"de": {"scope.tasks:read": "Aufgaben lesen"}})
	if got := c.words["de"].scope("tasks:read", "Read tasks"); got != "Aufgaben lesen" {
		t.Errorf("a scope is for %s", got)
	}
	if got := c.words["en"].scope("tasks:read", "Read tasks"); got != "Read tasks" {
		t.Errorf("a scope that has no words is for %s", got)
	}
	got, err := c.words["en"].markup("signin.returns", "place", "a <b> & c")
	if err != nil || got != "Afterwards: <bdi>a &lt;b&gt; &amp; c</bdi>!" {
		t.Errorf("%s %v", got, err)
	}
	for name, tt := range map[string]struct {
		tag, key, text, want string
	}{
		"an unknown key":        {"en", "signin.retrns", "x", `there is no key "signin.retrns"`},
		"a place too few":       {"de", "signin.returns", "Danach zurück", "must have the places {place}"},
		"a place too many":      {"de", "signin.returns", "{place} {app}", "must have the places {place}"},
		"nothing":               {"de", "layout.help", " ", "from 1 to 1000"},
		"too much":              {"de", "layout.help", strings.Repeat("x", 1001), "from 1 to 1000"},
		"two lines":             {"de", "layout.help", "a\nb", "control characters"},
		"no language":           {"German", "layout.help", "x", "must be the tag of a language"},
		"another's spelling":    {"de_DE", "layout.help", "x", "must be the tag of a language"},
		"half a language":       {"fr", "layout.help", "Aide", "layout.privacy is missing"},
		"a scope with a place":  {"en", "scope.tasks:read", "Read {x}", "must have the places"},
		"a key of no component": {"en", "stytch.button.nothing", "x", "there is no key"},
	} {
		_, err := newCatalogue(map[string]map[string]string{tt.tag: {tt.key: tt.text}}, "")
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	if _, err := newCatalogue(nil, "fr"); err == nil || !strings.Contains(err.Error(), "there are de, en") {
		t.Errorf("a language that there is not: %v", err)
	}
}

// TestWordsAreTextWhereverTheyStand: neither a text nor a value becomes markup.
func TestWordsAreTextWhereverTheyStand(t *testing.T) {
	pages, err := New(Options{Brand: Brand{Title: "A & B"}, Words: map[string]map[string]string{"en": {
		"signin.returns": `<i onclick="x">{place}</i> & "quoted"`}}})
	if err != nil {
		t.Fatal(err)
	}
	const x = `{{define "title"}}{{t "signin.returns" "place" .}}{{end}}{{define "main"}}` +
		`<p title="{{t "signin.returns" "place" .}}">{{t "signin.returns" "place" .}}` +
		`<q lang="{{say "signin.returns" "place" .}}">{{t "account.known_by" "host" (link . .)}}</q></p>{{end}}`
	page, err := pages.Parse(Layout{}, fstest.MapFS{"x.html": {Data: []byte(x)}}, "x.html")
	if err != nil {
		t.Fatal(err)
	}
	body, err := page.Render("en", `"><script>1</script>`)
	if err != nil || strings.Contains(string(body), "<script") || strings.Contains(string(body), "<i") ||
		strings.Contains(string(body), `"quoted"`) && strings.Contains(string(body), `title="<`) {
		t.Errorf("%v\n%s", err, body)
	}
	if _, err := pages.catalogue.words["en"].markup("signin.returns", "where", template.HTML("x")); err == nil {
		t.Error("a place without a value is passed over")
	}
}
