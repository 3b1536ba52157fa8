//go:build !production

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"guestpass/gpttest"
)

// acceptance holds clients and linters that others made, and what it takes to run them.
const acceptance = "../acceptance"

// TestLibreChatCallsEveryOperation has a client that is not ours do what ChatGPT does. What
// it makes of the document is held against what gpttest makes of it.
func TestLibreChatCallsEveryOperation(t *testing.T) {
	for _, tt := range []struct{ vertical, subject string }{
		{"b2b", "member-test-aaaaaaaa-0000-4000-8000-000000000001"},
		{"consumer", "user-test-cccccccc-0000-4000-8000-000000000001"},
	} {
		t.Run(tt.vertical, func(t *testing.T) {
			app, emulator := development(t, "--vertical", tt.vertical)
			imported, err := gpttest.Import(t.Context(), app+"/openapi.json", gpttest.Options{})
			if err != nil || !imported.OK() {
				t.Fatalf("%v %v %v", err, imported.Errors, imported.Warnings)
			}
			output, stderr, err := runNode(t, map[string]any{
				"app": app, "token": mint(t, emulator, tt.subject, imported.OAuth.Scopes),
				"operations": expectations(imported.Operations),
			}, "librechat.mjs")
			var statuses map[string]int
			if err != nil || json.Unmarshal(output, &statuses) != nil {
				t.Fatalf("librechat.mjs: %v\n%s%s", err, output, stderr)
			}
			for _, op := range imported.Operations {
				if statuses[op.ID]/100 != 2 {
					t.Errorf("%s was answered %d, want 2xx; 0 means that the story in acceptance/librechat.mjs "+
						"lacks it", op.ID, statuses[op.ID])
				}
			}
		})
	}
}

// An expectation is what librechat.mjs must find of an operation.
type expectation struct {
	ID        string            `json:"id"`
	Locations map[string]string `json:"locations"` // of each argument: path, query or body
	Required  []string          `json:"required"`
}

func expectations(operations []gpttest.Operation) (list []expectation) {
	for _, op := range operations {
		e := expectation{op.ID, map[string]string{}, []string{}}
		for _, a := range op.Arguments {
			if e.Locations[a.Name] = a.In; a.Required {
				e.Required = append(e.Required, a.Name)
			}
		}
		list = append(list, e)
	}
	return list
}

// mint returns an access token of the emulator's with the given scopes.
func mint(t *testing.T, emulator, subject string, scopes []gpttest.Scope) string {
	t.Helper()
	names := []string{}
	for _, scope := range scopes {
		names = append(names, scope.Name)
	}
	body, err := json.Marshal(map[string]any{"subject": subject, "scopes": names})
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(emulator+"/_emulator/tokens", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var minted struct{ Token string }
	if err := json.NewDecoder(response.Body).Decode(&minted); err != nil || minted.Token == "" {
		t.Fatalf("no token: %s %v", response.Status, err)
	}
	return minted.Token
}

// TestLintersFindNoErrors has linters that are not ours read what is published, in every version.
// That they find the one document with a fault shows that they looked.
func TestLintersFindNoErrors(t *testing.T) {
	folder := t.TempDir()
	write := func(name, document string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(document), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var documents []string
	var document string
	for name, versions := range publishedVersions(t) {
		for version, text := range versions {
			documents = append(documents, write(name+strings.Replace(version, ".", "", 1)+".json", text))
			document = versions["3.1"]
		}
	}
	documents = append(documents, write("faulty.json", strings.ReplaceAll(document, `"getTask"`, `"createTask"`)))
	for name, arguments := range map[string][]string{
		"redocly":  {"lint", "--extends=recommended", "--format=github-actions", "--max-problems=1000"},
		"spectral": {"lint", "--quiet", "--ruleset=spectral.yaml", "--format=github-actions"},
	} {
		t.Run(name, func(t *testing.T) {
			output, stderr, _ := runNode(t, nil, "node_modules/.bin/"+name, slices.Concat(arguments, documents)...)
			faulty := false
			for _, match := range regexp.MustCompile(`(?m)^::error .*file=[^,]*?(\w+\.json).*$`).FindAllStringSubmatch(
				string(output), -1) {
				if faulty = faulty || match[1] == "faulty.json"; match[1] != "faulty.json" {
					t.Error(match[0])
				}
			}
			if !faulty {
				t.Errorf("the fault was not found: %s%s", output, stderr)
			}
		})
	}
}

// runNode runs one program of the folder, with input as JSON if there is any.
func runNode(t *testing.T, input any, program string, arguments ...string) (stdout, stderr []byte, err error) {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by make quick: it needs Node.js")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("Node.js 20 or later is missing, install it and run make acceptance: %v", err)
	}
	if _, err := os.Stat(filepath.Join(acceptance, "node_modules/.package-lock.json")); err != nil {
		t.Fatalf("the packages of acceptance/ are missing, run make acceptance: %v", err)
	}
	// Node reads the folder unseen by go test, which would keep an old result.
	if _, err := os.ReadDir(acceptance); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, node, append([]string{program}, arguments...)...)
	command.Dir, command.Env = acceptance, append(os.Environ(), "REDOCLY_TELEMETRY=off",
		"REDOCLY_SUPPRESS_UPDATE_NOTICE=true")
	if input != nil {
		body, err := json.Marshal(input)
		if err != nil {
			t.Fatal(err)
		}
		command.Stdin = bytes.NewReader(body)
	}
	var out, errOut bytes.Buffer
	command.Stdout, command.Stderr = &out, &errOut
	err = command.Run()
	return out.Bytes(), errOut.Bytes(), err
}
