//go:build !production

package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"guestpass/stytchtest"
)

// TestServeSpeaksTLSItself serves without a proxy: https with the certificate in two files, and by HTTP/2, and plain
// http that leads to it. The addresses are this machine's.
func TestServeSpeaksTLSItself(t *testing.T) {
	_, emulator := development(t)
	seed := stytchtest.Development().Project
	files, roots := certified(t)
	ctx, stop := context.WithCancel(t.Context())
	log, done := newFollower(), make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"serve"}, []string{
			"GUESTPASS_ADDR=localhost:0", "GUESTPASS_PUBLIC_URL=https://example.com",
			"STYTCH_PROJECT_ID=" + seed.ID, "STYTCH_SECRET=" + seed.Secret, "STYTCH_PUBLIC_TOKEN=" + seed.PublicToken,
			"STYTCH_DOMAIN=" + emulator, "STYTCH_BASE_URL=" + emulator, "GUESTPASS_ALLOW_TEST_PROJECT=yes",
			"GUESTPASS_DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "guestpass.db"), "GUESTPASS_STOP_GRACE=0s",
			"GUESTPASS_TLS=" + files, "GUESTPASS_PLAIN_ADDR=127.0.0.1:0"}, io.Discard, log)
	}()
	address, plain := log.wait(t, `"addr":"([^"]+)"`)[1], log.wait(t, `"plain_addr":"([^"]+)"`)[1]
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, asked string) (net.Conn, error) {
			to := map[string]string{"example.com:443": address, "example.com:80": plain}[asked]
			return new(net.Dialer).DialContext(ctx, network, to)
		}}}
	response, err := client.Get("http://example.com/privacy")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || response.ProtoMajor != 2 ||
		response.Request.URL.Scheme != "https" {
		t.Errorf("%s %s by %s: %d bytes, %v", response.Request.URL, response.Status, response.Proto, len(body), err)
	}
	if header := response.Header.Get("Strict-Transport-Security"); header == "" {
		t.Error("browsers are not told to stay with https")
	}
	stop()
	if code := <-done; code != 0 {
		t.Errorf("exit code %d: %s", code, log)
	}
}

// certified writes the certificate of the library's own test servers, for example.com, and its key, and returns the
// files, and who vouches for it.
func certified(t *testing.T) (files string, roots *x509.CertPool) {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	private, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	certificate, key := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	for name, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: server.Certificate().Raw},
		key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots = x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return certificate + "," + key, roots
}

// TestTLSSettingsThatContradictEachOther are refused, each by name.
func TestTLSSettingsThatContradictEachOther(t *testing.T) {
	for _, tt := range []struct {
		changes map[string]string
		want    string
	}{
		{map[string]string{"GUESTPASS_TLS": "cert.pem"}, "GUESTPASS_TLS must be auto, off, or two files"},
		{map[string]string{"GUESTPASS_TLS": "auto,key.pem"}, "GUESTPASS_TLS must be auto, off, or two files"},
		{map[string]string{"GUESTPASS_TLS": "off,off"}, "GUESTPASS_TLS (entry 2 of 2) is there twice"},
		{map[string]string{"GUESTPASS_TLS": "a.pem,b.pem,c.pem"}, "GUESTPASS_TLS must be auto, off, or two files"},
		{map[string]string{"GUESTPASS_TLS": "off"}, "GUESTPASS_PLAIN_ADDR is set without GUESTPASS_TLS"},
		{map[string]string{"GUESTPASS_TLS": "off"}, "GUESTPASS_ACME_DIRECTORY is set without GUESTPASS_TLS"},
		{map[string]string{"GUESTPASS_TLS": "a.pem,b.key"}, "GUESTPASS_ACME_DIRECTORY is set and GUESTPASS_TLS is not"},
		{map[string]string{"GUESTPASS_PLAIN_ADDR": whole()["GUESTPASS_ADDR"]}, "GUESTPASS_PLAIN_ADDR must be another"},
		{map[string]string{"GUESTPASS_ACME_DIRECTORY": "http://acme.example.com/directory"},
			"GUESTPASS_ACME_DIRECTORY must be the https address"},
		{map[string]string{"GUESTPASS_PUBLIC_URL": "https://192.0.2.7"}, "GUESTPASS_TLS is auto, but no authority"},
	} {
		variables := whole()
		for name, value := range tt.changes {
			variables[name] = value
		}
		refusesWithoutRepeating(t, tt.want, "the value", starting(variables))
	}
}
