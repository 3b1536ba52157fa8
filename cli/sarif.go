//go:build !production

package cli

import (
	"cmp"
	"fmt"

	"guestpass/openapi/lint"
)

// The types below are the part of SARIF 2.1.0 that code hosts show (OASIS standard,
// sections 3.13 to 3.49).
type sarifLog struct {
	Version string     `json:"version"`
	Schema  string     `json:"$schema"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool        sarifTool         `json:"tool"`
	Automation  sarifAutomation   `json:"automationDetails"`
	Invocations []sarifInvocation `json:"invocations,omitempty"`
	Results     []sarifResult     `json:"results"`
}

// sarifInvocation says what of a server was not looked at.
type sarifInvocation struct {
	Successful    bool                `json:"executionSuccessful"`
	Notifications []sarifNotification `json:"toolExecutionNotifications"`
}

type sarifNotification struct {
	Level   string    `json:"level"`
	Message sarifText `json:"message"`
}

// sarifAutomation keeps runs for several importers apart.
type sarifAutomation struct {
	ID string `json:"id"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version"`
	Rules   []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID   string    `json:"id"`
	Text sarifText `json:"shortDescription"`
	Full sarifText `json:"fullDescription"`
	Help sarifText `json:"help"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID    string          `json:"ruleId"`
	Level     string          `json:"level"`
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations"`
}

type sarifLocation struct {
	Physical sarifPhysical  `json:"physicalLocation"`
	Logical  []sarifLogical `json:"logicalLocations"`
}

type sarifPhysical struct {
	Artifact struct {
		URI string `json:"uri"`
	} `json:"artifactLocation"`
	Region *sarifRegion `json:"region,omitempty"`
}

type sarifRegion struct {
	StartLine int `json:"startLine"`
}

type sarifLogical struct {
	Name string `json:"fullyQualifiedName"`
}

func sarif(results []lintResult) sarifLog {
	driver := sarifDriver{Name: "guestpass lint", Version: version()}
	for _, r := range lint.Rules() {
		driver.Rules = append(driver.Rules, sarifRule{r.ID, sarifText{r.Title}, sarifText{r.Why}, sarifText{r.Remedy}})
	}
	driver.Rules = append(driver.Rules, serverRules(results)...)
	run := sarifRun{Tool: sarifTool{driver}, Results: []sarifResult{}}
	for _, document := range results {
		run.Automation.ID = "guestpass lint/" + cmp.Or(document.Profile, "mcp") + "/"
		if document.server != nil {
			run.Invocations = append(run.Invocations, document.invocation())
		}
		for i, f := range document.Findings {
			location := sarifLocation{Logical: []sarifLogical{{"#" + f.Pointer}}}
			text := f.Place + ": " + f.Problem + ". " + f.Remedy
			if document.server != nil {
				location.Logical[0].Name = f.Place
				breaks := document.server.Findings[i].Breaks
				text = fmt.Sprintf("%s: %s. Breaks: %s. %s", f.Place, f.Problem, breaks, f.Remedy)
			}
			location.Physical.Artifact.URI = document.judged()
			if f.Line > 0 {
				location.Physical.Region = &sarifRegion{f.Line}
			}
			run.Results = append(run.Results, sarifResult{f.Rule, string(f.Severity),
				sarifText{text}, []sarifLocation{location}})
		}
	}
	return sarifLog{Version: "2.1.0", Schema: "https://json.schemastore.org/sarif-2.1.0.json", Runs: []sarifRun{run}}
}
