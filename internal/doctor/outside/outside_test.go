package outside_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"guestpass"
	"guestpass/internal/doctor"
	"guestpass/internal/doctor/outside"
	"guestpass/resources"
	"guestpass/stytchtest"
)

const host = "gpt.example.com"

// silently connects with a server that reads and never says a word. Its patience is at an end once it has read.
func silently(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go func() {
		_, _ = server.Read(make([]byte, 1))
		_ = client.SetReadDeadline(time.Unix(1, 0))
		_, _ = io.Copy(io.Discard, server)
	}()
	return client, nil
}

// saying connects with a server that says this to whatever it reads, and closes.
func saying(words string) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			_, _ = server.Read(make([]byte, 64<<10))
			_, _ = io.WriteString(server, words)
		}()
		return client, nil
	}
}

// today is when the certificates are looked at; they are valid for 90 days.
var today = time.Date(2030, time.May, 1, 12, 0, 0, 0, time.UTC)

// An authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// sign returns a certificate that the authority has signed; nil: that signs itself.
func sign(t *testing.T, by *authority, template x509.Certificate) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(1)
	template.NotBefore, template.NotAfter = today.AddDate(0, 0, -1), today.AddDate(0, 0, 89)
	template.BasicConstraintsValid = true
	parent, signer := &template, key
	if by != nil {
		parent, signer = by.certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{certificate, key}
}

func signing(name string) x509.Certificate {
	return x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, KeyUsage: x509.KeyUsageCertSign}
}

func serving(names ...string) x509.Certificate {
	return x509.Certificate{Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, KeyUsage: x509.KeyUsageDigitalSignature}
}

// A bed is a Guestpass behind TLS, with the emulator of Stytch beside it, as it is before something goes wrong.
type bed struct {
	names       []string // of the certificate
	selfSigned  bool
	leavesOut   bool // the certificate between
	tls         tls.Config
	emulator    stytchtest.Options
	options     guestpass.Options
	around      func(http.Handler) http.Handler // the proxy in front
	site        outside.Site
	stytch      func(*stytchtest.Server)
	unreachable bool
}

func (b *bed) look(t *testing.T) map[string]doctor.Finding {
	t.Helper()
	root := sign(t, nil, signing("A root"))
	between := sign(t, root, signing("One between"))
	own := sign(t, between, serving(b.names...))
	if b.selfSigned {
		own = sign(t, nil, serving(b.names...))
	}
	shown := tls.Certificate{Certificate: [][]byte{own.certificate.Raw}, PrivateKey: own.key}
	if !b.leavesOut && !b.selfSigned {
		shown.Certificate = append(shown.Certificate, between.certificate.Raw)
	}
	b.tls.Certificates = []tls.Certificate{shown}
	server := httptest.NewUnstartedServer(b.handler(t))
	server.TLS, server.Config.ErrorLog = &b.tls, log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	if b.unreachable {
		server.Close()
	}
	site := b.site
	site.Roots = x509.NewCertPool()
	site.Roots.AddCert(root.certificate)
	// The addresses of the host are the world's, and lead here.
	here := func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == host+":443" {
			address = server.Listener.Addr().String()
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	if site.Dial == nil {
		site.Dial = here
	}
	found := map[string]doctor.Finding{}
	for f := range outside.Look(t.Context(), site) {
		found[f.Check] = f
	}
	return found
}

func (b *bed) handler(t *testing.T) http.Handler {
	stytch := stytchtest.NewServer(t, b.emulator)
	stytch.SetAuthorizationURL("https://" + host + "/idp")
	if b.stytch != nil {
		b.stytch(stytch)
	}
	seed := stytchtest.Development()
	o := b.options
	o.PublicURL, o.Domain, o.BaseURL = or(o.PublicURL, "https://"+host), stytch.URL, stytch.URL
	o.ProjectID, o.Secret, o.PublicToken = seed.Project.ID, seed.Project.Secret, seed.Project.PublicToken
	o.Vertical, o.ForwardTokens, o.Title, o.Version = "b2b", true, "Guestpass Demo", "1"
	if o.Resources == nil {
		o.Resources = resources.All()
	}
	app, err := guestpass.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.Close() })
	if b.around != nil {
		return b.around(app)
	}
	return app
}

