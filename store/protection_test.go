package store_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"guestpass/store"
)

// certificates is a file with a certificate authority, as sslrootcert names it.
func certificates(t *testing.T) string {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	path := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// opening opens a Postgres that nobody lets it reach, and returns what it says before.
func opening(t *testing.T, url string) (log string, err error) {
	t.Helper()
	var text bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = store.Open(ctx, store.Options{URL: url, Log: slog.New(slog.NewTextHandler(&text, nil))})
	return text.String(), err
}

func TestAPasswordGoesToAPostgresElsewhereAsSomebodyHasSaid(t *testing.T) {
	const refused, quiet, unauthenticated, unencrypted = "refused", "", "checks no certificate", "is not encrypted"
	authority := certificates(t)
	for _, tt := range []struct{ url, environment, want string }{
		{"postgres://u:hunter2@db.example.com/g", "", refused},
		{"postgresql://u:hunter2@db.example.com/g", "", refused},
		{"postgres://u:hunter2@db.example.com/g?sslmode=", "", refused},
		{"postgres://u:hunter2@db.example.com/g?sslmode=prefer", "", refused},
		{"postgres://u:hunter2@db.example.com/g?sslmode=allow", "", refused},
		{"postgres://u:hunter2@192.0.2.1/g", "", refused},
		{"postgres://u:hunter2@[2001:db8::1]/g", "", refused},
		{"postgres://u:hunter2@localhost.example.com/g", "", refused},
		{"postgres://u:hunter2@localhost,db.example.com/g", "", refused},
		{"postgres:///g?host=db.example.com&password=hunter2", "", refused},
		{"postgres://u:hunter2@db.example.com/g?sslrootcert=" + authority, "", refused},
		{"postgres://u:hunter2@db.example.com/g?sslmode=verify-full&sslmode=prefer", "", refused},
		{"postgres://u:hunter2@db.example.com/g?sslmode=disable", "", unencrypted},
		{"postgres://u:hunter2@db.example.com/g?sslmode=require", "", unauthenticated},
		{"postgres://u:hunter2@db.example.com/g?sslmode=require&sslrootcert=" + authority, "", quiet},
		{"postgres://u:hunter2@db.example.com/g?sslmode=verify-ca&sslrootcert=" + authority, "", quiet},
		{"postgres://u:hunter2@db.example.com/g?sslmode=verify-ca", "", unauthenticated},
		{"postgres://u:hunter2@db.example.com/g?sslmode=verify-full", "", quiet},
		{"postgres://u:hunter2@a.example.com,b.example.com/g?sslmode=verify-full", "", quiet},

		{"postgres://u:hunter2@db.example.com/g", "verify-full", quiet},
		{"postgres://u:hunter2@db.example.com/g", "require", unauthenticated},
		{"postgres://u:hunter2@db.example.com/g", "disable", unencrypted},
		{"postgres://u:hunter2@db.example.com/g", "prefer", refused},
		{"postgres://u:hunter2@db.example.com/g?sslmode=verify-full", "disable", quiet},
		{"postgres://u:hunter2@db.example.com/g?sslmode=prefer", "verify-full", refused},

		{"postgres://u:hunter2@localhost:1/g", "", quiet},
		{"postgres://u:hunter2@127.0.0.1:1/g", "", quiet},
		{"postgres://u:hunter2@[::1]:1/g?sslmode=prefer", "", quiet},
		{"postgres://u:hunter2@127.0.0.1:1/g?sslmode=disable", "", quiet},
		{"postgres:///g?host=/nonexistent&password=hunter2", "", quiet},
	} {
		t.Run(tt.environment+" "+tt.url, func(t *testing.T) {
			t.Setenv("HOME", t.TempDir()) // where libpq looks for certificates
			t.Setenv("PGSSLMODE", tt.environment)
			checked := store.CheckURL(tt.url)
			log, err := opening(t, tt.url)
			if err == nil || strings.Contains(err.Error()+log, "hunter2") {
				t.Errorf("%v, %s", err, log)
			}
			if tt.want == refused {
				for _, err := range []error{checked, err} {
					if err == nil || !strings.Contains(err.Error(), "write sslmode=verify-full") {
						t.Errorf("%v", err)
					}
				}
				return
			}
			if checked != nil || strings.Contains(err.Error(), "sslmode") {
				t.Errorf("%v, %v", checked, err)
			}
			if strings.Count(log, "level=WARN") != min(len(tt.want), 1) || !strings.Contains(log, tt.want) {
				t.Errorf("the log says %q, want %q", log, tt.want)
			}
		})
	}
}

func TestAURLOfPostgresThatCannotBeReadIsRefusedBeforeItIsUsed(t *testing.T) {
	for _, url := range []string{"postgres://u:hunter2@db.example.com:port/g",
		"postgres://u:%zzhunter2@db.example.com/g",
		"postgres:u hunter2", "postgres://u:hunter2@db.example.com/g?sslmode=hunter2",
		"postgres://u:hunter2@db.example.com/g?sslmode=verify-full&sslrootcert=/nonexistent/hunter2"} {
		if err := store.CheckURL(url); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
