package cli

import (
	"slices"
	"strings"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/internal/idp"
	"guestpass/internal/stytch"
)

// mailbox returns an e-mail address in the form in which addresses are kept, with the domain in ASCII; "" for anything
// else.
func mailbox(address string) string {
	written, err := stytch.Mailbox(address)
	if err != nil {
		return ""
	}
	return written
}

// checkOperations needs the kind of the project, and nothing else about it.
func (c config) checkOperations() (faults []error) {
	if len(c.Operations)+len(c.MCPOperations) == 0 || c.wrong["STYTCH_VERTICAL"] || c.wrong["GUESTPASS_MODULES"] ||
		c.wrong["GUESTPASS_ACCESS"] {
		return nil
	}
	operations, err := c.operations()
	if err != nil {
		return nil // told by who makes the real one
	}
	var known []string
	for _, op := range operations {
		known = append(known, op.ID)
	}
	faults = c.unknownOperations("GUESTPASS_OPERATIONS", c.Operations, known, nil)
	if len(faults) > 0 {
		return append(faults, c.unknownOperations("GUESTPASS_MCP_OPERATIONS", c.MCPOperations, known, nil)...)
	}
	return c.unknownOperations("GUESTPASS_MCP_OPERATIONS", c.MCPOperations, known, c.Operations)
}

// operations returns those of the server, published or not. Only a server knows which exist, so one is made that serves
// nobody.
func (c config) operations() ([]api.Operation, error) {
	const nobodys = "11111111-1111-4111-8111-111111111111"
	app, err := guestpass.New(guestpass.Options{
		PublicURL: "https://gpt.example.com", Domain: "https://stytch.example.com",
		ProjectID: "project-live-" + nobodys, Secret: "secret-live-nobody", PublicToken: "public-token-live-" + nobodys,
		Vertical: auth.Vertical(c.Vertical), Access: api.AccessMode(c.Access), Modules: c.modules(), Resources: offered,
		LoginMethods: []string{idp.DefaultLoginMethod}, ForwardTokens: true, Title: defaultTitle, Version: version(),
		MaxTokenLifetime: auth.LongestLifetime,
	})
	if err != nil {
		return nil, err
	}
	return app.Operations(), nil
}

// unknownOperations refuses ids that are not known and, if only some operations are published, ids that are not
// published: those are no tools either.
func (c config) unknownOperations(setting string, ids, known, published []string) (faults []error) {
	choices := known
	if len(published) > 0 {
		choices = published
	}
	for i, id := range ids {
		if slices.Contains(choices, id) {
			continue
		}
		what, hint := "is no operation of this server", ": choose from "+strings.Join(choices, ", ")
		if slices.Contains(known, id) {
			what = "is " + id + ", which is not published (GUESTPASS_OPERATIONS)"
		} else if meant := near(id, choices); meant != "" {
			hint = ": did you mean " + meant + "?"
		}
		faults = append(faults, c.fault(setting, "%s%s%s", place(i, len(ids)), what, hint))
	}
	return faults
}
