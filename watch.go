package guestpass

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/internal/doctor"
	"guestpass/internal/stytch"
)

const (
	checkEvery   = time.Hour
	recheckEvery = time.Minute // while something cannot be looked at
	checkTimeout = 15 * time.Second
)

// A diagnosis is what the checks found at a time.
type diagnosis struct {
	at       time.Time
	findings []doctor.Finding
	told     time.Time // when all that fails was last logged, by this one or one before
}

// watch diagnoses at once and then every hour, until ctx ends; sooner after a check that could not be made. Its error
// says what a server must not start with. What comes later is only told: Stytch may be changing.
func watch(ctx context.Context, diagnose func(context.Context) (again bool, dangers error)) error {
	again, dangers := diagnose(ctx)
	if dangers != nil {
		return dangers
	}
	for {
		wait := checkEvery
		if again {
			wait = recheckEvery
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		again, _ = diagnose(ctx)
	}
}

// diagnose makes the checks, logs what fails and keeps all of it for readyz. again reports whether a check could not be
// made; dangers are what a server must not start with.
func (s *Server) diagnose(ctx context.Context) (again bool, dangers error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	last := s.diagnosis.Load()
	now := &diagnosis{at: s.options.Now(), findings: slices.Collect(doctor.Inside(ctx, s.patient()))}
	if errors.Is(ctx.Err(), context.Canceled) { // what was found is that the server ends
		return false, nil
	}
	s.tell(ctx, now, last)
	s.diagnosis.Store(now)
	for _, f := range now.findings {
		switch f.Severity {
		case doctor.Unknown:
			again = true
		case doctor.Fatal:
			dangers = errors.Join(dangers, errors.New(f.String()))
		}
	}
	if dangers != nil {
		dangers = fmt.Errorf("not safe to go on: %w", dangers)
	}
	return again, dangers
}

// tell logs what fails, in the words of guestpass doctor: all of it every hour, and in between what the last look did
// not find.
func (s *Server) tell(ctx context.Context, now, last *diagnosis) {
	failing := 0
	all := last == nil || now.at.Sub(last.told).Abs() >= checkEvery
	if now.told = now.at; !all {
		now.told = last.told
	}
	for _, f := range now.findings {
		if !f.Fails() {
			continue
		}
		failing++
		if !all && slices.Contains(last.findings, f) {
			continue
		}
		level := slog.LevelWarn
		if f.Severity == doctor.Error || f.Severity == doctor.Fatal {
			level = slog.LevelError
		}
		s.log.Log(ctx, level, "a check fails", "check", f.Check, "severity", string(f.Severity), "found", f.Found,
			"expected", f.Expected, "remedy", f.Remedy)
	}
	if failing == 0 {
		s.log.InfoContext(ctx, "no check fails", "checks", len(now.findings))
	}
	if counts := s.provider.Refusals(); len(counts) > 0 {
		s.log.InfoContext(ctx, "trouble on the sign-in page since the start", "reasons", counts)
	}
}

// patient returns what the checks look at.
func (s *Server) patient() doctor.Server {
	o := s.options
	p := doctor.Server{PublicURL: o.PublicURL, ProjectID: o.ProjectID, PublicToken: o.PublicToken,
		Vertical: string(o.Vertical), Domains: append([]string{o.Domain}, o.OtherDomains...), APIBase: o.BaseURL,
		ByRole: o.Access == api.ByRole, FreeIsMeant: o.ScopesAlone, MCP: s.mcp != nil,
		LoginMethods: s.provider.LoginMethods(), Needs: s.needs(),
		Clients: o.admitted(), DocsClientID: o.DocsClientID, Audience: o.Audience, Resources: o.resources(),
		TokenLifetime: o.MaxTokenLifetime, WithSecret: slices.Sorted(maps.Keys(o.ClientSecrets)),
		Stytch: s.directory, Public: s.public, Metadata: s.readIssuer}
	if p.APIBase == "" {
		p.APIBase = stytch.APIBase(o.ProjectID)
	}
	if p.TokenLifetime == 0 {
		p.TokenLifetime = auth.DefaultLifetime
	}
	if o.Store != nil {
		p.Database = o.Store.Ping
	}
	if o.Limits.RedisURL != "" {
		p.Redis = s.limits.PingShared
	}
	return p
}

// needs returns what operations want the project to have, in their order, and then what Options.Scopes declares.
func (s *Server) needs() (needs []doctor.Need) {
	add := func(n doctor.Need, changes bool, of string) {
		i := slices.IndexFunc(needs, func(other doctor.Need) bool {
			return other.Scope == n.Scope && other.Resource == n.Resource && other.Action == n.Action
		})
		if i < 0 {
			i, needs = len(needs), append(needs, n)
		}
		needs[i].For, needs[i].Changes = append(needs[i].For, of), needs[i].Changes || changes
	}
	byRole := s.options.Access == api.ByRole
	for _, op := range s.service.Operations() {
		if byRole {
			if resource, action := op.Access.RBAC(); resource != "" {
				add(doctor.Need{Resource: resource, Action: action}, op.Effect != api.Read, op.ID)
			}
			continue
		}
		for _, scope := range s.service.Scopes(op) {
			if !isStandard(scope) {
				add(doctor.Need{Scope: scope}, op.Effect != api.Read, op.ID)
			}
		}
	}
	for _, scope := range s.options.Scopes {
		n := doctor.Need{Scope: scope.Name}
		if byRole {
			resource, action := auth.Scope(scope.Name).RBAC()
			n = doctor.Need{Resource: resource, Action: action}
		}
		add(n, false, "GUESTPASS_SCOPES")
	}
	return needs
}

func isStandard(scope string) bool {
	for _, standard := range standardScopes {
		if standard.Name == scope {
			return true
		}
	}
	return false
}
