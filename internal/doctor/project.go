package doctor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"guestpass/directory"
	"guestpass/internal/stytch"
)

// projectChecks are about the project itself: its credentials, its kind, and its domain.
var projectChecks = []Check[*visit]{
	{Name: "secret", Asks: "does Stytch take STYTCH_PROJECT_ID and STYTCH_SECRET?",
		Expected: "a project id and a secret of one project and environment",
		Remedy: "copy STYTCH_PROJECT_ID and STYTCH_SECRET again from API keys in the Stytch dashboard: every call to " +
			"Stytch fails until they are right",
		Look: lookAtSecret},
	{Name: "vertical", Asks: "is STYTCH_VERTICAL the kind of the project?",
		Expected: "the kind that the dashboard shows for the project",
		Remedy:   "set STYTCH_VERTICAL to b2b or consumer",
		Look:     lookAtVertical},
	{Name: "clock", Asks: "is the clock of this machine that of Stytch?",
		Expected: "less than 5 s between the two",
		Remedy:   "have this machine's clock set by time servers (NTP): tokens are good and revoked by both",
		Look:     lookAtClock},
	{Name: "issuer", Asks: "is STYTCH_DOMAIN the issuer that Stytch's metadata name there?",
		Remedy: "write STYTCH_DOMAIN as the issuer is written: MCP clients compare the two to the letter and refuse " +
			"to connect",
		Look: lookAtIssuer},
	{Name: "authorization-url", Asks: "do Stytch's metadata lead to this server's sign-in page?",
		Remedy: "set the Authorization URL under Connected Apps in the Stytch dashboard: clients that find their way " +
			"by metadata are led elsewhere",
		Look: lookAtAuthorizationURL},
	{Name: "endpoints", Asks: "are token endpoint and keys where this server looks for them?",
		Remedy: "set STYTCH_DOMAIN to the domain whose endpoints Stytch's metadata name",
		Look:   lookAtEndpoints},
	{Name: "keys", Asks: "does each STYTCH_DOMAIN belong to the project, and so have its keys?",
		Expected: "the keys that Stytch's API has for the project",
		Remedy: "set STYTCH_DOMAIN to the domains of STYTCH_PROJECT_ID's own environment, from API keys in the " +
			"Stytch dashboard",
		Look: lookAtKeys},
}

func lookAtSecret(_ context.Context, v *visit) Finding {
	_, err := v.policy()
	switch {
	case err == nil:
		return Well("Stytch takes the project id and the secret")
	case errors.Is(err, directory.ErrCredentials) && v.Emulated:
		return Wrong("the emulator that answers at %s refuses the project id and the secret", v.APIBase).
			MendedBy("say its own in STYTCH_PROJECT_ID and STYTCH_SECRET; or it is another one, such as that of " +
				"`guestpass dev`: stop it, and start `guestpass serve`")
	case errors.Is(err, directory.ErrCredentials):
		return Wrong("Stytch refuses the project id and the secret")
	case errors.As(err, new(*directory.UnavailableError)):
		return unanswered(err)
	}
	return NotLooked("it cannot be told: %v; see vertical", err)
}

// unanswered is the finding where Stytch cannot be asked.
func unanswered(err error) Finding {
	return Unclear("Stytch does not answer: %v", err).Expecting("an answer").
		MendedBy("see whether this machine reaches Stytch, and https://status.stytch.com")
}

// bootstrapVerticals are Stytch's words for ours.
var bootstrapVerticals = map[string]string{"B2B": "b2b", "CONSUMER": "consumer"}

func lookAtVertical(_ context.Context, v *visit) Finding {
	_, err := v.policy()
	browser, notTold := v.browser()
	found := bootstrapVerticals[strings.ToUpper(browser.Vertical)]
	switch {
	case notTold == nil && found != "" && found != v.Vertical:
		return Wrong("the project is of the kind %s, and STYTCH_VERTICAL is %s", found, v.Vertical).
			Expecting("STYTCH_VERTICAL=%s", found)
	case err == nil || found != "":
		return Well("the project is of the kind %s", v.Vertical)
	case errors.Is(err, directory.ErrCredentials):
		return NotLooked("it cannot be told without a secret that Stytch takes; see secret")
	case errors.As(err, new(*directory.UnavailableError)):
		return NotLooked("it cannot be told while Stytch does not answer; see secret")
	}
	return Wrong("Stytch does not know what a project of the kind %s has: %v", v.Vertical, err)
}

