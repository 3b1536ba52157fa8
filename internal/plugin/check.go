package plugin

import (
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"guestpass/internal/pattern"
)

// Limits of a public submission.
const (
	maxName             = 64
	maxVersion          = 64
	maxDescription      = 1024
	maxDisplayName      = 30
	maxShort            = 30
	maxLong             = 4000
	maxDeveloper        = 80
	maxCapabilities     = 20
	maxCapability       = 120
	maxPrompts          = 3
	maxPrompt           = 128
	maxURL              = 1024
	maxEmail            = 320
	maxIdentity         = 64 // the plugin's name, a colon and the skill's
	maxSkillDescription = 1024
)

var categories = []string{"Productivity", "Creativity", "Developer Tools", "Business & Operations", "Data & Analytics",
	"Communication", "Education & Research", "Security", "Finance", "Healthcare", "Travel", "Entertainment", "Other"}

var (
	nameForm    = pattern.New(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	versionForm = pattern.New(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)` +
		`(-(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?` +
		`(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`) // semver.org
	colorForm   = pattern.New(`^#[0-9A-Fa-f]{6}$`)
	mention     = pattern.New(`(^|\s)@\S`)
	countryForm = pattern.New(`^[A-Z]{2}$`)
)

func isVersion(text string) bool { return versionForm.MatchString(text) && len(text) <= maxVersion }

// check refuses what the portal would.
func (m *maker) check() {
	m.checkNames()
	m.checkURLs()
	m.checkPrompts()
	m.checkColors()
	m.checkTools()
	m.checkJustifications()
	m.checkCases()
	if strings.TrimSpace(m.Skill) == "" {
		m.refuse("skill_body_empty", "skill", "there is nothing to tell a model")
	}
	for i, country := range m.listing.Countries {
		if !isCountry(country) {
			m.refuse("", fmt.Sprintf("countries[%d]", i), fmt.Sprintf("is %q, which is not a country: write its two "+
				"capital letters of ISO 3166, such as DE; leave all countries out for everywhere", cut(country, 20)))
		}
	}
}

// isCountry reports whether the text is the code of a country in ISO 3166-1. A few withdrawn ones, such as SU, pass.
func isCountry(text string) bool {
	region, err := language.ParseRegion(text)
	return err == nil && countryForm.MatchString(text) && region.IsCountry() && region.Canonicalize().String() == text
}

// isMailbox reports whether the text is an e-mail address as a manifest has it, without a name.
func isMailbox(text string) bool {
	address, err := mail.ParseAddress(text)
	if err != nil || address.Address != text {
		return false
	}
	_, domain, _ := strings.Cut(text, "@")
	return strings.Contains(domain, ".")
}

func (m *maker) checkNames() {
	l := m.listing
	switch {
	case !nameForm.MatchString(l.Name):
		m.refuse("plugin_name_format", "name", "must be lower-case letters, digits and single hyphens between "+
			"them, such as acme-tasks")
	case len(l.Name) > maxName:
		m.refuse("plugin_name_too_long", "name", fmt.Sprintf("has more than %d characters", maxName))
	case 2*len(l.Name)+1 > maxIdentity:
		m.refuse("skill_identity_too_long", "name", fmt.Sprintf("has more than %d characters, and the skill is named "+
			"after it: both together have %d at most", (maxIdentity-1)/2, maxIdentity))
	}
	if !isVersion(l.Version) {
		m.refuse("plugin_version_not_semver", "version", "must be three numbers, such as 1.0.0")
	}
	for _, text := range []struct {
		name, member, value string
		limit               int
	}{
		{"submission_display_name", "displayName", l.DisplayName, maxDisplayName},
		{"submission_subtitle", "shortDescription", l.ShortDescription, maxShort},
		{"submission_description", "longDescription", l.LongDescription, maxLong},
		{"submission_developer_name", "developerName", l.DeveloperName, maxDeveloper},
	} {
		switch {
		case strings.TrimSpace(text.value) == "":
			m.refuse(text.name+"_required", text.member, "is missing: only you can give it")
		case length(text.value) > text.limit:
			m.refuse(text.name+"_too_long", text.member, fmt.Sprintf("has %d characters, %d at most: say it shorter",
				length(text.value), text.limit))
		case text.member != "longDescription" && strings.ContainsAny(text.value, "\n\r"):
			m.refuse("", text.member, "must be one line")
		}
	}
	switch {
	case len(l.DeveloperEmail) > maxEmail:
		m.refuse("", "developerEmail", fmt.Sprintf("has more than %d characters", maxEmail))
	case l.DeveloperEmail != "" && !isMailbox(l.DeveloperEmail):
		m.refuse("", "developerEmail", "is not an e-mail address, such as help@example.com")
	}
	if !slices.Contains(categories, l.Category) {
		m.refuse("plugin_category_unknown", "category", "must be one of "+strings.Join(categories, ", "))
	}
}

func (m *maker) checkURLs() {
	l := m.listing
	for _, one := range []struct{ name, member, value string }{
		{"plugin_website_url_format", "websiteURL", l.WebsiteURL},
		{"plugin_support_url_format", "supportURL", l.SupportURL},
		{"plugin_privacy_policy_url_format", "privacyPolicyURL", l.PrivacyPolicyURL},
		{"plugin_terms_of_service_url_format", "termsOfServiceURL", l.TermsOfServiceURL},
	} {
		switch {
		case one.value == "":
			m.refuse(one.name, one.member, "is missing: only you can give it, the https address of a page")
		case !secure(one.value):
			m.refuse(one.name, one.member, fmt.Sprintf("is %s, which is not an https address of at most %d "+
				"characters", cut(one.value, 100), maxURL))
		}
	}
	if l.DemoRecordingURL != "" && !secure(l.DemoRecordingURL) {
		m.refuse("", "demoRecordingURL", fmt.Sprintf("is not an https address of at most %d characters", maxURL))
	}
	if !secure(m.URL) {
		m.refuse("domain_verification_required", "GUESTPASS_PUBLIC_URL", "is not on https: the portal cannot reach "+
			m.URL+"; name the public address, also with --public-url")
	}
}

// secure reports whether the text is a whole https URL of a host, short enough.
func secure(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "https" && u.Hostname() != "" && u.User == nil && len(text) <= maxURL
}

func (m *maker) checkPrompts() {
	seen := map[string]bool{}
	if len(m.listing.DefaultPrompt) > maxPrompts {
		m.refuse("plugin_default_prompt_too_many", "defaultPrompt", fmt.Sprintf("has more than %d", maxPrompts))
	}
	for i, prompt := range m.listing.DefaultPrompt {
		place, same := fmt.Sprintf("defaultPrompt[%d]", i), strings.Join(strings.Fields(strings.ToLower(prompt)), " ")
		switch {
		case length(prompt) > maxPrompt:
			m.refuse("plugin_default_prompt_too_long", place, fmt.Sprintf("has %d characters, %d at most",
				length(prompt), maxPrompt))
		case mention.MatchString(prompt):
			m.refuse("plugin_default_prompt_mention", place, "mentions somebody with @: leave that out")
		case same == "" || seen[same]:
			m.refuse("plugin_default_prompt_duplicate", place, "is empty, or the same as another one")
		}
		seen[same] = true
	}
}

func (m *maker) checkColors() {
	const light, dark = "#FFFFFF", "#212121"
	for _, one := range []struct{ name, member, value, ground string }{
		{"plugin_brand_color", "brandColor", m.listing.BrandColor, light},
		{"plugin_brand_color_dark", "brandColorDark", m.listing.BrandColorDark, dark},
	} {
		switch {
		case one.value == "":
		case !colorForm.MatchString(one.value):
			m.refuse(one.name+"_format", one.member, "must be # and six hexadecimal digits, such as #1A5FB4")
		case contrast(one.value, one.ground) < leastContrast:
			m.refuse(one.name+"_contrast", one.member, fmt.Sprintf("has a contrast of %.2f to %s, and %d is the least",
				contrast(one.value, one.ground), one.ground, leastContrast))
		}
	}
}

func (m *maker) checkTools() {
	for _, t := range m.tools {
		if a := t.Annotations; a.ReadOnly == nil || a.Destructive == nil || a.OpenWorld == nil {
			m.refuse("annotations_required", t.Name, "lacks one of readOnlyHint, destructiveHint and openWorldHint")
		}
		if strings.TrimSpace(t.Description) == "" {
			m.refuse("justification_required", t.Name, "has no description, of which the justification is made")
		}
	}
	switch shots := len(m.listing.Screenshots); {
	case shots > 0 && len(m.withWidgets()) == 0:
		m.refuse("screenshots_not_allowed", "screenshots", "are for tools with widgets, and there are none: leave "+
			"them out")
	case shots > 0 && shots != len(m.listing.DefaultPrompt):
		m.refuse("", "screenshots", fmt.Sprintf("are %d: there must be one for each of the %d prompts of "+
			"defaultPrompt, in its order", shots, len(m.listing.DefaultPrompt)))
	}
}

// withWidgets returns the names of the tools that have a widget.
func (m *maker) withWidgets() (names []string) {
	for _, t := range m.tools {
		if t.Meta.UI != nil {
			names = append(names, t.Name)
		}
	}
	return names
}

func (m *maker) isTool(name string) bool {
	return slices.ContainsFunc(m.tools, func(t *tool) bool { return t.Name == name })
}

// checkCases matters for those that a person has written.
func (m *maker) checkCases() {
	if len(m.cases.Positive) != positiveCases || len(m.cases.Negative) != negativeCases {
		m.refuse("", "test_cases", fmt.Sprintf("has %d positive and %d negative ones: exactly %d and %d are wanted",
			len(m.cases.Positive), len(m.cases.Negative), positiveCases, negativeCases))
	}
	for i, c := range m.cases.Positive {
		place := fmt.Sprintf("test_cases.positive[%d]", i)
		if c.Description == "" || c.Prompt == "" || c.Tools == "" || c.Expected == "" {
			m.refuse("", place, "must have description, prompt, tools_triggered and expected_behavior")
		}
		for _, name := range strings.Split(c.Tools, ",") {
			if c.Tools != "" && !m.isTool(strings.TrimSpace(name)) {
				m.refuse("", place, fmt.Sprintf("names %q, which is not a tool", strings.TrimSpace(name)))
			}
		}
	}
	for i, c := range m.cases.Negative {
		if c.Description == "" || c.Prompt == "" || c.Tools != "" || c.Expected != "" {
			m.refuse("", fmt.Sprintf("test_cases.negative[%d]", i), "must have description and prompt, and nothing "+
				"else")
		}
	}
}

// missing lists what only a person can give, beside what is refused without it.
func (m *maker) missing() {
	l := m.listing
	if m.Listing.LongDescription == "" && !m.Described {
		m.want("longDescription", "is a list of operations: write what people gain, here or as GUESTPASS_DESCRIPTION")
	}
	if l.Logo == "" {
		m.want("logo", fmt.Sprintf("a square PNG, JPEG or SVG, %d to %d pixels a side, beside listing.json",
			leastPixels, mostPixels))
	}
	if l.DemoRecordingURL == "" {
		m.want("demoRecordingURL", "address of a recording that shows it at work, which the review wants")
	}
	if len(m.withWidgets()) > 0 && len(l.Screenshots) == 0 {
		m.want("screenshots", fmt.Sprintf("PNG or JPEG files of the widgets beside listing.json, one for each prompt "+
			"of defaultPrompt, in its order: %d pixels wide, %d to %d high", screenWidth, screenLeast, screenMost))
	}
	m.want("reviewer's account", "address and password of a person with some data, and with the roles that the test "+
		"cases need; typed into the portal alone: none of it belongs in the package")
	if !m.Password {
		m.want("GUESTPASS_LOGIN_METHODS", "add password: reviewers cannot read the code that goes out by e-mail")
	}
	if !m.Challenge {
		m.want("GUESTPASS_PLUGIN_CHALLENGE", "the token that the portal shows for the domain, after the upload")
	}
	if l.License == "" || l.LicenseFile == "" {
		m.want("license, licenseFile", "what Claude's directory wants: a name such as MIT, and a file with its text")
	} else if _, err := m.file(l.LicenseFile, maxText); err != nil {
		m.want("licenseFile", "names a file that cannot be read: put its text beside listing.json")
	}
}
