package api

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"guestpass/auth"
	"guestpass/directory"
)

// hasScope checks what the token says by itself: that one of the accesses' scopes was granted.
func (s *Service) hasScope(op Operation, identity auth.Identity) (err error) {
	for _, access := range op.accesses() {
		if err = s.checkScope(access, identity); err == nil {
			return nil
		}
	}
	return err
}

// checkScope checks one scope. Where roles decide it asks for openid alone: such projects have no other scope.
func (s *Service) checkScope(access auth.Access, identity auth.Identity) error {
	if s.options.Access != ByRole {
		return access.CheckScope(identity)
	}
	if resource, _ := access.RBAC(); resource == "" {
		return auth.Scope("openid").CheckScope(identity)
	}
	return nil
}

// permitted checks scopes and roles. Of several refusals it returns one for a scope: the person can still grant that.
func (s *Service) permitted(ctx context.Context, op Operation, identity auth.Identity) (refused error) {
	for _, access := range op.accesses() {
		err := s.checkScope(access, identity)
		if err == nil {
			err = s.checkRoles(ctx, op, access, identity)
		}
		if !denied(err) { // admitted, or it is not known
			return err
		}
		if refused == nil || errors.Is(err, auth.ErrInsufficientScope) && !errors.Is(refused,
			auth.ErrInsufficientScope) {
			refused = err
		}
	}
	return refused
}

// denied reports whether err is a judgement on what the person may do.
func denied(err error) bool {
	return errors.Is(err, auth.ErrInsufficientScope) || errors.Is(err, auth.ErrInsufficientRole)
}

// checkRoles checks the person's roles where they count: for every operation in projects that go by role, else for
// writes. A scope is granted for the roles that somebody had then, and a token that is renewed again and again may have
// it for years.
func (s *Service) checkRoles(ctx context.Context, op Operation, access auth.Access, identity auth.Identity) error {
	if s.options.Access == ByRole {
		return s.checkPermission(ctx, access, identity)
	}
	if op.Effect == Read || s.options.ScopesAlone || s.options.Directory == nil {
		return nil
	}
	err := s.options.Directory.CheckScope(ctx, identity.OrganizationID, identity.Subject, access.ScopeName())
	var lacking *directory.RolesError
	if errors.As(err, &lacking) {
		return &roleError{access.RefuseRoles(lacking.Roles, lacking.Lacks),
			fmt.Sprintf("none of the signed-in person's roles covers the scope %s, or not any more",
				access.ScopeName())}
	}
	return orGone(err)
}

// checkPermission is checkRoles in projects where roles decide.
func (s *Service) checkPermission(ctx context.Context, access auth.Access, identity auth.Identity) error {
	resource, action := access.RBAC()
	if resource == "" {
		return nil
	}
	lacks := action + " on " + resource
	refused := &roleError{access.RefuseRoles(nil, lacks), "none of the signed-in person's roles permits " + lacks}
	if s.options.Directory == nil {
		return refused // there is nowhere to look roles up in
	}
	permitted, err := s.options.Directory.Permits(ctx, identity.OrganizationID, identity.Subject, resource, action)
	if err == nil && !permitted {
		return refused
	}
	return err
}

// orGone turns the error of a person who is gone into that of a refused token: the token goes with them.
func orGone(err error) error {
	if errors.Is(err, directory.ErrNotFound) || errors.Is(err, directory.ErrInactive) {
		return fmt.Errorf("%w: %w", auth.Invalid("the person is gone, or not active"), err)
	}
	return err
}

// A roleError refuses somebody for their roles.
type roleError struct {
	cause  error  // of package auth, for the log
	detail string // for the caller, of our own words and declarations
}

func (e *roleError) Error() string { return e.cause.Error() }
func (e *roleError) Unwrap() error { return e.cause }

// roleHint goes with a roleError: what a model would try first does not help.
const roleHint = "Tell the person that somebody who administers their roles would have to allow this. Asking for the " +
	"scope or signing in again does not help. Do not try again with the same account."

// HasRole reports whether the caller has the role in their organization, or the project, now. It asks the directory,
// so ask before a transaction and only where it decides.
func (s *Service) HasRole(ctx context.Context, role string) (bool, error) {
	if s.options.Directory == nil {
		return false, nil
	}
	identity := auth.From(ctx)
	person, err := s.options.Directory.Person(ctx, identity.OrganizationID, identity.Subject)
	return slices.Contains(person.Roles, role), err
}
