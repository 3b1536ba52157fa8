package server_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/store"
	"guestpass/stytchtest"
)

// An administrator ends one app for everybody, told for how many, and for whom it did not work.
func TestAnAdministratorRevokesAnAppForAll(t *testing.T) {
	w := newWorld(t)
	w.changeProject(func(seed *stytchtest.Seed) {
		for i := range 3 {
			seed.Members = append(seed.Members, stytchtest.Member{ID: w.member(i), OrganizationID: acme,
				Status: "active", Email: fmt.Sprintf("m%d@acme.example", i), Name: fmt.Sprint("Member ", i)})
		}
	})
	for _, subject := range []string{ada, grace, hank, w.member(0), w.member(1), w.member(2)} {
		w.consent(subject)
		w.reads(w.token(subject, everything...))
	}
	s := w.signIn(ada)
	page := s.at("/account")
	w.says(page, 200, "grace@acme.example", "m0@acme.example", "m2@acme.example (Member 2)",
		"Revoke for all other members", "Last used ")
	all := regexp.MustCompile(`href="(/account/revoke[^"]+)">Revoke for all other members`)
	ask := all.FindStringSubmatch(page.body)[1]
	asked := s.at(ask)
	w.says(asked, 200, "for these members, 4 in all", "grace@acme.example", "Revoke for all 4")
	if strings.Contains(asked.body, "hank") || strings.Contains(asked.body, "<li>ada@") {
		t.Errorf("%s", asked.body)
	}
	w.says(w.signIn(grace).at(ask), 403)
	must(t, w.setRoles(acme, ada)(nil))
	w.says(s.at(ask), 403)
	must(t, w.setRoles(acme, ada, "stytch_admin")(nil))
	form := formPattern.FindStringSubmatch(asked.body)[1]
	r := s.revoke(form)
	w.says(r, 303)
	w.says(s.at(r.header.Get("Location")), 200, "Access is revoked for 4 members.",
		"No app acts for another member of the organization.")
	if w.reads(w.token(grace, everything...)) != 401 || w.reads(w.token(hank, everything...)) != 200 ||
		w.reads(w.token(ada, everything...)) != 200 {
		t.Error("not those of the others were revoked")
	}
	w.says(s.at("/account?changes=all"), 200, "Revoked the access of ChatGPT for grace@acme.example",
		"Revoked the access of ChatGPT for m0@acme.example")
	must(t, w.options.Store.Close())
	r = s.revoke(form)
	r.body = strings.NewReplacer("<bdi>", "", "</bdi>", "").Replace(r.body)
	w.says(r, 503, "Not all access of ChatGPT is revoked", "It is revoked for 0.",
		"m1@acme.example: Half of it is done.")
}

func (w *world) member(i int) string {
	return fmt.Sprintf("member-test-aaaaaaaa-0000-4000-8000-00000000009%d", i)
}

// ledger is a resource that lets administrators see what was done by it.
func ledger(o *guestpass.Options) {
	type input struct {
		Body struct {
			Name string `json:"name" maxLength:"20" doc:"Name of the entry"`
		}
	}
	type output struct {
		Body struct {
			OK bool `json:"ok" doc:"Always true"`
		}
	}
	register := func(s *api.Service) {
		api.Register(s, api.Operation{ID: "enterLedger", Method: http.MethodPost, Path: "/api/v1/ledger",
			Summary: "Enter something", Description: "Enters something.", Access: auth.Scope("ledger:write"),
			Effect: api.Write, Done: "Entered “{name}”"}, func(ctx context.Context, in *input) (*output, error) {
			return api.InTransaction(ctx, s, func(tx *store.Tx) (*output, error) {
				tx.Changed("led_"+in.Body.Name, nil, in.Body)
				return &output{}, nil
			})
		})
	}
	o.Resources = append(o.Resources, api.Resource{Name: "ledger", Register: register, Overseen: true})
}

// TestAdministratorsSeeOfOthersWhatTheResourceLetsThemSee, and nothing else.
func TestAdministratorsSeeOfOthersWhatTheResourceLetsThemSee(t *testing.T) {
	for name, tt := range map[string]struct {
		change []func(*guestpass.Options)
		sees   bool
	}{"without": {nil, false}, "with": {[]func(*guestpass.Options){ledger}, true}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tt.change...)
			w.consent(grace)
			w.as(grace).create(`{"title":"Grace's secret"}`)
			if tt.sees {
				token := w.token(grace, "ledger:write", "openid")
				if r := w.call("POST", "/api/v1/ledger", token, `{"name":"tea"}`); r.status != 200 {
					t.Fatalf("%d %s", r.status, r.body)
				}
			}
			s := w.signIn(ada)
			page := s.page()
			if strings.Contains(page, "What was done in their name") != tt.sees || strings.Contains(page, "secret") ||
				!strings.Contains(page, "grace@acme.example") {
				t.Errorf("%s", page)
			}
			of := s.at("/account?changes=all&of=" + grace)
			if !tt.sees {
				w.says(of, 403)
				return
			}
			w.says(of, 200, "Entered “tea”", "What was done in the name of grace@acme.example")
			if strings.Contains(of.body, "secret") || strings.Contains(of.body, "Undo") ||
				strings.Contains(of.body, "changes.csv") {
				t.Errorf("%s", of.body)
			}
			w.says(s.at("/account?changes=all&of="+hank), 403)
			w.says(w.signIn(grace).at("/account?changes=all&of="+ada), 403)
		})
	}
}

// TestEndToEndAnAdministratorRevokesForAll looks at the pages for it.
func TestEndToEndAnAdministratorRevokesForAll(t *testing.T) {
	t.Parallel()
	endToEnd(t, stytchtest.Development(), func(w *world) error {
		w.changeProject(func(seed *stytchtest.Seed) {
			seed.Members = append(seed.Members, stytchtest.Member{ID: w.member(0), OrganizationID: acme,
				Status: "active", Email: "mary.with.a.long.name.indeed@acme.example", Name: "Mary Guest"})
		})
		for _, subject := range []string{grace, w.member(0)} {
			w.consent(subject)
			w.reads(w.token(subject, everything...))
		}
		p := w.newPerson()
		steps := append([]step{newTabAt(w.url + "/account"), press("Sign in")}, byCode("ada@acme.example", "Acme")...)
		return p.do(append(steps, see("Revoke for all other members"), device(1280, "light"), look("account"), fits,
			look("account-narrow"), press("Revoke for all other members"), see("2 in all"), fits, device(1280, "light"),
			look("asking"), press("Revoke for all 2"), see("Access is revoked for 2 members."), look("revoked"))...)
	})
}
