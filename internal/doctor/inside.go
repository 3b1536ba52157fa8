package doctor

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"guestpass/internal/clients"
	"guestpass/internal/stytch"
)

// A Server is what is looked at from inside: the settings of a server, and what it works with.
type Server struct {
	// Fault is what is wrong with the settings by themselves, each in a line. If there is any, nothing else is looked
	// at.
	Fault error

	PublicURL, ProjectID, PublicToken string
	Vertical                          string   // b2b or consumer
	Domains                           []string // of the project, as origins; the first is shown
	APIBase                           string   // origin of Stytch's API
	Emulated                          bool     // `guestpass serve` runs an emulator in its place

	ByRole       bool     // roles decide, not scopes
	FreeIsMeant  bool     // scopes alone decide
	MCP          bool     // operations are tools
	LoginMethods []string // that the page offers; none: people sign in on the application's own page
	Needs        []Need

	Clients       clients.Admitted
	DocsClientID  string
	TryClientID   string        // of the app that `guestpass try` and a GPT are; "" where that is not known
	Audience      string        // that tokens must have beside the project
	Resources     []string      // of our own, that tokens may have as audience
	TokenLifetime time.Duration // the longest that is taken
	WithSecret    []string      // ids of apps whose secrets are known

	Stytch     stytch.Directory
	Public     stytch.Public
	Metadata   func(context.Context) (stytch.Metadata, error) // of the first domain
	Management Management                                     // nil without the workspace's key
	Database   func(context.Context) error                    // nil: there is none to look at
	Redis      func(context.Context) error                    // nil: none is used
}

// A Need is what operations want the project to have: a scope or, where roles decide, an action on a resource.
type Need struct {
	Scope            string
	Resource, Action string   // where roles decide
	For              []string // the operations, or the setting that declares it
	Changes          bool     // one of them changes something
}

// Management reads what Stytch tells of an environment to those with the key of its workspace alone.
type Management interface {
	// RedirectURLs returns the types of each redirect URL of the SDK: LOGIN, SIGNUP, INVITE, RESET_PASSWORD, DISCOVERY.
	RedirectURLs(context.Context) (map[string][]string, error)
	SDK(context.Context) (SDK, error)
}

// SDK is how the project's frontend SDK is configured.
type SDK struct {
	Enabled        bool
	SessionMinutes int    // of the longest session; 0 if it is not set
	HTTPOnly       string // DISABLED, ENABLED or ENFORCED
	Codes, Links   bool   // by e-mail
	Passwords      bool
	OAuth          bool
}

// patience is how long one question waits for its answer.
const patience = 5 * time.Second

// Inside makes the checks for which the settings are needed.
func Inside(ctx context.Context, s Server) iter.Seq[Finding] {
	return Run(ctx, insideTable, newVisit(ctx, s))
}

// Published makes those of the checks that need no credentials: what the project's domain says to everybody. Of the
// server it takes PublicURL, ProjectID, Domains, APIBase, MCP, Clients, Public and Metadata.
func Published(ctx context.Context, s Server) []Finding {
	var table []Check[*visit]
	for _, check := range insideTable {
		if slices.Contains([]string{"issuer", "authorization-url", "keys", "registration", "metadata-documents"},
			check.Name) {
			table = append(table, check)
		}
	}
	return slices.Collect(Run(ctx, table, newVisit(ctx, s)))
}

func newVisit(ctx context.Context, s Server) *visit {
	v := &visit{Server: s}
	v.policy = sync.OnceValues(func() (stytch.Policy, error) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return s.Stytch.Policy(ctx)
	})
	v.metadata = sync.OnceValues(func() (stytch.Metadata, error) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return s.Metadata(ctx)
	})
	v.browser = sync.OnceValues(func() (stytch.Browser, error) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return s.Public.Browser(ctx, s.APIBase, s.PublicToken, s.PublicURL)
	})
	v.apps = sync.OnceValue(func() []app { return s.lookUpApps(ctx) })
	v.sdk = sync.OnceValues(func() (SDK, error) {
		if s.Management == nil {
			return SDK{}, errNoKey
		}
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return s.Management.SDK(ctx)
	})
	return v
}

// A visit is one look at a server. What several checks want to know is asked once.
type visit struct {
	Server
	policy   func() (stytch.Policy, error)
	metadata func() (stytch.Metadata, error)
	browser  func() (stytch.Browser, error)
	apps     func() []app
	sdk      func() (SDK, error)
}

// InsideNames are the names of the checks of [Inside] with what each asks, in order.
func InsideNames() (names, asks []string) { return namesOf(insideTable) }

func namesOf[Subject any](table []Check[Subject]) (names, asks []string) {
	for _, check := range table {
		names, asks = append(names, check.Name), append(asks, check.Asks)
	}
	return names, asks
}

var insideTable = func() (table []Check[*visit]) {
	table = append(table, Check[*visit]{Name: "settings",
		Asks:     "has every value the form of its kind, and are all of one environment, live or test?",
		Expected: "values of the right kind, all of one project and environment",
		Remedy:   "set what is named here; docs/settings.md says what each is",
		Look:     lookAtSettings})
	for _, part := range [][]Check[*visit]{projectChecks, browserChecks, policyChecks, appChecks, storeChecks} {
		for _, check := range part {
			look := check.Look
			check.Look = func(ctx context.Context, v *visit) Finding {
				if v.Fault != nil {
					return NotLooked("not looked at before the settings are right")
				}
				return v.atEmulator(look(ctx, v))
			}
			table = append(table, check)
		}
	}
	return table
}()

// atEmulator returns a finding with what helps where the emulator of `guestpass serve` does not answer.
func (v *visit) atEmulator(f Finding) Finding {
	if v.Emulated && f.Severity == Unknown {
		return f.MendedBy("start `guestpass serve`: it runs the emulator that stands in for Stytch")
	}
	return f
}

func lookAtSettings(_ context.Context, v *visit) Finding {
	if v.Fault != nil {
		return Dangerous("%s", strings.ReplaceAll(v.Fault.Error(), "\n", "; "))
	}
	return Well("every value has the form of its kind, and all are of one environment")
}

// errNoKey is why what the management API alone tells is not known.
var errNoKey = errors.New("only Stytch's management API tells, to those with the workspace's key")

// withKey says how a check could be made.
const withKey = "run `guestpass doctor` with STYTCH_WORKSPACE_KEY_ID and STYTCH_WORKSPACE_SECRET (the dashboard has " +
	"them in the workspace's settings), or look there"
