//go:build !production

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"guestpass/gpttest"
	"guestpass/mcptest"
)

// clientNames are the clients that guestpass try can behave like, the one of a bare --mcp first.
var clientNames = func() (names []string) {
	for _, profile := range mcptest.Profiles() {
		names = append(names, profile.Name)
	}
	return names
}()

// checkFlags refuses flags that make no sense together. changed reports which were given.
func (t *try) checkFlags(changed func(name string) bool) error {
	switch {
	case !t.mcp && changed("client"):
		return usagef("--client says which MCP client to behave like: give --mcp too")
	case !t.mcp:
		return nil
	case t.basic:
		return usagef("--basic is for the GPT: an MCP client goes by what the authorization server's metadata offers")
	case !slices.Contains(clientNames, t.client):
		return usagef("--client %s: there is no such client; choose one of %s", t.client,
			strings.Join(clientNames, ", "))
	case !changed("client-id") && (t.secret.argument != "" || t.secret.file != ""):
		return usagef("the client secret belongs to a client id: give --client-id too")
	}
	if !changed("client-id") {
		t.clientID = ""
		if !changed("redirect-uri") {
			t.redirectURI = "" // a free port
		}
	}
	return nil
}

// tryTools runs guestpass try with --mcp.
func (t *try) tryTools(ctx context.Context, words map[string]string) error {
	i := slices.Index(clientNames, t.client)
	profile := mcptest.Profiles()[i]
	t.print.client, t.print.source = profile.Title, "list of tools"
	o := mcptest.Options{Profile: profile, ClientID: t.clientID}
	if t.clientID != "" && t.secret.given() {
		var err error
		if o.ClientSecret, err = t.secret.read(ctx); err != nil {
			return err
		}
	}
	back, err := t.returns(ctx, profile)
	if err != nil {
		return err
	}
	defer back.close()
	o.DocumentURL = back.document
	client := mcptest.New(t.server(), o)
	if err := t.signIn(ctx, client, profile, back); err != nil {
		return err
	}
	return t.callTools(ctx, client, words)
}

// server returns the address of the server: as it was given, byte for byte, because that is what people paste into a
// client; or /mcp below that.
func (t *try) server() string {
	u, err := url.Parse(t.url)
	if err != nil {
		return t.url
	}
	path := strings.TrimSuffix(u.Path, "/")
	if strings.HasSuffix(path, "/mcp") || strings.HasSuffix(path, "/mcp/readonly") {
		return t.url
	}
	return u.JoinPath("mcp").String()
}

// returns says where the browser returns to, and where the client's metadata document is.
type returns struct {
	redirectURI string
	listener    net.Listener // nil where the redirect URI was given
	document    string       // URL of the client's metadata document; "" without one
	server      *http.Server
}

