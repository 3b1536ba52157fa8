package certificates_test

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"guestpass/internal/certificates"
)

// TestFilesAreReadAgain renews a certificate while the server runs, as programs do that write one file after the other.
func TestFilesAreReadAgain(t *testing.T) {
	start := time.Now().Truncate(time.Second)
	now, journal, folder := &clock{now: start}, &journal{}, t.TempDir()
	old := selfSigned(t, start.Add(15*24*time.Hour), host)
	files := old.write(t, folder)
	c, err := certificates.New(certificates.Options{Files: files, Host: host, Now: now.Now, Log: journal.log()})
	if err != nil {
		t.Fatal(err)
	}
	secure, _ := listen(t)
	plain, _ := listen(t)
	serve(t, c, secure, plain)
	renewed := selfSigned(t, start.Add(90*24*time.Hour), host)
	roots := x509.NewCertPool()
	roots.AddCert(old.pair.Leaf)
	roots.AddCert(renewed.pair.Leaf)
	shows := func(when string, want signed) {
		t.Helper()
		now.add(11 * time.Second)
		if got, err := connect(secure, host, roots); err != nil || !got.Equal(want.pair.Leaf) {
			t.Errorf("%s: another certificate, %v", when, err)
		}
	}
	shows("before", old)
	write(t, files.Certificate, renewed.certificatePEM())
	shows("with the old key", old)
	shows("still", old)
	if told := journal.count("the one before goes on"); told != 1 {
		t.Errorf("told %d times that the files do not fit", told)
	}
	write(t, files.Key, renewed.keyPEM(t))
	shows("renewed", renewed)
	write(t, files.Certificate, []byte("nonsense, longer than before"))
	shows("spoilt", renewed)
	if err := os.Remove(files.Key); err != nil {
		t.Fatal(err)
	}
	shows("removed", renewed)
	if journal.count("ends soon") != 0 {
		t.Error("it was said of a certificate that ends in 15 days that it ends soon")
	}
	now.add(77 * 24 * time.Hour)
	for range 3 {
		shows("at the end", renewed)
	}
	if told := journal.count("ends soon"); told != 1 {
		t.Errorf("told %d times on one day that it ends soon", told)
	}
}

func write(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestFilesThatCannotBeUsed are refused at the start, each by name, and without a word of what is in them.
func TestFilesThatCannotBeUsed(t *testing.T) {
	year := time.Now().Add(365 * 24 * time.Hour)
	good, other := selfSigned(t, year, host), selfSigned(t, year, host)
	elsewhere, ended := selfSigned(t, year, "other.example.test"), selfSigned(t, time.Now().Add(-time.Hour), host)
	for name, tt := range map[string]struct {
		certificate, key []byte
		want             string
	}{
		"no file":        {nil, good.keyPEM(t), "there is no file "},
		"another's key":  {good.certificatePEM(), other.keyPEM(t), "are no certificate with its private key"},
		"no key":         {good.certificatePEM(), good.certificatePEM(), "are no certificate with its private key"},
		"another's name": {elsewhere.certificatePEM(), elsewhere.keyPEM(t), "is not for " + host},
		"ended":          {ended.certificatePEM(), ended.keyPEM(t), "has ended on "},
	} {
		t.Run(name, func(t *testing.T) {
			files := good.write(t, t.TempDir())
			if write(t, files.Key, tt.key); tt.certificate == nil {
				if err := os.Remove(files.Certificate); err != nil {
					t.Fatal(err)
				}
			} else {
				write(t, files.Certificate, tt.certificate)
			}
			_, err := certificates.New(certificates.Options{Files: files, Host: host})
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "PRIVATE") {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestPlainHTTPLeadsToHTTPS sends readers on, within the host, and refuses what would have been sent readably.
func TestPlainHTTPLeadsToHTTPS(t *testing.T) {
	files := selfSigned(t, time.Now().Add(time.Hour), host).write(t, t.TempDir())
	c, err := certificates.New(certificates.Options{Files: files, Host: host})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		method, path, want string
		status             int
	}{
		{"GET", "/docs?a=%2F", "https://" + host + "/docs?a=%2F", 301},
		{"HEAD", "/a%20b", "https://" + host + "/a%20b", 301},
		{"GET", "//evil.example/", "https://" + host + "//evil.example/", 301},
		{"POST", "/oauth2/token", "", 403},
		{"GET", "/.well-known/acme-challenge/x", "https://" + host + "/.well-known/acme-challenge/x", 301},
	} {
		r := httptest.NewRequest(tt.method, "http://"+host+tt.path, http.NoBody)
		r.Host = "evil.example"
		w := httptest.NewRecorder()
		c.Plain("https://"+host).ServeHTTP(w, r)
		if w.Code != tt.status || w.Header().Get("Location") != tt.want {
			t.Errorf("%s %s: %d %s", tt.method, tt.path, w.Code, w.Header().Get("Location"))
		}
	}
}
