package stytchtest_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"guestpass/stytchtest"
)

// BenchmarkReady is from nothing to the first answer: the time a program that starts an
// emulator waits. first-key is to the first answer that needs a key, which is made meanwhile.
func BenchmarkReady(b *testing.B) {
	for name, path := range map[string]string{"answer": "/.well-known/openid-configuration",
		"first-key": "/.well-known/jwks.json"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				e, err := stytchtest.New(stytchtest.Options{})
				if err != nil {
					b.Fatal(err)
				}
				l, err := e.Listen("127.0.0.1:0")
				if err != nil {
					b.Fatal(err)
				}
				s := &http.Server{Handler: e}
				go func() { _ = s.Serve(l) }()
				response, err := http.Get("http://" + l.Addr().String() + path)
				if err != nil || response.StatusCode != http.StatusOK {
					b.Fatal(response, err)
				}
				response.Body.Close()
				_ = s.Close()
			}
		})
	}
}

// BenchmarkTokenExchange redeems codes over HTTP on all cores. An exchange costs one RSA
// signature, with openid among the scopes two: compare with signature of the same run.
func BenchmarkTokenExchange(b *testing.B) {
	b.Run("signature", func(b *testing.B) {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			b.Fatal(err)
		}
		digest := sha256.Sum256([]byte("claims"))
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:]); err != nil {
					b.Error(err)
				}
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signatures/s")
	})
	for name, scopes := range map[string][]string{"access": {"tasks:read"}, "access-and-id": {"openid", "tasks:read"}} {
		b.Run(name, func(b *testing.B) { benchmarkExchange(b, scopes) })
	}
}

func benchmarkExchange(b *testing.B, scopes []string) {
	s := stytchtest.NewServer(b, stytchtest.Options{})
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	codes := make([]string, b.N)
	for i := range codes {
		codes[i] = benchmarkCode(b, client, s.URL, scopes)
	}
	var next atomic.Int64
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			form := url.Values{"grant_type": {"authorization_code"}, "code": {codes[next.Add(1)-1]},
				"redirect_uri": {callback},
				"client_id":    {gpt}, "client_secret": {gptSecret}}
			response, err := client.PostForm(s.URL+"/v1/oauth2/token", form)
			if err != nil || response.StatusCode != http.StatusOK {
				b.Error(response, err)
				return
			}
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "exchanges/s")
}

func benchmarkCode(b *testing.B, client *http.Client, base string, scopes []string) string {
	body, err := json.Marshal(object{"organization_id": acme, "member_id": ada, "client_id": gpt,
		"redirect_uri": callback, "consent_granted": true, "scopes": scopes})
	if err != nil {
		b.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, base+"/v1/b2b/idp/oauth/authorize", strings.NewReader(string(body)))
	if err != nil {
		b.Fatal(err)
	}
	r.SetBasicAuth(project, "secret-test-guestpass-dev")
	r.Header.Set("Content-Type", "application/json")
	response, err := client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	var reply struct {
		Code string `json:"authorization_code"`
	}
	if err := json.NewDecoder(response.Body).Decode(&reply); err != nil || reply.Code == "" {
		b.Fatal(reply, err)
	}
	return reply.Code
}
