package certificates

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/tls"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"guestpass/store"
)

//go:embed migrations
var embedded embed.FS

// Schema is the table in which certificates from an authority are kept.
func Schema() store.Schema {
	files, _ := fs.Sub(embedded, "migrations") // fails for an invalid name only
	return store.Schema{Name: "certificates", Files: files}
}

// automatic leaves the protocol to autocert: it asks for a certificate as somebody connects, proves by TLS-ALPN (RFC
// 8737) or by plain http that the host is ours, and renews it.
func automatic(o Options) (*Certificates, error) {
	sealed, err := newSealed(o.Automatic)
	if err != nil {
		return nil, err
	}
	manager := &autocert.Manager{
		Prompt:     autocert.AcceptTOS,
		Cache:      sealed,
		HostPolicy: only(o.Host),
		Email:      o.Automatic.Email,
		Client: &acme.Client{DirectoryURL: o.Automatic.Directory, HTTPClient: o.Automatic.HTTP,
			UserAgent: "guestpass"},
	}
	asked := &asking{Options: o, get: manager.GetCertificate}
	return &Certificates{config: config(asked.certificate, "h2", "http/1.1", acme.ALPNProto),
		asking: asked, challenges: manager.HTTPHandler}, nil
}

// only admits the host, which a request over plain http may name with its port.
func only(host string) autocert.HostPolicy {
	return func(_ context.Context, named string) error {
		if name, _, err := net.SplitHostPort(named); err == nil {
			named = name
		}
		if named != host {
			return errors.New("another host was asked for")
		}
		return nil
	}
}

// pauses follow failures, one after the other; the last one stays. Let's Encrypt refuses a host whose proof fails more
// than five times an hour.
var pauses = []time.Duration{time.Minute, 4 * time.Minute, 15 * time.Minute}

// asking tells why there is no certificate, and pauses before the authority is asked again.
type asking struct {
	Options
	get func(*tls.ClientHelloInfo) (*tls.Certificate, error)

	mu       sync.Mutex // guards what follows
	failures int
	again    time.Time // when the authority may be asked again
}

var errPause = errors.New("there is no certificate yet; the authority is asked again soon")

func (a *asking) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	// Any other name, and none, comes from anybody. The authority itself asks for the proof.
	if hello.ServerName != a.Host || slices.Contains(hello.SupportedProtos, acme.ALPNProto) {
		return a.get(hello)
	}
	if a.pausing() {
		return nil, errPause
	}
	certificate, err := a.get(hello)
	a.note(err)
	return certificate, err
}

func (a *asking) pausing() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failures > 0 && a.Now().Before(a.again)
}

func (a *asking) note(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case err == nil:
		a.failures = 0
	case !a.Now().Before(a.again): // of those that waited together, one counts
		pause := pauses[min(a.failures, len(pauses)-1)]
		a.failures++
		a.again = a.Now().Add(pause)
		a.Log.Error("no certificate: nobody can connect", "host", a.Host, "next_try_after", pause, "error", err)
	}
}

// Ask asks for the certificate now, so that nobody has to wait for it: once what answers for Config listens. What fails
// is in the log. With files it does nothing.
func (c *Certificates) Ask() {
	if c.asking == nil {
		return
	}
	_, _ = c.asking.certificate(&tls.ClientHelloInfo{ServerName: c.asking.Host,
		SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256},
		SupportedCurves:  []tls.CurveID{tls.CurveP256},
		CipherSuites:     []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}})
}

// sealed keeps in the database what autocert has, private keys among it, sealed with a key that is not there.
type sealed struct {
	store *store.Store
	aead  cipher.AEAD
}

func newSealed(o Automatic) (*sealed, error) {
	block, err := aes.NewCipher(o.Key)
	if err != nil {
		return nil, fmt.Errorf("seal certificates: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("seal certificates: %w", err)
	}
	return &sealed{o.Store, aead}, nil
}

// Get is for autocert. What cannot be opened was sealed with another secret of the project: the authority is asked
// anew.
func (s *sealed) Get(ctx context.Context, name string) ([]byte, error) {
	var text string
	err := s.store.QueryRow(ctx, "SELECT sealed FROM certificates WHERE name = $1", name).Scan(&text)
	if errors.Is(err, store.ErrNotFound) {
		return nil, autocert.ErrCacheMiss
	}
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	content, err := base64.RawStdEncoding.DecodeString(text)
	if err == nil {
		content, err = s.aead.Open(nil, nil, content, []byte(name))
	}
	if err != nil {
		return nil, autocert.ErrCacheMiss
	}
	return content, nil
}

// Put is for autocert.
func (s *sealed) Put(ctx context.Context, name string, content []byte) error {
	// #nosec G407 -- there is none to give: NewGCMWithRandomNonce makes one each time
	text := base64.RawStdEncoding.EncodeToString(s.aead.Seal(nil, nil, content, []byte(name)))
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO certificates (name, sealed, updated_at) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at`,
			name, text, store.Millis(tx.Now()))
		return err
	})
	if err != nil {
		return fmt.Errorf("keep certificate: %w", err)
	}
	return nil
}

// Delete is for autocert.
func (s *sealed) Delete(ctx context.Context, name string) error {
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("DELETE FROM certificates WHERE name = $1", name)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget certificate: %w", err)
	}
	return nil
}
