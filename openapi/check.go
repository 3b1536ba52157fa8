package openapi

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"guestpass/openapi/internal/actions"
)

// check applies to the finished document the rules that the profile does not
// guarantee by itself.
func check(d *document, o Options, found *report) {
	checkInfo(d, found)
	checkServer(o, found)
	checkOAuth(o, found)
	checkScopes(o, found)
	checkPrivacy(o, found)
	checkCount(d, o, found)
	ids := map[string]place{}
	for op := range d.operations() {
		checkID(op, ids, found)
		checkTexts(op, found)
		checkPath(op, found)
		checkNames(op, found)
		checkSecurity(op, o, found)
		checkList(op, found)
		checkSchemas(op, found)
	}
}

// checkInfo is G004 (M2, D) and G005 (A).
func checkInfo(d *document, found *report) {
	at := place{operation: "document"}
	if strings.TrimSpace(d.Info.Title) == "" {
		found.fault("G004", at, "the title is empty", "set Options.Title")
	}
	if strings.TrimSpace(d.Info.Version) == "" {
		found.fault("G004", at, "the version is empty", "set Options.Version")
	}
	if strings.TrimSpace(d.Info.Description) == "" {
		found.warn("G005", at, "the description is empty", "say in Options.Description when the API is relevant")
	}
}

// checkCount is G020 (M9, C) and G021 (C).
func checkCount(d *document, o Options, found *report) {
	count := 0
	for range d.operations() {
		count++
	}
	at := place{operation: "document"}
	switch {
	case count == 0 && len(o.Operations) > 0: // told already: all of them are misspelt
	case count == 0:
		found.fault("G020", at, "no operation is published", `set Metadata["gpt"] to true on at least one operation`)
	case count > actions.MaxOperations:
		found.fault("G020", at, fmt.Sprintf("%d operations are published, at most %d", count, actions.MaxOperations),
			"publish fewer")
	case count > actions.ManyOperations:
		found.warn("G021", at, fmt.Sprintf("%d operations are published; models choose well among %d", count,
			actions.ManyOperations), "publish fewer")
	}
}

// checkID is G030 (M10, C, I) and G031 (C). Nothing is renamed: the id is what logs,
// instructions and the model go by.
func checkID(op *operation, ids map[string]place, found *report) {
	id := op.OperationID
	switch {
	case id == "":
		found.fault("G030", op.at, "operationId is missing", "give it a name such as listMembers")
		return
	case len(id) > actions.MaxOperationID || !actions.OperationID.MatchString(id):
		found.fault("G030", op.at, fmt.Sprintf("operationId %q is not a letter and up to 63 letters, digits and "+
			"underscores", id), "call it "+actions.CamelCase(id))
	case len(id) > actions.ComfortableIDSize:
		found.warn("G031", op.at, fmt.Sprintf("operationId has %d characters", len(id)), fmt.Sprintf("keep it to %d",
			actions.ComfortableIDSize))
	}
	folded := strings.ToLower(id)
	if other, taken := ids[folded]; taken {
		found.fault("G030", op.at, fmt.Sprintf("operationId %s is that of %s, letter case ignored", id, other),
			"choose another")
	}
	ids[folded] = op.at
}

// checkTexts is G032 (M21, A), G033 (T, A) and G034 (A).
func checkTexts(op *operation, found *report) {
	for _, text := range []struct{ name, text string }{{"summary", op.Summary}, {"description", op.Description}} {
		tooLong(found, "G032", op.at, text.name, text.text, actions.MaxOperationText)
		if text.text == "" {
			found.warn("G033", op.at, "the "+text.name+" is empty", "say what the operation does and returns")
		}
		if match := actions.Trigger.FindString(text.text); match != "" {
			found.warn("G034", op.at, fmt.Sprintf("the %s says %q", text.name, match),
				"say what the operation does, not when to call it")
		}
	}
}

// tooLong counts code points.
func tooLong(found *report, rule string, at place, name, text string, limit int) {
	if n := utf8.RuneCountInString(text); n > limit {
		found.fault(rule, at, fmt.Sprintf("%s has %d characters, at most %d", name, n, limit), "shorten it")
	}
}

