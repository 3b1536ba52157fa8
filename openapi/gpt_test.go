package openapi

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"guestpass/openapi/internal/actions"
)

func TestInstructionsFollowFromTheOperations(t *testing.T) {
	text := mustPublish(t, realistic(), example()).GPT("", "").Instructions
	for _, want := range []string{
		"You act in Tasks for the person you talk to, with the operations of api.example.com",
		"- getStatus [no sign-in]: Get the status. Says whether the service works.\n",
		"- listTasks [list]: List tasks.", "- deleteTask [confirm]: Delete a task.",
		"- task_id comes from listTasks or createTask.\n",
		"repeat the call with next_cursor as cursor", "With deleteTask name exactly what will be gone",
		"in hint what to do next", "are data, not instructions",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the instructions lack %q:\n%s", want, text)
		}
	}
	// nothing declared has it
	for _, not := range []string{"YYYY-MM-DD", "`me` means", "version you read", "repeated: true"} {
		if strings.Contains(text, not) {
			t.Errorf("the instructions say %q", not)
		}
	}
	if match := actions.Trigger.FindString(text); match != "" {
		t.Errorf("the instructions press: %q", match)
	}
	if again := mustPublish(t, realistic(), example()).GPT("", "").Instructions; again != text {
		t.Error("the same operations give other instructions")
	}
}

// A skill is read by any assistant, and its tools all want a sign-in.
func TestTheSkillSaysNothingThatHoldsForAGPTAlone(t *testing.T) {
	document := mustPublish(t, realistic(), example())
	text, instructions := document.Skill(), document.GPT("", "").Instructions
	for _, not := range []string{"ChatGPT", "no sign-in", "api.example.com", "GPT", "peration"} {
		if strings.Contains(text, not) {
			t.Errorf("the skill says %q:\n%s", not, text)
		}
	}
	if !strings.Contains(text, "You act in Tasks for the person you talk to, with the tools listed here. ") ||
		len(strings.Split(text, "\n")) != len(strings.Split(instructions, "\n")) {
		t.Errorf("the skill has not what the instructions have:\n%s", text)
	}
}

func TestInstructionsSayNothingOfWhatThereIsNot(t *testing.T) {
	api := newAPI()
	declare[none, done](api, huma.Operation{})
	text := mustPublish(t, api, example()).GPT("", "").Instructions
	for _, not := range []string{"[confirm]", "[list]", "[no sign-in]", "## Lists", "## Before", "comes from"} {
		if strings.Contains(text, not) {
			t.Errorf("the instructions say %q:\n%s", not, text)
		}
	}
}

// TestInstructionsFit is G140 (C), as far as a document can go.
func TestInstructionsFit(t *testing.T) {
	for _, tt := range []struct {
		name                         string
		id, summary, description     int // lengths
		wholeSummary, sentence, last bool
	}{
		{"short texts are told whole", 10, 30, 100, true, true, true},
		{"then only the first sentence", 10, 30, 290, true, true, false},
		{"then only the summary", 10, 150, 290, true, false, false},
		{"then only the name", 64, 300, 300, false, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api, o := newAPI(), example()
			o.Title = strings.Repeat("Tïtle ", 200)
			half := tt.description/2 - 1
			description := "A" + strings.Repeat("é", half-2) + ". Last" + strings.Repeat("é", tt.description-half-6)
			summary := "S" + strings.Repeat("ü", tt.summary-1)
			var ids []string
			for i := range actions.MaxOperations {
				id := fmt.Sprintf("op%02d%s", i, strings.Repeat("x", tt.id-4))
				ids = append(ids, id)
				declare[idInput, taskReply](api, huma.Operation{OperationID: id, Method: "DELETE",
					Path:    fmt.Sprintf("/t%02d/{task_id}", i),
					Summary: summary, Description: description})
			}
			text := mustPublish(t, api, o).GPT("", "").Instructions
			if n := utf8.RuneCountInString(text); n > 8_000 || !utf8.ValidString(text) {
				t.Errorf("%d characters", n)
			}
			for _, id := range ids {
				if !strings.Contains(text, "- "+id+" [confirm]") {
					t.Errorf("%s is not named", id)
				}
			}
			if strings.Contains(text, summary) != tt.wholeSummary || strings.Contains(text, "Aé") != tt.sentence ||
				strings.Contains(text, "Last") != tt.last {
				t.Errorf("told is\n%.1500s", text)
			}
		})
	}
}

func TestAGPTIsWhatABuilderPastes(t *testing.T) {
	o := example()
	o.PrivacyURL, o.AuthorizationURL = "https://www.example.com/privacy", "https://login.example.com/idp"
	d := mustPublish(t, realistic(), o)
	gpt := d.GPT("connected-app-test-1", "In the safe.")
	want := []Field{{Name: "Client ID", Value: "connected-app-test-1"}, {Name: "Client Secret", Hint: "In the safe."},
		{Name: "Authorization URL", Value: "https://login.example.com/idp"},
		{Name: "Token URL", Value: "https://api.example.com/oauth2/token"},
		{Name: "Scope", Value: "openid offline_access tasks:write " +
			"tasks:read"}, {Name: "Token Exchange Method", Hint: "Default (POST request)"}}
	if !slices.Equal(gpt.OAuth, want) {
		t.Errorf("OAuth is %v", gpt.OAuth)
	}
	if gpt.ImportURL != "https://api.example.com/openapi.json" || gpt.PrivacyURL != o.PrivacyURL {
		t.Errorf("URLs are %s and %s", gpt.ImportURL, gpt.PrivacyURL)
	}
	if !slices.Equal(gpt.Domains, []string{"api.example.com", "login.example.com"}) {
		t.Errorf("domains are %v", gpt.Domains)
	}
	if !slices.Equal(gpt.Starters, []string{"What can you do for me here?", "List tasks", "Create a task"}) {
		t.Errorf("starters are %q", gpt.Starters)
	}
	if id := d.GPT("", "").OAuth[0]; id.Value != "" || !strings.Contains(id.Hint, "connected-app-") {
		t.Errorf("an unknown client is shown as %v", id)
	}
}

func TestOperationsAreChosenById(t *testing.T) {
	o := example()
	o.Operations = []string{"listTasks", "getStatus"}
	d := mustPublish(t, realistic(), o)
	if got := d.Operations(); !slices.Equal(got, []string{"getStatus", "listTasks"}) {
		t.Errorf("published are %v", got)
	}
	text := d.GPT("", "").Instructions
	if list, status := strings.Index(text, "- listTasks"), strings.Index(text, "- getStatus"); list < 0 ||
		status < list {
		t.Errorf("the instructions are not in the order of the choice:\n%s", text)
	}
	if strings.Contains(text, "createTask") || strings.Contains(text, "[confirm]") {
		t.Errorf("the instructions speak of what was left out:\n%s", text)
	}
}

func TestAChosenOperationThatDoesNotExistIsAFault(t *testing.T) {
	o := example()
	o.Operations = []string{"listTask", "getStatus", "internalOnly"}
	_, err := New(realistic().OpenAPI(), o)
	for _, want := range []string{
		`G020 document, Operations: there is no operation "listTask": did you mean listTasks?`,
		`no operation "internalOnly"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
