package certificates_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass/internal/certificates"
	"guestpass/store"
)

const host = "gpt.example.test"

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// journal is a log that several may write to.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

func (j *journal) count(part string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.text.String(), part)
}

func (j *journal) log() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

func openStore(t *testing.T, file string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + file,
		Schemas: []store.Schema{certificates.Schema()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func listen(t *testing.T) (net.Listener, int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener, listener.Addr().(*net.TCPAddr).Port
}

// serve answers on both listeners, as the program does.
func serve(t *testing.T, c *certificates.Certificates, secure, plain net.Listener) {
	t.Helper()
	for listener, handler := range map[net.Listener]http.Handler{
		tls.NewListener(secure, c.Config()): http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.Proto)
		}),
		plain: c.Plain("https://" + host),
	} {
		server := &http.Server{Handler: handler, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
		go func() { _ = server.Serve(listener) }()
		t.Cleanup(func() { server.Close() })
	}
}

// connect returns the certificate that a client gets, which it has verified.
func connect(secure net.Listener, name string, roots *x509.CertPool) (*x509.Certificate, error) {
	conn, err := tls.Dial("tcp", secure.Addr().String(), &tls.Config{ServerName: name, RootCAs: roots})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0], nil
}

// TestAnAuthorityCertifiesTheHost gets a certificate from Let's Encrypt's own server for tests, which refuses a third
// of its own nonces, by each way to prove that the host is ours. Another instance with the same database has it without
// asking; what is kept gives no key away.
func TestAnAuthorityCertifiesTheHost(t *testing.T) {
	for _, way := range []string{"TLS-ALPN", "plain http"} {
		t.Run(way, func(t *testing.T) {
			secure, tlsPort := listen(t)
			plain, httpPort := listen(t)
			if way == "plain http" {
				_, tlsPort = listen(t) // where nobody proves anything
			} else {
				_, httpPort = listen(t)
			}
			a := startAuthority(t, httpPort, tlsPort, "33")
			file := filepath.Join(t.TempDir(), "kept.db")
			kept := openStore(t, file)
			options := certificates.Options{Host: host, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
				Automatic: certificates.Automatic{Directory: a.directory, HTTP: a.http, Store: kept,
					Key: bytes.Repeat([]byte{7}, 32)}}
			c, err := certificates.New(options)
			if err != nil {
				t.Fatal(err)
			}
			serve(t, c, secure, plain)
			c.Ask()
			first, err := connect(secure, host, a.roots)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"other.example.test", "localhost"} {
				if _, err := connect(secure, name, a.roots); err == nil {
					t.Errorf("%s was certified as well", name)
				}
			}
			options.Automatic.Directory, options.Automatic.HTTP = "https://127.0.0.1:1/dir", nil // gone
			second, err := certificates.New(options)
			if err != nil {
				t.Fatal(err)
			}
			listener, _ := listen(t)
			other, _ := listen(t)
			serve(t, second, listener, other)
			if again, err := connect(listener, host, a.roots); err != nil || !again.Equal(first) {
				t.Errorf("the second instance: %v", err)
			}
			options.Automatic.Key = bytes.Repeat([]byte{8}, 32)
			sealed, err := certificates.New(options)
			if err != nil {
				t.Fatal(err)
			}
			listener, _ = listen(t)
			other, _ = listen(t)
			serve(t, sealed, listener, other)
			if _, err := connect(listener, host, a.roots); err == nil {
				t.Error("another secret opens what is kept")
			}
			if text := readAll(t, file); strings.Contains(text, "PRIVATE KEY") {
				t.Error("the file has a private key that everybody can read")
			}
		})
	}
}

// TestWhoeverNoLongerAsksAnAuthorityKeepsTheDatabase: what is in it stays for another time.
func TestWhoeverNoLongerAsksAnAuthorityKeepsTheDatabase(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kept.db")
	if err := openStore(t, file).Close(); err != nil {
		t.Fatal(err)
	}
	without, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + file})
	if err != nil {
		t.Fatal(err)
	}
	if err := without.Close(); err != nil {
		t.Fatal(err)
	}
	openStore(t, file)
}

func readAll(t *testing.T, file string) (all string) {
	t.Helper()
	for _, end := range []string{"", "-wal"} {
		content, err := os.ReadFile(file + end)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		all += string(content)
	}
	return all
}

// TestAnAuthorityThatRefusesIsNotAskedAllTheTime tells in the log why nobody can connect, once for each time that the
// authority is asked.
func TestAnAuthorityThatRefusesIsNotAskedAllTheTime(t *testing.T) {
	asked := 0
	authority := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		http.Error(w, "closed", http.StatusForbidden)
	}))
	defer authority.Close()
	journal, now := &journal{}, &clock{now: time.Now()}
	c, err := certificates.New(certificates.Options{Host: host, Log: journal.log(), Now: now.Now,
		Automatic: certificates.Automatic{Directory: authority.URL, HTTP: authority.Client(),
			Store: openStore(t, filepath.Join(t.TempDir(), "kept.db")), Key: make([]byte, 32)}})
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for i, pause := range []time.Duration{time.Minute, 4 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
		c.Ask()
		total = asked
		for range 3 {
			now.add(pause/4 + time.Millisecond)
			c.Ask()
		}
		if asked != total || asked == 0 {
			t.Errorf("asked %d times more while waiting", asked-total)
		}
		if told := journal.count("nobody can connect"); told != i+1 {
			t.Errorf("told %d times after %d", told, i+1)
		}
		now.add(pause / 4)
	}
}
