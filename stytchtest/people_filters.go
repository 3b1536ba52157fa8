package stytchtest

import (
	"slices"
	"strings"
	"time"
)

// The filters of searches, as Stytch's clients name them.

// one makes filters of what has a single value into those of what has several.
func one[T any](value func(T) string) func(T) []string {
	return func(subject T) []string { return []string{value(subject)} }
}

// none is for what nobody has in the emulator, such as phone numbers.
func none[T any](T) []string { return nil }

// anyOf takes a list, any of which may match. Users' filters differ from the others in
// the name of one error, by a letter.
func anyOf[T any](values func(T) []string, wrong string) filter[T] {
	return func(value any) (func(T) bool, string) {
		list, ok := value.([]any)
		if !ok || slices.ContainsFunc(list, func(v any) bool { _, isText := v.(string); return !isText }) {
			return nil, wrong
		}
		return func(subject T) bool {
			return slices.ContainsFunc(values(subject), func(has string) bool {
				return slices.ContainsFunc(list,
					func(wanted any) bool { return strings.EqualFold(has, wanted.(string)) })
			})
		}, ""
	}
}

// fuzzy takes a part of what it looks for.
func fuzzy[T any](values func(T) []string) filter[T] {
	return func(value any) (func(T) bool, string) {
		part, ok := value.(string)
		if !ok {
			return nil, "expected_string"
		}
		if len(part) < 3 {
			return nil, "*_too_short"
		}
		return func(subject T) bool {
			return slices.ContainsFunc(values(subject), func(has string) bool {
				return strings.Contains(strings.ToLower(has), strings.ToLower(part))
			})
		}, ""
	}
}

func boolean[T any](has func(T) bool, wrong string) filter[T] {
	return func(value any) (func(T) bool, string) {
		wanted, ok := value.(bool)
		if !ok {
			return nil, wrong
		}
		return func(subject T) bool { return has(subject) == wanted }, ""
	}
}

// hasStatus refuses statuses that there are none of.
func hasStatus(given filter[*person], v vertical, wrong string) filter[*person] {
	return func(value any) (func(*person) bool, string) {
		list, isList := value.([]any)
		if !isList {
			list = []any{value}
		}
		for _, status := range list {
			if text, ok := status.(string); ok && !slices.Contains(v.statuses, text) {
				return nil, wrong
			}
		}
		return given(value)
	}
}

func never[T any](T) bool { return false }

func emailsOf(p *person) (list []string) {
	for _, e := range p.emails {
		list = append(list, e.Address)
	}
	return list
}

func hasPassword(p *person) bool { return p.password != "" }

const (
	texts     = "expected_array_of_strings"
	userTexts = "expected_array_of_string"
)

var memberFilters = map[string]filter[*person]{
	"member_ids":         anyOf(one(func(p *person) string { return p.id }), texts),
	"member_emails":      anyOf(emailsOf, texts),
	"member_email_fuzzy": fuzzy(emailsOf),
	"member_roles":       anyOf(func(p *person) []string { return p.roles }, texts),
	"statuses": hasStatus(anyOf(one(func(p *person) string { return p.status }), texts), b2b,
		"search_invalid_status_filter"),
	"member_password_exists":        boolean(hasPassword, "expected_boolean"),
	"member_is_breakglass":          boolean(never[*person], "expected_boolean"),
	"member_mfa_phone_numbers":      anyOf(none[*person], texts),
	"member_mfa_phone_number_fuzzy": fuzzy(none[*person]),
}

