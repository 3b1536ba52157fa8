package auth

import "slices"

// SessionOwner returns whose session JWT of the project it is. It goes by the signature alone and
// does not know whether the session has ended, so it admits nobody. It tells people whom Stytch has
// signed in at some time from visitors who make everything up. It never fetches keys.
func (v *Verifier) SessionOwner(jwt string) (subject, organization string, ok bool) {
	parts, err := splitCompact(jwt)
	if err != nil {
		return "", "", false
	}
	decoded, err := decodeParts(parts)
	if err != nil {
		return "", "", false
	}
	kid, err := v.checkHeader(decoded.header)
	keys := v.keys.current()
	if err != nil || keys == nil || keys.keys[kid] == nil {
		return "", "", false
	}
	payload, err := verifySignature(jwt, decoded.signature, keys.keys[kid])
	if err != nil {
		return "", "", false
	}
	object, err := members(payload)
	c := claims(object)
	if err != nil || !c.has(sessionClaim) || !slices.Contains(texts(c["aud"]), v.options.ProjectID) ||
		v.person(c) != nil {
		return "", "", false
	}
	organization, err = v.organization(c)
	return text(c["sub"]), organization, err == nil
}
