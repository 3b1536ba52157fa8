//go:build !production

package cli

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"guestpass/gpttest"
	"guestpass/openapi/lint"
)

// documentVersions are one document in all its versions, by version.
type documentVersions map[string]string

// publishedVersions are what the program prints for both kinds of project, and the realistic document of package
// openapi, whose lists, bounds and nested bodies the others lack.
func publishedVersions(t *testing.T) map[string]documentVersions {
	t.Helper()
	folder := filepath.Join("..", "openapi", "testdata")
	all := map[string]documentVersions{"realistic": {
		"3.1": readFile(t, filepath.Join(folder, "golden.json")),
		"3.0": readFile(t, filepath.Join(folder, "golden-3.0.json")),
		"2.0": readFile(t, filepath.Join(folder, "golden-2.0.json")),
	}}
	for _, vertical := range []string{"b2b", "consumer"} {
		all[vertical] = documentVersions{}
		for _, version := range []string{"3.1", "3.0", "2.0"} {
			code, document, stderr := execute(t, environ("STYTCH_VERTICAL="+vertical), "openapi", "--version", version)
			if code != 0 {
				t.Fatalf("exit code %d: %s", code, stderr)
			}
			all[vertical][version] = document
		}
	}
	return all
}

// An importedCall is an operation and arguments that its document admits, those of the body under that name.
type importedCall struct {
	ID        string         `json:"id"`
	Method    string         `json:"method"`
	Path      string         `json:"path"`
	Arguments map[string]any `json:"arguments"`
}

func importedCalls(t *testing.T, document string) (calls []importedCall) {
	t.Helper()
	imported, err := gpttest.ImportText(document, gpttest.Options{})
	if err != nil || !imported.OK() {
		t.Fatalf("%v %v", err, imported)
	}
	var maker gpttest.Maker
	for _, op := range imported.Operations {
		call := importedCall{op.ID, strings.ToLower(op.Method), op.Path, map[string]any{}}
		for _, argument := range op.Arguments {
			value, err := maker.Value(argument.Name, argument.Schema)
			if err != nil {
				t.Fatal(err)
			}
			into := call.Arguments
			if argument.In == "body" {
				if into["body"] == nil {
					into["body"] = map[string]any{}
				}
				into = into["body"].(map[string]any)
			}
			into[argument.Name] = value
		}
		calls = append(calls, call)
	}
	return calls
}

// TestOthersTakeEveryVersion: a validator of each version finds it valid, Microsoft 365's own parser takes 3.0 with all
// operations and no other version, and what one version admits and refuses, so do the others.
func TestOthersTakeEveryVersion(t *testing.T) {
	for name, documents := range publishedVersions(t) {
		t.Run(name, func(t *testing.T) {
			calls := importedCalls(t, documents["3.1"])
			output, stderr, err := runNode(t, map[string]any{"documents": documents, "calls": calls}, "importers.mjs")
			var seen struct {
				Valid     map[string]string
				Microsoft map[string]struct {
					Errors, Refused []string
					Operations      int
				}
				Compared, Admitted int
				Faults             []string
			}
			if err != nil || json.Unmarshal(output, &seen) != nil {
				t.Fatalf("importers.mjs: %v\n%s%s", err, output, stderr)
			}
			for version := range documents {
				if problem, looked := seen.Valid[version]; problem != "" || !looked {
					t.Errorf("%s is not valid: %s", version, problem)
				}
			}
			microsoft := seen.Microsoft["3.0"]
			if want := len(calls) - strings.Count(documents["3.0"], `"reason":`); microsoft.Operations != want ||
				len(microsoft.Errors)+len(microsoft.Refused) > 0 {
				t.Errorf("Microsoft 365 takes %+v, want all of %d operations", microsoft, want)
			}
			for version, want := range map[string]string{"3.1": "spec-version-not-supported",
				"2.0": "swagger-not-supported"} {
				if got := seen.Microsoft[version].Errors; !slices.Contains(got, want) {
					t.Errorf("Microsoft 365 says %v of %s, want %s", got, version, want)
				}
			}
			if seen.Compared < 100 || seen.Admitted < len(calls) || seen.Admitted == seen.Compared {
				t.Errorf("of %d values %d were admitted", seen.Compared, seen.Admitted)
			}
			for _, fault := range seen.Faults {
				t.Errorf("the versions differ: %s", fault)
			}
		})
	}
}

// TestEachVersionIsPrintedAsItIsServed, byte by byte, and what is no version is named.
func TestEachVersionIsPrintedAsItIsServed(t *testing.T) {
	app, _ := development(t)
	for version, path := range map[string]string{"3.1": "/openapi.json", "3.0": "/openapi-3.0.json",
		"2.0": "/swagger.json"} {
		response, err := http.Get(app + path)
		if err != nil {
			t.Fatal(err)
		}
		served, err := io.ReadAll(response.Body)
		response.Body.Close()
		code, printed, stderr := execute(t, nil, "openapi", "--version", version, "--public-url", app)
		if err != nil || code != 0 || printed != string(served) {
			t.Errorf("%s: %v, exit code %d, %s\nprinted %.300s\nserved  %.300s", version, err, code, stderr, printed,
				served)
		}
	}
	for want, arguments := range map[string][]string{"it must be 3.1, 3.0 or 2.0": {"--version", "3"},
		"are for version 3.1": {"--version", "2.0", "--yaml"}} {
		if code, _, stderr := execute(t, nil, append([]string{"openapi"}, arguments...)...); code != 2 ||
			!strings.Contains(stderr, want) {
			t.Errorf("%v: exit code %d, %s", arguments, code, stderr)
		}
	}
}

// TestThePageOfImportersIsThatOfTheProfiles: docs/importers.md names each with its address and class, and no other.
func TestThePageOfImportersIsThatOfTheProfiles(t *testing.T) {
	var told, want []string
	row := regexp.MustCompile("(?m)^\\| [^|]+ \\| `([a-z0-9-]+)` \\| `(/[^`]+)` \\| (\\w) \\|$")
	for _, found := range row.FindAllStringSubmatch(readFile(t, filepath.Join("..", "docs", "importers.md")), -1) {
		told = append(told, strings.Join(found[1:], " "))
	}
	for _, p := range lint.Profiles() {
		want = append(want, strings.Join([]string{p.Name, p.Address, p.Evidence}, " "))
	}
	if !slices.Equal(told, want) {
		t.Errorf("docs/importers.md has\n%q, the profiles are\n%q", told, want)
	}
}

// TestAValidatorSeesAFault: what is valid above was looked at.
func TestAValidatorSeesAFault(t *testing.T) {
	documents := maps.Clone(publishedVersions(t)["realistic"])
	for version, fault := range map[string][2]string{"3.0": {`"required": true,`, `"required": "yes",`},
		"2.0": {`"in": "path"`, `"in": "road"`}} {
		documents[version] = strings.Replace(documents[version], fault[0], fault[1], 1)
	}
	output, stderr, err := runNode(t, map[string]any{"documents": documents, "calls": []any{}}, "importers.mjs")
	var seen struct{ Valid map[string]string }
	if err != nil || json.Unmarshal(output, &seen) != nil || seen.Valid["3.0"] == "" || seen.Valid["2.0"] == "" ||
		seen.Valid["3.1"] != "" {
		t.Errorf("%v: %v\n%s", err, seen.Valid, stderr)
	}
}
