//go:build !production

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"guestpass/gpttest"
	"guestpass/stytchtest"
)

func tryCommand(environ []string) *cobra.Command {
	var t try
	gpt := stytchtest.Development().ConnectedApps[0]
	command := &cobra.Command{
		Use:     "try",
		Short:   "Be the GPT, or an MCP client: import, authorize, call",
		Long:    tryHelp,
		Example: tryExamples,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := readConfig(environ, cmd.Flags())
			if err != nil {
				return err
			}
			t.take(c, cmd.Flags().Changed)
			t.secret.variable, t.secret.stdin, t.secret.notes = c.TryClientSecret, cmd.InOrStdin(), cmd.ErrOrStderr()
			if t.clientID == gpt.ClientID {
				t.secret.standard = gpt.ClientSecret
			}
			t.print = newPrinter(cmd.OutOrStdout(), t.json)
			if err := t.checkFlags(cmd.Flags().Changed); err != nil {
				return err
			}
			err = t.run(cmd.Context(), args)
			if cmd.Context().Err() != nil {
				return errors.New("interrupted")
			}
			return err
		},
	}
	t.addFlags(command.Flags(), gpt)
	choices(command, "client", clientNames...)
	return command
}

// take has the settings of the server stand for flags that were not given: what guestpass setup has written is what is
// tried.
func (t *try) take(c config, changed func(name string) bool) {
	t.emulated = c.Emulator != "" && !changed("url")
	for _, s := range []struct {
		flag, value string
		to          *string
	}{{"url", c.PublicURL, &t.url}, {"emulator", c.BaseURL, &t.emulator}, {"client-id", c.TryClientID, &t.clientID}} {
		if !changed(s.flag) && s.value != "" {
			*s.to = s.value
		}
	}
}

func (t *try) addFlags(flags *pflag.FlagSet, gpt stytchtest.ConnectedApp) {
	flags.StringVar(&t.url, "url", defaultAppURL, "the server to import from, or the whole address of its document; "+
		"with --mcp, /mcp is added")
	flags.BoolVar(&t.mcp, "mcp", false, "be an MCP client, not the GPT")
	flags.StringVar(&t.client, "client", clientNames[0], "with --mcp, behave like this one: "+strings.Join(clientNames,
		", "))
	flags.StringVar(&t.emulator, "emulator", defaultEmulatorURL, "the Stytch emulator, whose inbox --as reads")
	flags.StringVar(&t.as, "as", "", "sign in as this person in a headless Chromium")
	flags.DurationVar(&t.within, "within", callsTogether,
		"the most time that the calls may take together, such as 90s or 5m")
	flags.StringVar(&t.call, "call", "", "call this one operation with the key=value arguments that follow")
	flags.BoolVar(&t.json, "json", false, "print one JSON object a step")
	flags.BoolVar(&t.basic, "basic", false, "send the client secret in a Basic header instead of the form")
	flags.StringVar(&t.clientID, "client-id", gpt.ClientID, "Client ID, as typed into the GPT editor")
	flags.StringVar(&t.secret.file, "client-secret-file", "",
		"`FILE` that has the Client Secret in it; - for the standard input")
	flags.StringVar(&t.secret.argument, clientSecretFlag, "",
		"Client Secret; everybody on this machine sees it in the process list")
	flags.StringVar(&t.redirectURI, "redirect-uri", "http://127.0.0.1:8090/callback",
		"where the page returns to; ChatGPT's own hosts only with --as")
}

type try struct {
	url, emulator, as, call string
	clientID, redirectURI   string
	client                  string // of MCP
	emulated                bool   // `guestpass serve` runs the emulator
	secret                  secretSource
	json, basic, mcp        bool
	within                  time.Duration // for all calls together
	print                   *printer
}

func (t *try) run(ctx context.Context, args []string) error {
	arguments, err := t.arguments(args)
	if err != nil {
		return err
	}
	if t.within <= 0 {
		return usagef("--within is %s: it must be more than 0, such as 2m", t.within)
	}
	if t.as != "" && !strings.Contains(t.as, "@") {
		return usagef("--as must be an e-mail address, such as ada@acme.example")
	}
	if err := t.checkURLs(); err != nil {
		return err
	}
	if t.mcp {
		return t.tryTools(ctx, arguments)
	}
	imported, err := t.importDocument(ctx)
	if err != nil {
		return err
	}
	op, found := imported.Operation(t.call)
	if t.call != "" && !found {
		return usagef("the document has no operation %q; it has %s", t.call, operationIDs(imported.Operations))
	}
	typed := typedArguments(op, arguments)
	if t.call != "" {
		if err := checkArguments(op, typed); err != nil {
			return err
		}
	}
	gpt := gpttest.New(imported, gpttest.Options{})
	if imported.OAuth.AuthorizationURL == "" {
		t.print.step("authorize", "skipped", nil,
			"the document publishes no sign-in (authorizationCode flow): calls go without a token")
	} else if err := t.authorize(ctx, gpt, imported); err != nil {
		return err
	}
	if t.call != "" {
		return cmp.Or(t.callOne(ctx, action{gpt}, op, typed), redLines(imported))
	}
	// A document on this machine may name a server that is somewhere else.
	failed, err := t.callAll(ctx, action{gpt}, imported.Operations, remote(t.url) || remote(imported.ServerURL))
	if err != nil {
		return err
	}
	if err := t.refresh(ctx, gpt); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%s failed", count(failed, "operation"))
	}
	return redLines(imported)
}

// redLines returns what the GPT editor would show beside the operations that it takes.
func redLines(imported *gpttest.Imported) error {
	if imported.OK() {
		return nil
	}
	return fmt.Errorf("the GPT editor would show %s and %s", count(len(imported.Errors), "error"),
		count(len(imported.Warnings), "warning"))
}

