package idp

// styleHashes are the style elements that Stytch's component makes: its one sheet,
// and the empty one of its code input. They change with the bundle's version;
// without them the page works but is unstyled, and the browser test fails.
var styleHashes = "'sha256-goG6NTJVb+JLlVfyyLcbrBJO1e6OPG6DpOWkP/MQIRQ=' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"

// contentSecurityPolicy admits our own scripts, the component's styles and Stytch's
// API, nothing else. form-action 'none' is no hindrance: the component navigates by
// script.
func contentSecurityPolicy(apiBase string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self' " + styleHashes +
		"; img-src 'self'; connect-src " + apiBase +
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
}