// returns listens on free ports of this machine. Only a server on this machine can read a metadata document here.
func (t *try) returns(ctx context.Context, profile mcptest.Profile) (*returns, error) {
	r := &returns{redirectURI: t.redirectURI}
	listen := func() (net.Listener, error) { return new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0") }
	var err error
	if r.redirectURI == "" {
		if r.listener, err = listen(); err != nil {
			return nil, fmt.Errorf("listen for the browser: %w", err)
		}
		r.redirectURI = "http://" + r.listener.Addr().String() + cmp.Or(profile.LoopbackPath, "/callback")
	}
	if t.clientID != "" || profile.OnlyRegisters || remote(t.url) {
		return r, nil
	}
	listener, err := listen()
	if err != nil {
		r.close()
		return nil, fmt.Errorf("listen for readers of the metadata document: %w", err)
	}
	r.document = "http://" + listener.Addr().String() + "/client.json"
	r.server = &http.Server{Handler: profile.ServeDocument(r.document, r.redirectURI),
		ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = r.server.Serve(listener) }() // until close
	return r, nil
}

func (r *returns) close() {
	if r.listener != nil {
		_ = r.listener.Close() // the visit may have closed it
	}
	if r.server != nil {
		_ = r.server.Close()
	}
}

// signIn goes from nothing but the URL to a token, and says what it sees.
func (t *try) signIn(ctx context.Context, client *mcptest.Client, profile mcptest.Profile, back *returns) error {
	found, err := client.Discover(ctx)
	if errors.Is(err, mcptest.ErrOpen) {
		t.print.step("discover", "skipped", nil, t.server()+" answers without a token: calls go without one")
		return nil
	}
	if err != nil {
		if unreached := t.unreached(err); unreached != nil {
			return unreached
		}
		t.print.trace("discover", client.Trace())
		if errors.As(err, new(*mcptest.NoServerError)) {
			err = fmt.Errorf("%w; give the server's origin or the URL of its /mcp (a Guestpass has none with "+
				"GUESTPASS_MCP=off)", err)
		}
		return fmt.Errorf("discover: %w", err)
	}
	t.print.discovered(t.server(), found, client.Trace())
	seen := len(client.Trace())
	identity, err := client.Identify(ctx, back.redirectURI)
	if err != nil {
		return fmt.Errorf("identify: %w", err)
	}
	note := ""
	if back.listener != nil {
		note = profile.Title + " returns to " + profile.RedirectURI + "; here " + back.redirectURI + " takes its place"
	}
	t.print.identified(identity, client.Scopes(), note, client.Trace()[seen:])
	visitor, err := t.visitor(ctx, back.listener)
	if err != nil {
		return err
	}
	grant, err := client.Authorize(ctx, back.redirectURI, visitor)
	if denied := new(mcptest.DeniedError); errors.As(err, &denied) {
		return t.denied(denied.Code, denied)
	}
	if err != nil {
		return fmt.Errorf("authorize: %w", t.unknown(err))
	}
	t.allowed(back.redirectURI)
	token, err := client.Exchange(ctx, grant)
	if err != nil {
		return fmt.Errorf("exchange: %w", err)
	}
	t.print.token("exchange", (*gpttest.Token)(token))
	return nil
}

// callTools lists the tools and calls one or all.
func (t *try) callTools(ctx context.Context, client *mcptest.Client, words map[string]string) error {
	seen := len(client.Trace())
	server, err := client.Connect(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	t.print.connected(server, client.Trace()[seen:])
	list, err := client.Tools(ctx)
	if err != nil {
		return err
	}
	operations, unusable := toolOperations(list.Tools)
	t.print.listed(list, operations, unusable)
	s := tools{client, list.Tools}
	if t.call != "" {
		i := slices.IndexFunc(operations, func(op gpttest.Operation) bool { return op.ID == t.call })
		if i < 0 {
			return usagef("the server has no tool %q; it has %s", t.call, operationIDs(operations))
		}
		typed := typedArguments(operations[i], words)
		if err := checkArguments(operations[i], typed); err != nil {
			return err
		}
		return cmp.Or(t.callOne(ctx, s, operations[i], typed), refusals(list))
	}
	failed, err := t.callAll(ctx, s, operations, remote(t.url))
	if err != nil {
		return err
	}
	if err := t.renew(ctx, client); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%s failed", count(failed, "tool"))
	}
	return refusals(list)
}

// refusals returns an error that names what other clients would not accept of a list that this one accepted.
func refusals(list *mcptest.List) error {
	if len(list.Problems()) == 0 {
		return nil
	}
	return fmt.Errorf("some clients would refuse the list of tools, or a tool of it (%s)",
		count(len(list.Problems()), "problem"))
}

// renew renews the token, if there is one.
func (t *try) renew(ctx context.Context, client *mcptest.Client) error {
	token := client.Token()
	if token == nil {
		return nil
	}
	if token.RefreshToken == "" {
		t.notRenewed()
		return nil
	}
	token, err := client.Refresh(ctx)
	if err != nil {
		return fmt.Errorf("refresh: %w", err)
	}
	t.print.token("refresh", (*gpttest.Token)(token))
	return nil
}
