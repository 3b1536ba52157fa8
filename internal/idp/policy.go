package idp

// emptyStyle is the style element of the code input in Stytch's component.
const emptyStyle = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

// contentSecurityPolicy admits our own scripts, the component's style elements (its
// one sheet and the empty one: without them the page works but is unstyled, and the
// browser test fails), reports to this server and Stytch's API, nothing else. form-action 'none' is no
// hindrance: the component navigates by script.
func contentSecurityPolicy(style, apiBase string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self' '" + style + "' '" + emptyStyle +
		"'; img-src 'self'; connect-src 'self' " + apiBase +
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
}