func lookAtClock(_ context.Context, v *visit) Finding {
	m, err := v.metadata()
	switch {
	case m.Ahead > 0:
		return Wrong("the clock of this machine is %s behind that of Stytch", roughly(m.Ahead))
	case m.Ahead < 0:
		return Wrong("the clock of this machine is %s ahead of that of Stytch", roughly(-m.Ahead))
	case errors.Is(err, stytch.ErrNoAnswer):
		return NotLooked("it cannot be told while Stytch does not answer; see issuer")
	}
	return Well("the clock of this machine is that of Stytch")
}

// roughly leaves out what nobody can tell: Stytch says its time in whole seconds.
func roughly(d time.Duration) time.Duration {
	if d > time.Minute {
		return d.Round(5 * time.Second)
	}
	return d.Round(time.Second)
}

func lookAtIssuer(_ context.Context, v *visit) Finding {
	m, err := v.metadata()
	switch {
	case refusedFor(err, stytch.NoAuthorizationURL):
		return NotLooked("there are no metadata without an Authorization URL; see authorization-url")
	case err != nil:
		return Unclear("the metadata of %s could not be read: %v", v.Domains[0], err).
			Expecting("metadata (RFC 8414) at %s", v.Domains[0]).
			MendedBy("see whether STYTCH_DOMAIN is the project's domain, and whether this machine reaches it")
	case m.Issuer != v.Domains[0]:
		return Wrong("STYTCH_DOMAIN is not the issuer that Stytch names there, %q", m.Issuer).
			Expecting("the issuer %s, to the letter", v.Domains[0])
	}
	return Well("the issuer is %s", m.Issuer)
}

// refusedFor reports whether an error is a refusal of Stytch's of one of the types.
func refusedFor(err error, types ...string) bool {
	refusal := new(stytch.AnswerError)
	return errors.As(err, &refusal) && slices.Contains(types, refusal.Type)
}

func lookAtAuthorizationURL(_ context.Context, v *visit) Finding {
	m, err := v.metadata()
	page := v.PublicURL + "/idp"
	switch {
	case refusedFor(err, stytch.NoAuthorizationURL):
		return Wrong("the project has no Authorization URL").Expecting("%s", page)
	case err != nil:
		return NotLooked("the metadata could not be read; see issuer")
	case m.AuthorizationEndpoint != page:
		return Wrong("the Authorization URL of the project is %q, not the sign-in page of this server",
			m.AuthorizationEndpoint).Expecting("%s", page)
	}
	return Well("the Authorization URL is %s", page)
}

func lookAtEndpoints(_ context.Context, v *visit) Finding {
	m, err := v.metadata()
	token, keys := v.Domains[0]+"/v1/oauth2/token", v.Domains[0]+"/.well-known/jwks.json"
	switch {
	case err != nil:
		return NotLooked("the metadata could not be read; see issuer and authorization-url")
	case m.TokenEndpoint != token:
		return Doubtful("the metadata name the token endpoint %q", m.TokenEndpoint).Expecting("%s", token)
	case m.KeysURL != keys:
		return Doubtful("the metadata name the keys %q", m.KeysURL).Expecting("%s", keys)
	}
	return Well("the token endpoint is %s, the keys are at %s", token, keys)
}

func lookAtKeys(ctx context.Context, v *visit) Finding {
	own, err := v.Public.KeyIDs(ctx, stytch.KeysURL(v.APIBase, v.ProjectID))
	switch {
	case refusedFor(err, "project_not_found", "invalid_project_id"):
		return Wrong("Stytch knows no project with the id of STYTCH_PROJECT_ID").
			Expecting("the project's id").MendedBy("copy STYTCH_PROJECT_ID again from API keys in the Stytch dashboard")
	case err != nil:
		return Unclear("the keys that Stytch's API has for the project could not be read: %v", err).
			MendedBy("see whether this machine reaches %s", v.APIBase)
	}
	for _, domain := range v.Domains {
		there, err := v.Public.KeyIDs(ctx, domain+"/.well-known/jwks.json")
		if err != nil {
			return Unclear("the keys of %s could not be read: %v", domain, err).
				MendedBy("see whether STYTCH_DOMAIN is the project's domain, and whether this machine reaches it")
		}
		if len(there) == 0 {
			return Wrong("%s has no keys", domain)
		}
		same := func(id string) bool { return slices.Contains(own, id) }
		if len(own) > 0 && !slices.ContainsFunc(there, same) { // while they are rotated, some may differ
			return Dangerous("%s has none of the project's keys: it belongs to another project, whose tokens would "+
				"count here", domain)
		}
	}
	return Well("%s the project's keys", verb(len(v.Domains), "the domain has", "all %d domains have"))
}
