package credentials_test

import (
	"strings"
	"testing"

	"guestpass/internal/credentials"
)

func TestMask(t *testing.T) {
	const jws = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZW1iZXIifQ.c2lnbmF0dXJl"
	const organization = "organization-test-aaaaaaaa-0000-4000-8000-000000000001"
	const function = "guestpass/api.TestThatANameOfAFunctionMayBeLongerThanFortyLetters("
	const addresses = "https://example.com/docs, name@example.com"
	const signature = "Ab3dEf6hIj-lMn0pQr5tUv_xYz1bCd3fGh5jKl7n-Pq9sTu1wXy3zAb5dEf"
	for text, want := range map[string]string{
		"": "", "/api/v1/tasks/task_abc": "/api/v1/tasks/task_abc", "eyJ": "eyJ", "they eyJoke.": "they eyJoke.",
		"member-test-aaaaaaaa-0000-4000-8000-000000000001": "member-test-aaaaaaaa-0000-4000-8000-000000000001",
		"connected-app-live-AAAAAAAA":                      "connected-app-live-AAAAAAAA",
		organization:                                       organization,
		jws:                                                "[token]",
		"/api/v1/tasks/" + jws + "/undo":                   "/api/v1/tasks/[token]/undo",
		"Bearer " + jws + ", " + jws + ".":                 "Bearer [token]",
		"access_token_" + jws:                              "access_token_[token]",
		jws[:30]:                                           "[token]", // cut
		strings.ReplaceAll(jws, ".", "%2E"):                "[token]%2Ec2lnbmF0dXJl",

		jws[:30] + "%20" + signature[:20] + "/" + signature[20:40] + "%0A" + signature[40:] + "/undo": "[token]/undo",
		jws[:20] + "\n" + signature[:30] + "\n  " + signature[30:]:                                    "[token]",
		strings.ReplaceAll(signature, "-", "%2D"):                                                     "[token]",
		"?" + strings.ReplaceAll(signature, "-", "%252d") + "=1":                                      "?[token]=1",

		"x." + strings.Repeat("aB3", 14) + ".y": "x.[token].y",
		strings.Repeat("a", 50):                 strings.Repeat("a", 50),

		"dial postgres://me:hun/ter@2@db.example/x": "dial postgres://[credentials]@db.example/x",
		`parse "https://ghp@exa mple/": invalid`:    `parse "https://[credentials]@exa mple/": invalid`,
		addresses:                                   addresses,
		function:                                    function,
	} {
		if got := credentials.Mask(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