var userFilters = map[string]filter[*person]{
	"user_id":             anyOf(one(func(p *person) string { return p.id }), userTexts),
	"status":              hasStatus(statusIs, consumer, "invalid_status_filter"),
	"email_address":       anyOf(emailsOf, userTexts),
	"email_address_fuzzy": fuzzy(emailsOf),
	"email_id": anyOf(func(p *person) (list []string) {
		for _, e := range p.emails {
			list = append(list, e.ID)
		}
		return list
	}, userTexts),
	"email_verified":  boolean((*person).verified, "expected_bool"),
	"full_name_fuzzy": fuzzy(one((*person).fullName)),
	"oauth_provider": anyOf(func(p *person) (list []string) {
		for _, registered := range p.providers {
			list = append(list, registered.Provider)
		}
		return list
	}, userTexts),
	"password_exists":         boolean(hasPassword, "expected_bool"),
	"created_at_greater_than": created(time.Time.After),
	"created_at_less_than":    created(time.Time.Before),
	"created_at_between":      createdBetween,

	"phone_number":                    anyOf(none[*person], userTexts),
	"phone_id":                        anyOf(none[*person], userTexts),
	"phone_number_fuzzy":              fuzzy(none[*person]),
	"phone_verified":                  boolean(never[*person], "expected_bool"),
	"webauthn_registration_id":        anyOf(none[*person], userTexts),
	"webauthn_registration_verified":  boolean(never[*person], "expected_bool"),
	"biometric_registration_id":       anyOf(none[*person], userTexts),
	"biometric_registration_verified": boolean(never[*person], "expected_bool"),
	"crypto_wallet_id":                anyOf(none[*person], userTexts),
	"crypto_wallet_address":           anyOf(none[*person], userTexts),
	"crypto_wallet_verified":          boolean(never[*person], "expected_bool"),
	"totp_id":                         anyOf(none[*person], userTexts),
	"totp_verified":                   boolean(never[*person], "expected_bool"),
}

// statusIs is for users, whose filter takes one status.
func statusIs(value any) (func(*person) bool, string) {
	status, ok := value.(string)
	if !ok {
		return nil, "expected_string"
	}
	return func(p *person) bool { return p.status == status }, ""
}

// created compares the time at which a user was made.
func created(compare func(created, than time.Time) bool) filter[*person] {
	return func(value any) (func(*person) bool, string) {
		text, _ := value.(string)
		than, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return nil, "expected_timestamp"
		}
		return func(p *person) bool { return compare(p.created, than) }, ""
	}
}

func createdBetween(value any) (func(*person) bool, string) {
	ends, ok := value.(map[string]any)
	if !ok {
		return nil, "expected_object"
	}
	after, wrong := created(time.Time.After)(ends["greater_than"])
	if wrong != "" {
		return nil, wrong
	}
	before, wrong := created(time.Time.Before)(ends["less_than"])
	if wrong != "" {
		return nil, wrong
	}
	return func(p *person) bool { return after(p) && before(p) }, ""
}

// organizationFilters also look at the organizations' members.
func (e *Emulator) organizationFilters() map[string]filter[*Organization] {
	memberEmails := func(o *Organization) (list []string) {
		for _, p := range e.state.people {
			if p.organizationID == o.ID && p.status != "deleted" {
				list = append(list, p.email())
			}
		}
		return list
	}
	domains := func(o *Organization) []string { return o.EmailAllowedDomains }
	return map[string]filter[*Organization]{
		"organization_ids":          anyOf(one(func(o *Organization) string { return o.ID }), texts),
		"organization_slugs":        anyOf(one(func(o *Organization) string { return o.Slug }), texts),
		"organization_slug_fuzzy":   fuzzy(one(func(o *Organization) string { return o.Slug })),
		"organization_name_fuzzy":   fuzzy(one(func(o *Organization) string { return o.Name })),
		"member_emails":             anyOf(memberEmails, texts),
		"member_email_fuzzy":        fuzzy(memberEmails),
		"allowed_domains":           anyOf(domains, texts),
		"allowed_domain_fuzzy":      fuzzy(domains),
		"claimed_email_domains":     anyOf(none[*Organization], texts),
		"has_active_sso_connection": boolean(never[*Organization], "expected_boolean"),
		"sso_connection_id": func(value any) (func(*Organization) bool, string) {
			if _, ok := value.(string); !ok {
				return nil, "expected_string"
			}
			return never[*Organization], ""
		},
	}
}