// arguments reads key=value words.
func (t *try) arguments(words []string) (map[string]string, error) {
	if len(words) > 0 && t.call == "" {
		return nil, usagef("%q: arguments need --call OPERATION before them", words[0])
	}
	arguments := map[string]string{}
	for _, word := range words {
		key, value, ok := strings.Cut(word, "=")
		if !ok || key == "" {
			return nil, usagef("%q is not of the form key=value", word)
		}
		if first, twice := arguments[key]; twice {
			return nil, usagef("%s is there twice: write a list as one argument, %[1]s=%s,%s", key, first, value)
		}
		arguments[key] = value
	}
	return arguments, nil
}

// unknown adds the client's name to the page's refusal of a client. Pages name no client: they cannot know whether it
// is the person's own.
func (t *try) unknown(err error) error {
	if t.clientID == "" || !strings.Contains(err.Error(), unknownApplication) {
		return err
	}
	return fmt.Errorf("%w (%s is no client of this project, or GUESTPASS_CLIENT_IDS does not admit it)", err,
		t.clientID)
}

// unknownApplication is what the page says about a client that it does not know.
const unknownApplication = "Unknown application"

func (t *try) importDocument(ctx context.Context) (*gpttest.Imported, error) {
	address := t.document()
	imported, err := gpttest.Import(ctx, address, gpttest.Options{})
	if err != nil {
		return nil, cmp.Or(t.unreached(err), err)
	}
	if from, names := origin(address), origin(imported.ServerURL); names != "" && names != from {
		imported.Notes = append(imported.Notes, fmt.Sprintf("the document came from %s and names the server %s; "+
			"if that is a Guestpass, its GUESTPASS_PUBLIC_URL must be the origin that people import from", from, names))
	}
	t.print.imported(address, imported)
	if imported.Refused() {
		return nil, redLines(imported)
	}
	return imported, nil
}

func (t *try) authorize(ctx context.Context, gpt *gpttest.GPT, imported *gpttest.Imported) error {
	secret, err := t.secret.read(ctx)
	if err != nil {
		return err
	}
	auth := gpttest.Auth{ClientID: t.clientID, ClientSecret: secret, AuthorizationURL: imported.OAuth.AuthorizationURL,
		TokenURL: imported.OAuth.TokenURL, Scope: scopeNames(imported), TokenExchangeMethod: "default_post"}
	if t.basic {
		auth.TokenExchangeMethod = "basic_auth_header"
	}
	if err := gpt.Configure(auth); err != nil {
		return fmt.Errorf("configure: %w", err)
	}
	t.print.configured(auth, gpt.Notes())
	visitor, err := t.visitor(ctx, nil)
	if err != nil {
		return err
	}
	code, err := gpt.Authorize(ctx, t.redirectURI, visitor)
	var denied *gpttest.DeniedError
	if errors.As(err, &denied) {
		return t.denied(denied.Code, denied)
	}
	if err != nil {
		return fmt.Errorf("authorize: %w", t.unknown(err))
	}
	t.allowed(t.redirectURI)
	token, err := gpt.Exchange(ctx, code, t.redirectURI)
	if err != nil {
		return fmt.Errorf("exchange: %w", err)
	}
	t.print.token("exchange", token)
	return nil
}

func (t *try) allowed(redirectURI string) {
	t.print.step("authorize", "ok", map[string]any{"redirect_uri": redirectURI},
		"allowed; came back to "+redirectURI+" with a code and the state unchanged")
}

func (t *try) denied(code string, why error) error {
	t.print.step("authorize", "denied", map[string]any{"error": code}, "the person did not allow it: "+why.Error())
	return errQuiet
}

// visitor returns the person: yours in your browser, or the one named by --as. A browser returns to the listener, or to
// the port of the redirect URI.
func (t *try) visitor(ctx context.Context, listener net.Listener) (gpttest.Visitor, error) {
	if t.as == "" {
		return &gpttest.Loopback{Open: t.openBrowser, Listener: listener}, nil
	}
	inbox := &inbox{url: strings.TrimSuffix(t.emulator, "/") + "/_emulator/inbox"}
	if err := inbox.mark(ctx); err != nil {
		return nil, err
	}
	return &gpttest.Chrome{Email: t.as, Code: inbox.code}, nil
}

func (t *try) openBrowser(address string) error {
	t.print.step("authorize", "waiting", map[string]any{"url": address}, "sign in and allow in your browser, at\n"+
		address)
	name, args := "xdg-open", []string{address}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", address}
	}
	// Without a desktop, the address on the terminal is enough.
	_ = exec.Command(name, args...).Start() // #nosec G204 -- the address is one argument and goes through no shell
	return nil
}

func (t *try) refresh(ctx context.Context, gpt *gpttest.GPT) error {
	if gpt.Token() == nil {
		return nil
	}
	if gpt.Token().RefreshToken == "" {
		t.notRenewed()
		return nil
	}
	token, err := gpt.Refresh(ctx)
	if err != nil {
		return fmt.Errorf("refresh: %w", err)
	}
	t.print.token("refresh", token)
	return nil
}

func (t *try) notRenewed() {
	t.print.step("refresh", "skipped", nil, "no refresh token was issued (offline_access was not granted)")
}

func scopeNames(imported *gpttest.Imported) string {
	var names []string
	for _, scope := range imported.OAuth.Scopes {
		names = append(names, scope.Name)
	}
	return strings.Join(names, " ")
}

func operationIDs(operations []gpttest.Operation) string {
	var ids []string
	for _, op := range operations {
		ids = append(ids, op.ID)
	}
	return strings.Join(ids, ", ")
}
