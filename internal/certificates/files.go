package certificates

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

const (
	// lookAgain is how often the files are looked at, as somebody connects.
	lookAgain = 10 * time.Second
	// endsSoon is how long before its end a certificate is spoken of, once a day.
	endsSoon = 14 * 24 * time.Hour
)

// files are a certificate and its key on disk. Whoever renews them writes one after the other: until both belong
// together again, what was read before goes on.
type files struct {
	Options

	mu     sync.Mutex // guards what follows
	using  *tls.Certificate
	state  [2]version
	looked time.Time
	warned time.Time
	fault  string // told last, so that it is told once
}

// version is what tells one content of a file from the next.
type version struct {
	changed time.Time
	size    int64
}

func openFiles(o Options) (*files, error) {
	f := &files{Options: o}
	state, err := f.versions()
	if err != nil {
		return nil, err
	}
	if f.using, err = f.read(); err != nil {
		return nil, err
	}
	f.state, f.looked = state, o.Now()
	f.warn()
	return f, nil
}

func (f *files) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.Now(); now.Sub(f.looked) >= lookAgain || now.Before(f.looked) {
		f.looked = now
		f.look()
		f.warn()
	}
	return f.using, nil
}

// look reads the files again if they have changed.
func (f *files) look() {
	state, err := f.versions()
	if err == nil && state == f.state {
		return
	}
	var next *tls.Certificate
	if err == nil {
		next, err = f.read()
	}
	if err != nil {
		if f.fault != err.Error() {
			f.Log.Error("the new certificate is not used; the one before goes on", "error", err)
		}
		f.fault = err.Error()
		return
	}
	f.using, f.state, f.fault, f.warned = next, state, "", time.Time{}
	f.Log.Info("certificate read again", "until", f.using.Leaf.NotAfter)
}

// warn says that the certificate ends soon.
func (f *files) warn() {
	now, end := f.Now(), f.using.Leaf.NotAfter
	if end.Sub(now) > endsSoon || now.Sub(f.warned) < 24*time.Hour {
		return
	}
	f.warned = now
	f.Log.Warn("the certificate ends soon: renew it", "until", end, "file", f.Files.Certificate)
}

func (f *files) versions() (state [2]version, err error) {
	for i, name := range []string{f.Files.Certificate, f.Files.Key} {
		info, err := os.Stat(name)
		if err != nil {
			return state, unreadable(name, err)
		}
		state[i] = version{info.ModTime(), info.Size()}
	}
	return state, nil
}

// read returns the pair. What a library says of a key could repeat some of it, so its words are left out.
func (f *files) read() (*tls.Certificate, error) {
	certificate, err := os.ReadFile(f.Files.Certificate)
	if err != nil {
		return nil, unreadable(f.Files.Certificate, err)
	}
	key, err := os.ReadFile(f.Files.Key)
	if err != nil {
		return nil, unreadable(f.Files.Key, err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("%s and %s are no certificate with its private key, both in PEM", f.Files.Certificate,
			f.Files.Key)
	}
	if f.Host != "" && pair.Leaf.VerifyHostname(f.Host) != nil {
		return nil, fmt.Errorf("the certificate in %s is not for %s", f.Files.Certificate, f.Host)
	}
	if f.Now().After(pair.Leaf.NotAfter) {
		return nil, fmt.Errorf("the certificate in %s has ended on %s: renew it", f.Files.Certificate,
			pair.Leaf.NotAfter.UTC().Format(time.DateOnly))
	}
	return &pair, nil
}

func unreadable(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no file %s", name)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s may not be read by the user that runs this", name)
	}
	return fmt.Errorf("%s cannot be read", name)
}