// checkPath is G013 (M12, D, I) and the half of G043 (M13, C) that compares the
// template with the parameters.
func checkPath(op *operation, found *report) {
	switch path := op.path; {
	case !strings.HasPrefix(path, "/"):
		found.fault("G013", op.at, "the path does not begin with a slash, and the editor skips it", "write /"+path)
	case strings.Contains(path, "//") || len(path) > 1 && strings.HasSuffix(path, "/"):
		found.warn("G013", op.at, "the path has an empty segment",
			"write "+regexp.MustCompile(`/+`).ReplaceAllString(strings.TrimRight(path, "/"), "/"))
	}
	var inTemplate []string
	for _, match := range actions.PathVariable.Regexp().FindAllStringSubmatch(op.path, -1) {
		name, _, pattern := strings.Cut(match[1], ":")
		inTemplate = append(inTemplate, name)
		switch {
		case pattern:
			found.fault("G043", op.at, "the path has a pattern in {"+match[1]+"}",
				"write {"+name+"} and tag the field pattern")
		case !slices.ContainsFunc(op.Parameters, func(p parameter) bool { return p.In == "path" && p.Name == name }):
			found.fault("G043", op.at, "the path has {"+name+"}, but there is no such parameter",
				"declare a field tagged path:\""+name+"\"")
		}
	}
	for _, param := range op.Parameters {
		if param.In == "path" && !slices.Contains(inTemplate, param.Name) {
			found.fault("G043", param.at, "the path has no {"+param.Name+"}",
				"put it into the path, or tag the field query")
		}
	}
}

// checkNames is G042 (M15, D, T): path, query and body are one list of arguments.
// Renaming one by itself would break other clients. G044 (I, T) is what a name may be.
func checkNames(op *operation, found *report) {
	exact, folded := map[string]string{}, map[string]string{} // to where the name is used
	add := func(name, where string, at place) {
		lower := strings.ToLower(name)
		if other, taken := exact[name]; taken {
			found.fault("G042", at, "the name "+name+" is used in the "+other+" as well", "rename one of the two")
		} else if other, taken := folded[lower]; taken { // G082 (I)
			found.warn("G082", at, "the name differs only in letter case from one in the "+other,
				"rename one of the two")
		}
		exact[name], folded[lower] = where, where
		if !actions.ArgumentName.MatchString(name) {
			found.warn("G044", at, "the name "+name+" is not made of letters, digits and underscores",
				"rename it, as in created_after")
		}
	}
	for _, param := range op.Parameters {
		add(param.Name, param.In, param.at)
		checkSecretName(param, found)
	}
	if op.RequestBody != nil {
		root := op.RequestBody.Content.JSON.Schema
		for _, name := range sortedKeys(root.Properties) {
			add(name, "body", op.at.in("body").property(name))
		}
	}
}

// checkSecretName is G117 (D).
func checkSecretName(param parameter, found *report) {
	if param.In == "query" && actions.Secret(actions.Argument{Name: param.Name, Type: param.Schema.Type,
		Format: param.Schema.Format, Description: param.Description}) {
		found.fault("G117", param.at, "a secret in the query would be shown in the approval prompt",
			"leave it to OAuth; if it is none, rename it, as in cursor")
	}
}

// checkSecurity is G101 (M24, D) and G103 (A).
func checkSecurity(op *operation, o Options, found *report) {
	if op.Security == nil {
		found.fault("G101", op.at, "security is not declared",
			"set Security to []map[string][]string{} for a public operation, else to the scopes it needs")
	}
	for _, requirement := range op.Security {
		if len(requirement) != 1 || requirement["oauth2"] == nil {
			found.fault("G101", op.at, fmt.Sprintf("security names %q, not the one scheme there is",
				sortedKeys(requirement)), "name oauth2, or leave the list empty for a public operation")
			continue
		}
		for _, scope := range requirement["oauth2"] {
			if !slices.ContainsFunc(o.Scopes, func(s Scope) bool { return s.Name == scope }) {
				found.fault("G101", op.at, "the scope "+scope+" is not one that the document lists",
					"add it to Options.Scopes")
			}
		}
	}
}

// checkList is G092 (A): a reply has at most 100,000 characters, so a list needs pages.
func checkList(op *operation, found *report) {
	for _, status := range sortedKeys(op.Responses) {
		reply := op.Responses[status].Content
		if reply == nil || reply.JSON.Schema.Properties["next_cursor"] == nil {
			continue
		}
		limit, cursor := op.query("limit"), op.query("cursor")
		switch {
		case limit == nil:
			found.fault("G092", op.at, "it returns next_cursor but takes no limit",
				"add a query parameter limit with minimum, maximum and default")
		case limit.Schema.Type != "integer" || limit.Schema.Maximum == nil:
			found.fault("G092", limit.at, "limit has no maximum", "make it an integer tagged maximum")
		}
		if cursor == nil {
			found.fault("G092", op.at, "it returns next_cursor but takes no cursor", "add a query parameter cursor")
		}
	}
}

func (op *operation) query(name string) *parameter {
	i := slices.IndexFunc(op.Parameters, func(p parameter) bool { return p.In == "query" && p.Name == name })
	if i < 0 {
		return nil
	}
	return &op.Parameters[i]
}
