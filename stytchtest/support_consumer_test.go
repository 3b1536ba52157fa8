package stytchtest_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/stytchapi"

	"guestpass/stytchtest"
)

const (
	consumerProject     = "project-test-22222222-2222-4222-8222-222222222222"
	consumerPublicToken = "public-token-test-22222222-2222-4222-8222-222222222222"
	projectSecret       = "secret-test-guestpass-dev" // of both
	userAda             = "user-test-cccccccc-0000-4000-8000-000000000001"
	userGrace           = "user-test-cccccccc-0000-4000-8000-000000000002"
)

// openConsumer is open for a Consumer project.
func openConsumer(t *testing.T, change ...func(*stytchtest.Seed)) *stytchtest.Server {
	t.Helper()
	seed := stytchtest.DevelopmentConsumer()
	seed.ConnectedApps = append(seed.ConnectedApps, otherClients()...)
	for _, c := range change {
		c(&seed)
	}
	return serve(t, stytchtest.Options{Seed: &seed, Now: func() time.Time { return noon }})
}

// consumerClient returns the real stytch-go for Consumer projects.
func consumerClient(t *testing.T, s *stytchtest.Server, more ...stytchapi.Option) *stytchapi.API {
	t.Helper()
	options := append([]stytchapi.Option{stytchapi.WithBaseURI(s.URL),
		stytchapi.WithHTTPClient(&http.Client{Timeout: 30 * time.Second})}, more...)
	return must[*stytchapi.API](t)(stytchapi.NewClient(projectOf(s), projectSecret, options...))
}

func lazyConsumerClient(t *testing.T, s *stytchtest.Server) *stytchapi.API {
	t.Helper()
	return consumerClient(t, s, stytchapi.WithSkipJWKSInitialization())
}

func projectOf(s *stytchtest.Server) string { return s.Export().Project.ID }

// authorizeUser is authorize for Ada of the Consumer project.
func authorizeUser(t *testing.T, s *stytchtest.Server, change ...func(object)) string {
	t.Helper()
	body := object{"user_id": userAda, "client_id": gpt, "redirect_uri": callback, "consent_granted": true,
		"scopes": []string{"openid", "email", "tasks:read", "offline_access"}}
	for _, c := range change {
		c(body)
	}
	status, reply, _ := ask(t, http.MethodPost, s.URL+"/v1/idp/oauth/authorize", body,
		basic(consumerProject, projectSecret))
	code, _ := reply["authorization_code"].(string)
	if status != 200 || code == "" {
		t.Fatalf("no code: %d %v", status, reply)
	}
	return code
}

// newestToken is that of the link that was mailed last.
func newestToken(t *testing.T, s *stytchtest.Server) string {
	t.Helper()
	return tokenOf(t, s.Inbox()[0].Link)
}

func tokenOf(t *testing.T, link string) string {
	t.Helper()
	token := must[*url.URL](t)(url.Parse(link)).Query().Get("token")
	if token == "" {
		t.Fatalf("no token in %q", link)
	}
	return token
}