func or(first, second string) string {
	if first != "" {
		return first
	}
	return second
}

// answering replaces the answer at a path.
func answering(path string, answer http.HandlerFunc) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == path {
				answer(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// anotherPage is what an application shows that answers every path with its one page.
func anotherPage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "<!doctype html><title>Acme</title>")
}

func always(addresses ...string) func(context.Context, string) ([]netip.Addr, error) {
	return func(context.Context, string) (list []netip.Addr, err error) {
		for _, address := range addresses {
			list = append(list, netip.MustParseAddr(address))
		}
		return list, nil
	}
}

// sees makes each request one of a client at that address, as seen by the proxy in front.
func sees(header func(r *http.Request)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			header(r)
			next.ServeHTTP(w, r)
		})
	}
}

var loopbacks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// mistakes are what can be seen from outside, each with the line that tells of it.
var mistakes = []struct {
	check, name string
	change      func(*bed)
	want        string // severity, what was found, and what was expected or is to be done
}{
	{"dns", "no such host", func(b *bed) {
		b.site.LookUp = func(_ context.Context, host string) ([]netip.Addr, error) {
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
	}, "error dns: the host gpt.example.com has no address: no such host; expected: addresses that the world " +
		"reaches; see the records of the host at your DNS"},
	{"dns", "DNS does not answer", func(b *bed) {
		b.site.LookUp = func(_ context.Context, host string) ([]netip.Addr, error) {
			return nil, &net.DNSError{Err: "i/o timeout", Name: host, IsTimeout: true}
		}
	}, "error dns: the host gpt.example.com has no address: DNS did not answer in time"},
	{"dns", "an internal address", func(b *bed) { b.site.LookUp = always("93.184.216.34", "10.1.2.3") },
		"warning dns: the host gpt.example.com has internal addresses: 10.1.2.3"},
	{"certificate", "signed by itself", func(b *bed) { b.selfSigned = true },
		"error certificate: the certificate is signed by itself; expected: a certificate of an authority that is " +
			"trusted"},
	{"certificate", "of another host", func(b *bed) { b.names = []string{"www.example.com", "example.com"} },
		"error certificate: the certificate is not of the host: it is for www.example.com, example.com; expected: a " +
			"certificate for gpt.example.com"},
	{"certificate", "without the one between", func(b *bed) { b.leavesOut = true },
		`error certificate: the chain of the certificate leads to nobody who is trusted: it has 1 certificates, the ` +
			`last issued by "One between"; expected: a full chain to an authority that is trusted`},
	{"certificate-expiry", "ended", func(b *bed) { b.site.Now = at(today.AddDate(0, 0, 90)) },
		"error certificate-expiry: the certificate ended on 2030-07-29; expected: a certificate that is valid for 14 " +
			"days more; renew the certificate"},
	{"certificate-expiry", "about to end", func(b *bed) { b.site.Now = at(today.AddDate(0, 0, 80)) },
		"warning certificate-expiry: the certificate ends on 2030-07-29"},
	{"certificate-expiry", "not yet valid", func(b *bed) { b.site.Now = at(today.AddDate(0, 0, -2)) },
		"error certificate-expiry: the certificate is valid from 2030-04-30 on only"},
	{"tls", "too old", func(b *bed) { b.tls.MinVersion, b.tls.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 },
		"error tls: the server speaks TLS 1.1 at most; expected: TLS 1.2 and 1.3, and no older version"},
	{"tls", "too old as well", func(b *bed) { b.tls.MinVersion = tls.VersionTLS10 },
		"warning tls: the server speaks TLS 1.3, and TLS 1.1 as well"},
	{"connection", "nobody there", func(b *bed) { b.unreachable = true },
		"error connection: nothing listens at gpt.example.com:443; expected: a server, or the proxy in front of it; " +
			"start the server, or the proxy in front of it, and see whether it listens at port 443"},
	{"connection", "no answer", func(b *bed) {
		b.site.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, os.ErrDeadlineExceeded }
	}, "error connection: nobody answers at gpt.example.com:443: no answer in time; expected: a server, or the proxy " +
		"in front of it; see whether the machine runs, and whether a firewall lets port 443 through"},
	{"tls", "never agreed", func(b *bed) { b.site.Dial = silently },
		"error tls: no TLS with gpt.example.com:443: no answer in time; expected: TLS 1.2 and 1.3, and no older " +
			"version; see whether the proxy in front of the server speaks TLS at port 443"},
	{"tls", "closed", func(b *bed) { b.site.Dial = saying("") },
		"error tls: no TLS with gpt.example.com:443: the connection was closed"},
	{"tls", "plain HTTP", func(b *bed) { b.site.Dial = saying("HTTP/1.1 400 Bad Request\r\n\r\n") },
		"error tls: no TLS with gpt.example.com:443: what is said there is not TLS"},
	{"redirects", "to another host", func(b *bed) {
		b.around = answering("/openapi.json", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://www.example.com/openapi.json?from=here", http.StatusMovedPermanently)
		})
	}, "error redirects: /openapi.json redirects to https://www.example.com/openapi.json; expected: answers without " +
		"redirects"},
	{"document", "not passed through", func(b *bed) {
		b.around = answering("/openapi.json", func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) })
	}, "error document: https://gpt.example.com/openapi.json is answered with 404 Not Found; expected: 200 with the " +
		"document; have the proxy in front pass every path through"},
	{"document", "not one", func(b *bed) {
		b.around = answering("/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"openapi":"3.1.0","info":{"title":"x","version":"1"},"paths":{}}`)
		})
	}, "error document: "},
	{"metadata", "of another address", func(b *bed) { b.options.PublicURL = "https://www.example.com" },
		`error metadata: the metadata name the resource "https://www.example.com"; expected: ` +
			`https://gpt.example.com, ` +
			`to the letter; set GUESTPASS_PUBLIC_URL to exactly the origin`},
	{"metadata", "not passed through", func(b *bed) {
		b.around = answering("/.well-known/oauth-protected-resource",
			func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>Welcome") })
	}, `error metadata: https://gpt.example.com/.well-known/oauth-protected-resource cannot be read: it is served as ` +
		`"text/html; charset=utf-8"; expected: metadata of a protected resource (RFC 9728)`},
	{"authorization-server", "with another issuer", func(b *bed) { b.emulator.Issuer = "https://login.example.com" },
		`error authorization-server: the issuer there is "https://login.example.com"; expected: http://127.0.0.1:`},
	{"authorization-server", "that leads elsewhere", func(b *bed) {
		b.stytch = func(s *stytchtest.Server) { s.SetAuthorizationURL("https://old.example.com/idp") }
	}, `error authorization-server: people are sent to "https://old.example.com/idp" to sign in; expected: ` +
		`https://gpt.example.com/idp; write STYTCH_DOMAIN as the issuer is written, and set the Authorization URL`},
	{"authorization-server", "without an Authorization URL", func(b *bed) {
		b.stytch = func(s *stytchtest.Server) { s.SetAuthorizationURL("") }
	}, "oauth-authorization-server cannot be read: it is answered with 400 Bad Request"},
	{"forwarded-addresses", "anybody's is believed", func(b *bed) { b.options.TrustedProxies = loopbacks },
		"error forwarded-addresses: the server believes anybody's X-Forwarded-For: whoever writes one has no limit; " +
			"expected: the address that the proxy in front sees; name in GUESTPASS_TRUSTED_PROXIES every proxy"},
	{"forwarded-addresses", "no proxy is trusted", func(*bed) {}, // this machine's address is the proxy's
		"error forwarded-addresses: the server sees the address of a proxy of its own, not that of who asks: all " +
			"people share one limit"},
	{"forwarded-addresses", "with a port", func(b *bed) {
		b.options.TrustedProxies = loopbacks
		b.around = sees(func(r *http.Request) { r.Header.Set("X-Forwarded-For", "93.184.216.77:4711") })
	}, "error forwarded-addresses: the server cannot read the address that a proxy forwards"},
	{"mcp", "without a challenge", func(b *bed) {
		b.around = answering("/mcp", func(w http.ResponseWriter,
			_ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
		})
	}, "error mcp: the 401 of https://gpt.example.com/mcp has no WWW-Authenticate with a Bearer challenge (RFC 6750)"},
	{"mcp", "not passed through", func(b *bed) {
		b.around = answering("/mcp", func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) })
	}, "error mcp: https://gpt.example.com/mcp is answered with 404 Not Found, as text/plain, and not by Guestpass; " +
		"expected: a challenge that leads to metadata"},
	{"mcp", "another application answers every path", func(b *bed) { b.around = answering("/mcp", anotherPage) },
		"error mcp: https://gpt.example.com/mcp is answered with 200 OK, as text/html, and not by Guestpass"},
	{"mcp", "another application has an error of its own", func(b *bed) {
		b.around = answering("/mcp", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"message":"no route"}`)
		})
	}, "error mcp: https://gpt.example.com/mcp is answered with 404 Not Found, as application/json"},
	{"sign-in", "the page is not passed through", func(b *bed) {
		b.around = answering("/idp", func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) })
	}, "error sign-in: https://gpt.example.com/idp is answered with 404 Not Found, as text/plain, and not by " +
		"Guestpass; expected: the sign-in page; have the proxy in front pass every path through"},
	{"sign-in", "another application shows its page", func(b *bed) { b.around = answering("/idp", anotherPage) },
		"error sign-in: https://gpt.example.com/idp is answered with 200 OK, as text/html, and not by Guestpass"},
	{"sign-in", "the script is not passed through", func(b *bed) {
		b.around = answering("/idp/assets/idp.js", anotherPage)
	}, "error sign-in: https://gpt.example.com/idp/assets/idp.js is answered with 200 OK, as text/html"},
	{"sign-in", "the token endpoint is not passed through", func(b *bed) {
		b.around = answering("/oauth2/token", anotherPage)
	}, "error sign-in: the token endpoint https://gpt.example.com/oauth2/token is answered with 200 OK, as " +
		"text/html, and not by Guestpass; expected: an error of OAuth"},
	{"authorization-header", "lost on the way", func(b *bed) {
		b.around = sees(func(r *http.Request) { r.Header.Del("Authorization") })
	}, "error authorization-header: https://gpt.example.com/api/v1/activity answers to a token as if there were " +
		"none: the header Authorization is lost on the way; expected: 401 with a Bearer challenge and " +
		`error="invalid_token"; have the proxy in front pass the header Authorization`},
	{"authorization-header", "lost on the way to the tools alone", func(b *bed) {
		b.around = sees(func(r *http.Request) {
			if r.URL.Path == "/mcp" {
				r.Header.Del("Authorization")
			}
		})
	}, "error authorization-header: https://gpt.example.com/mcp answers to a token as if there were none"},
	{"authorization-header", "the operations are not passed through", func(b *bed) {
		b.around = answering("/api/v1/activity", anotherPage)
	}, "error authorization-header: https://gpt.example.com/api/v1/activity is answered with 200 OK, as text/html " +
		"where no token is sent; expected: 401 with a Bearer challenge; have the proxy in front pass every path"},
	{"mcp", "nobody can identify themselves", func(b *bed) {
		seed := stytchtest.Development()
		seed.Project.Registration, seed.Project.MetadataDocuments = false, false
		b.emulator.Seed = &seed
	}, "warning mcp: clients can neither come with a document of their own nor register themselves; expected: "},
}

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

// newBed returns one at which nothing is wrong, or only what a test of forwarded addresses wants.
func newBed(t *testing.T, check string) *bed {
	t.Helper()
	site, err := outside.Parse("https://" + host)
	if err != nil {
		t.Fatal(err)
	}
	b := &bed{names: []string{host}, site: site}
	b.site.Now, b.site.LookUp = at(today), always("93.184.216.34")
	if check != "forwarded-addresses" {
		b.options.TrustedProxies = loopbacks
		b.around = sees(forwards)
	}
	return b
}

// forwards is a proxy that does as it should.
func forwards(r *http.Request) {
	r.Header.Set("X-Forwarded-For", strings.TrimPrefix(r.Header.Get("X-Forwarded-For")+", 93.184.216.77", ", "))
}

func TestWhatIsWrongIsSeenFromOutside(t *testing.T) {
	names, _ := outside.Names()
	for _, m := range mistakes {
		t.Run(m.check+" "+m.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, m.check)
			proxy := b.around
			m.change(b)
			if around := b.around; proxy != nil && m.check != "forwarded-addresses" {
				b.around = func(next http.Handler) http.Handler { return proxy(around(next)) }
			}
			found := b.look(t)
			f := found[m.check]
			if line := string(f.Severity) + " " + f.String(); !strings.Contains(line, m.want) || !f.Fails() {
				t.Errorf("it says %s\nwant %s", line, m.want)
			}
			if len(found) != len(names) {
				t.Errorf("%d findings of %d checks", len(found), len(names))
			}
		})
	}
}

// A check that no mistake makes fail is shown by nothing.
func TestEveryCheckFromOutsideIsSeenFailing(t *testing.T) {
	names, asks := outside.Names()
	for i, name := range names {
		if !strings.HasSuffix(asks[i], "?") {
			t.Errorf("%s asks nothing", name)
		}
		if !slices.ContainsFunc(mistakes, func(m struct {
			check, name string
			change      func(*bed)
			want        string
		}) bool {
			return m.check == name
		}) {
			t.Errorf("no mistake makes %s fail", name)
		}
	}
}

func TestNothingIsWrong(t *testing.T) {
	for check, f := range newBed(t, "").look(t) {
		if f.Severity != doctor.OK {
			t.Errorf("%s: %s %s", check, f.Severity, f)
		}
	}
	without := newBed(t, "") // what a server need not have
	without.options.NoMCP = true
	if f := without.look(t)["mcp"]; f.Severity != doctor.Skipped || !strings.Contains(f.Found, "GUESTPASS_MCP=off") {
		t.Errorf("without MCP: %s %s", f.Severity, f)
	}
}

// Where the way to the server is wrong, everything behind it says which check to look at.
func TestWhatCannotBeAskedSaysWhy(t *testing.T) {
	b := newBed(t, "")
	b.selfSigned = true
	for _, check := range []string{"redirects", "document", "metadata", "authorization-server", "forwarded-addresses",
		"mcp"} {
		if f := b.look(t)[check]; f.Severity != doctor.Skipped ||
			f.Found != "the server cannot be asked; see certificate" {
			t.Errorf("%s: %s %s", check, f.Severity, f)
		}
	}
}

func TestURLsOfServers(t *testing.T) {
	for text, want := range map[string]string{
		"https://gpt.example.com":       "https://gpt.example.com",
		"https://gpt.example.com/":      "https://gpt.example.com",
		"HTTPS://GPT.example.com:443":   "https://gpt.example.com",
		"https://gpt.example.com:8443":  "https://gpt.example.com:8443",
		"http://localhost:8080/":        "http://localhost:8080",
		"HTTP://LOCALHOST:8080":         "http://localhost:8080",
		"http://[::1]:80":               "http://[::1]",
		"https://gpt.example.com/mcp":   "has more than an origin: name https://gpt.example.com",
		"https://gpt.example.com?x=1":   "has more than an origin: name https://gpt.example.com",
		"https://gpt.example.com/#x":    "has more than an origin",
		"https://gpt.example.com:99999": "has no port that there is: they go from 1 to 65535",
		"https://gpt.example.com:0":     "has no port that there is",
		"http://gpt.example.com":        "must begin with https://",
		"gpt.example.com":               "is not the URL of a server",
		"https://":                      "is not the URL of a server",
		"https://:443":                  "is not the URL of a server",
		"https://a:b@gpt.example.com":   "is not the URL of a server",
		"ftp://gpt.example.com":         "must begin with https://",
		"https://secret-live-abcdefgh":  "holds a secret, which is not repeated here",
		"secret-live-abcdefgh":          "holds a secret, which is not repeated here",
	} {
		site, err := outside.Parse(text)
		if err == nil && site.Origin != want || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v, want %q", text, site.Origin, err, want)
		}
	}
	for _, text := range []string{"https://admin:hunter2@gpt.example.com", "https://secret-live-hunter2hunter2",
		"secret-live-hunter2hunter2"} {
		if shown := outside.Shown(text); strings.Contains(shown, "hunter2") {
			t.Errorf("%s is shown", shown)
		}
	}
}
