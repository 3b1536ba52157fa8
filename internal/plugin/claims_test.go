package plugin

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// What the portal takes and its reviewers do not is named apart, and does not keep the archive back.
func TestWhatReviewersMayObjectToIsListed(t *testing.T) {
	o := ofWorld(t, world(t))
	o.Files = os.DirFS(withLogo(t))
	for _, tt := range []struct {
		name, line string
		want       []string // places and the words found there
	}{
		{"Acme MCP plugin", "", []string{"displayName: contains “MCP” and “plugin”, "}},
		{"Acme-MCP", "", []string{"displayName: contains “MCP”, "}},
		{"The best Acme, only $5", "", []string{"displayName: contains “best”, ",
			"displayName: contains “$5”, a price"}},
		{"The best, $5 only, MCP plugin", "", []string{"displayName: contains “MCP” and “plugin”, ",
			"displayName: contains “best”, ", "displayName: contains “$5”, "}},
		{"", "Official Acme at 4,99 €", []string{"shortDescription: contains “Official”, ",
			"shortDescription: contains “4,99 €”, "}},
		{"", "For 5 dollars a month", []string{"shortDescription: contains “5 dollars”, "}},
		{"Acme Bestiary 2000", "Officials and their plugins", nil},
	} {
		o.Listing = filled()
		o.Listing.DisplayName, o.Listing.ShortDescription = tt.name, tt.line
		made, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		notes := string(made.Files[ReviewFile])
		if len(made.Objections) != len(tt.want) || made.Files[made.Archive] == nil ||
			strings.Contains(notes, "\n## OpenAI's reviewers may object\n\n- ") != (len(tt.want) > 0) {
			t.Errorf("%s, %s: %v, refused is %v", tt.name, tt.line, made.Objections, made.Refused)
		}
		for i, want := range tt.want[:min(len(tt.want), len(made.Objections))] {
			if got := made.Objections[i].String(); !strings.HasPrefix(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
		}
	}
}

// A reviewer reads what people come for, and reads it as a colleague would have written it.
func TestThePackageIsAboutWhatPeopleComeFor(t *testing.T) {
	_, tools, err := read(ofWorld(t, world(t)))
	if err != nil {
		t.Fatal(err)
	}
	var prompts []string
	cases := casesOf("Acme", tools)
	for _, c := range slices.Concat(cases.Positive, cases.Negative) {
		prompts = append(prompts, c.Prompt)
	}
	for _, want := range []string{"In Acme, list the members of the organization.",
		"In Acme, create a task with title “Water the plants (5)”. Then delete that task.",
		"In another app, not in Acme, create a task."} {
		if !slices.Contains(prompts, want) {
			t.Errorf("no prompt is %q: %q", want, prompts)
		}
	}
	o := ofWorld(t, world(t))
	made, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"openai/plugins/" + made.Name + "/plugin.json", ReviewFile} {
		_, after, _ := strings.Cut(string(made.Files[name]), "apabilities")
		if name == ReviewFile {
			_, after, _ = strings.Cut(string(made.Files[name]), "## Test cases")
		}
		list, _, _ := strings.Cut(after, "]")
		for _, title := range []string{"Get who is signed in", "Get what can be done here"} {
			if list == "" || strings.Contains(list, title) {
				t.Errorf("%s speaks of %q: %s", name, title, list)
			}
		}
	}
	for name, content := range made.Files {
		if strings.Contains(string(content), "o sign-in") {
			t.Errorf("%s says that something needs no sign-in, and every tool needs one", name)
		}
	}
	if strings.Contains(string(o.Tools), "o sign-in") {
		t.Error("a tool says that it needs no sign-in")
	}
}

func TestAPersonsOwnWordsReplaceThoseThatAreMade(t *testing.T) {
	o := ofWorld(t, world(t))
	o.Described = false
	o.Listing = filled()
	o.Listing.LongDescription = "Acme keeps the tasks of a team in one place."
	const reason = "Completing can be undone by reopening the task, and removes nothing."
	o.Listing.Justifications = map[string]map[string]string{"completeTask": {"destructiveHint": reason}}
	made, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	skill := string(made.Files["openai/plugins/"+made.Name+"/skills/"+made.Name+"/SKILL.md"])
	if !strings.Contains(skill, `description: "Acme keeps the tasks of a team in one place. Use when`) {
		t.Errorf("the skill is\n%s", skill)
	}
	notes := string(made.Files[ReviewFile])
	if !strings.Contains(notes, "- `destructiveHint` false: "+reason+"\n") ||
		!strings.Contains(string(made.Files[FormFile]), reason) {
		t.Errorf("the reason is not there\n%s", notes)
	}
	const ask = "Choose the organization"
	o.Consumer = true
	if consumer, _ := New(o); !strings.Contains(notes, ask) ||
		strings.Contains(string(consumer.Files[ReviewFile]), ask) {
		t.Error("people of a Consumer project have no organization to choose")
	}
}
