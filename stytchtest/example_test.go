package stytchtest_test

import (
	"testing"

	"github.com/stytchauth/stytch-go/v16/stytch/b2b/b2bstytchapi"
	stytchidp "github.com/stytchauth/stytch-go/v16/stytch/b2b/idp"
	"github.com/stytchauth/stytch-go/v16/stytch/b2b/otp/email"

	"guestpass/stytchtest"
)

// TestLikeOneOfYours is what a test of your own may look like: a member signs in, a GPT
// gets a token, and the keys that sign are rotated meanwhile.
func TestLikeOneOfYours(t *testing.T) {
	stytch := stytchtest.NewServer(t, stytchtest.Options{}) // Acme with Ada and Grace, Globex with Hank, and a GPT
	seed := stytchtest.Development()
	api, err := b2bstytchapi.NewClient(seed.Project.ID, seed.Project.Secret, b2bstytchapi.WithBaseURI(stytch.URL))
	if err != nil {
		t.Fatal(err)
	}

	// Ada asks for a code and finds it in her mail.
	if _, err := api.OTPs.Email.LoginOrSignup(t.Context(), &email.LoginOrSignupParams{OrganizationID: "acme",
		EmailAddress: "ada@acme.example"}); err != nil {
		t.Fatal(err)
	}
	signedIn, err := api.OTPs.Email.Authenticate(t.Context(), &email.AuthenticateParams{OrganizationID: "acme",
		EmailAddress: "ada@acme.example", Code: stytch.Inbox()[0].Code})
	if err != nil {
		t.Fatal(err)
	}

	// A token as the GPT would have it of her, before and after the keys were rotated.
	before, err := stytch.Mint(stytchtest.MintRequest{Subject: signedIn.MemberID, Scopes: []string{"tasks:read"}})
	if err != nil {
		t.Fatal(err)
	}
	stytch.RotateKeys()
	after, err := stytch.Mint(stytchtest.MintRequest{Subject: signedIn.MemberID, Scopes: []string{"tasks:read"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{before, after} {
		verified, err := api.IDP.IntrospectTokenLocal(t.Context(), &stytchidp.IntrospectTokenLocalParams{Token: token})
		if err != nil || verified.Subject != signedIn.MemberID || verified.Scope != "tasks:read" {
			t.Errorf("%+v, %v", verified, err)
		}
	}
}
