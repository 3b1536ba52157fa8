package main

import (
	"slices"
	"strings"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/internal/directory"
	"guestpass/internal/idp"
	"guestpass/internal/server"
)

// mailbox is an address in the one form in which addresses are kept, with the domain in ASCII; ""
// for one that is none.
func mailbox(address string) string {
	written, err := directory.Mailbox(address)
	if err != nil {
		return ""
	}
	return written
}

// checkOperations wants to know the project's kind, and no more of what belongs to one. Which
// operations there are is known to a server alone, so one is made that serves nobody.
func (c config) checkOperations() (faults []error) {
	if len(c.Operations)+len(c.MCPOperations) == 0 || c.wrong["STYTCH_VERTICAL"] || c.wrong["GUESTPASS_MODULES"] ||
		c.wrong["GUESTPASS_ACCESS"] {
		return nil
	}
	const nobodys = "11111111-1111-4111-8111-111111111111"
	app, err := server.New(server.Options{
		PublicURL: "https://gpt.example.com", Domain: "https://stytch.example.com",
		ProjectID: "project-live-" + nobodys, Secret: "secret-live-nobody", PublicToken: "public-token-live-" + nobodys,
		Vertical: auth.Vertical(c.Vertical), Access: api.AccessMode(c.Access), Modules: c.Modules, Resources: resources,
		LoginMethods: []string{idp.DefaultLoginMethod}, ForwardTokens: true, Title: defaultTitle, Version: version(),
		MaxTokenLifetime: auth.LongestLifetime,
	})
	if err != nil {
		return nil // told by who makes the real one
	}
	var known []string
	for _, op := range app.Operations() {
		known = append(known, op.ID)
	}
	faults = c.unknownOperations("GUESTPASS_OPERATIONS", c.Operations, known)
	if len(c.Operations) > 0 && len(faults) == 0 {
		known = c.Operations // what is not published is no tool either
	}
	return append(faults, c.unknownOperations("GUESTPASS_MCP_OPERATIONS", c.MCPOperations, known)...)
}

func (c config) unknownOperations(setting string, ids, known []string) (faults []error) {
	for i, id := range ids {
		if slices.Contains(known, id) {
			continue
		}
		hint := ": there are " + strings.Join(known, ", ")
		if meant := near(id, known); meant != "" {
			hint = ": did you mean " + meant + "?"
		}
		faults = append(faults, c.fault(setting, "(entry %d of %d) is no operation that there is%s", i+1, len(ids),
			hint))
	}
	return faults
}
