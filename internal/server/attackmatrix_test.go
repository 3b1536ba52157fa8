package server_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"guestpass/stytchtest"
)

// The rows of the attack matrix, as they are printed. Those of which TestAttackMatrix has
// no token name the test that has them.
var matrix = map[int]struct{ what, elsewhere string }{
	0:  {"the same rules in a Consumer project", ""},
	1:  {"alg none, no signature", ""},
	2:  {"alg None, NONE, nOnE", ""},
	3:  {"alg none, signature kept", ""},
	4:  {"HS256 with the public key", ""},
	5:  {"HS256 with the empty key", ""},
	6:  {"another algorithm with our kid", ""},
	7:  {"alg misspelt or of another kind", ""},
	8:  {"header member twice", ""},
	9:  {"unknown kid", ""},
	10: {"kid missing or of another kind", ""},
	11: {"kid as a path", ""},
	12: {"kid as code", ""},
	13: {"jku", ""},
	14: {"x5u, x5c, x5t", ""},
	15: {"embedded jwk", ""},
	16: {"crit", ""},
	17: {"b64", ""},
	18: {"typ of another kind", ""},
	19: {"nested token", ""},
	20: {"zip, JWE", ""},
	21: {"JSON serialization", ""},
	22: {"expired beyond the skew", ""},
	23: {"expired within the skew", ""},
	24: {"exp of another kind", ""},
	25: {"lives too long", ""},
	26: {"nbf", ""},
	27: {"iat", ""},
	28: {"iss", ""},
	29: {"iss of another project", ""},
	30: {"aud", ""},
	31: {"aud with more than ours", ""},
	32: {"aud as it may be", ""},
	33: {"sub", ""},
	34: {"ID token", ""},
	35: {"session JWT", ""},
	36: {"M2M token", ""},
	37: {"what is no JWT", ""},
	38: {"client_id", ""},
	39: {"scope of another kind", ""},
	40: {"scope lacks what is needed", ""},
	41: {"scope that only looks alike", ""},
	42: {"claim twice", ""},
	43: {"claim in another letter case", ""},
	44: {"size", ""},
	45: {"nesting", ""},
	46: {"UTF-8 and what follows the JSON", ""},
	47: {"ids with strange characters", ""},
	48: {"other spellings of a token", ""},
	49: {"unused bits, cut off", ""},
	50: {"revoked", "TestRevokingReachesEveryInstance"},
	51: {"member deactivated", "TestWhoIsGoneReadsForAMinuteAtMost"},
	52: {"member removed", "TestWhoIsGoneReadsForAMinuteAtMost"},
	53: {"another tenant's token", "TestNobodyReachesAnothersRecords, TestAttackForeignRequests"},
	54: {"organization", ""},
	55: {"same sub of another issuer", ""},
	56: {"two Authorization headers", ""},
	57: {"token in query, form, cookie", ""},
	58: {"scheme in another letter case", ""},
	59: {"malformed Authorization", ""},
	60: {"look-alike headers", ""},
	61: {"old kid during the overlap", ""},
	62: {"new published kid", "TestAttackKeysRotate"},
	63: {"10,000 unknown kids", "TestAttackFloodOfUnknownKeys"},
	64: {"rotation under a flood", "TestAttackFloodOfUnknownKeys"},
	65: {"key removed", "TestAttackKeysRotate"},
	66: {"keys away for a day", "TestAttackStytchAwayForADay"},
	67: {"keys never loaded", "TestAttackKeysNeverLoaded"},
	68: {"hostile key sets", "TestAttackHostileKeySets"},
	69: {"hostile key bodies", "TestAttackHostileKeySets"},
	70: {"clock", "TestAttackClock"},
	71: {"1,000 first requests", "TestAttackAThousandColdRequests"},
	72: {"refusals look alike", "TestAttackMatrix, which compares them all"},
}

// TestAttackMatrix sends every token of the attack matrix to the assembled server, each
// beside the good token that it was made of.
func TestAttackMatrix(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	foreign := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = io.WriteString(w, keySet(jwk("attacker", foreignKey()), jwk(ownKid, foreignKey())))
	}))
	defer foreign.Close()
	tallies := map[int]*tally{}
	a := newTarget(t, ada, stytchtest.Development())
	attacks := slices.Concat(a.algorithmAttacks(), a.headerAttacks(foreign.URL), a.formAttacks(), a.claimAttacks(),
		a.kindAttacks(), a.requestAttacks())
	a.try(t, attacks, tallies)
	consumer := newTarget(t, userAda, stytchtest.DevelopmentConsumer())
	consumer.try(t, consumer.consumerAttacks(), tallies)

	if n := asked.Load(); n != 0 {
		t.Errorf("%d requests went to the host that tokens named", n)
	}
	a.logIsIntact(t)
	total := report(t, tallies)
	if total.tried < 250 || total.wrong != 0 {
		t.Errorf("%d tokens, %d wrongly accepted, want 250 at least and none", total.tried, total.wrong)
	}
	// One for the first token, one for all those with unknown key ids: the clock stands still.
	if n := a.fetched(); n != 2 {
		t.Errorf("%d fetches of the keys, want 2", n)
	}
}

// consumerAttacks returns what is different in a Consumer project.
func (a *target) consumerAttacks() (list []attack) {
	organization := object{"organization_id": acme, "slug": "acme"}
	list = append(list, a.each(0, organizationClaim, invalidToken, organization, nil, object{}, "")...)
	list = append(list, a.each(0, "sub", invalidToken, ada, "m2m-client-test-1", "user-live-1", "user-test-",
		removed)...)
	for what, claims := range map[string]object{
		"B2B token": {"sub": ada, organizationClaim: organization},
		"token of the B2B project": {"sub": ada, organizationClaim: organization,
			"aud": []string{stytchtest.Development().Project.ID},
			"iss": "stytch.com/" + stytchtest.Development().Project.ID},
	} {
		list = append(list, attack{what: what, want: invalidToken, token: a.bad(claims)})
	}
	for _, kind := range []string{"session", "id"} {
		list = append(list, attack{what: kind + " token", want: invalidToken,
			token: a.mint(stytchtest.MintRequest{Kind: kind, Subject: userAda})})
	}
	return append(list, attack{what: "access token", want: accepted,
		token: a.mint(stytchtest.MintRequest{Subject: userAda, Scopes: []string{"tasks:read"}})})
}

// logIsIntact wants every line to be one record, whatever stood in a header.
func (a *target) logIsIntact(t *testing.T) {
	t.Helper()
	lines := bufio.NewScanner(strings.NewReader(a.log.String()))
	for lines.Scan() {
		var record map[string]any
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil || record["msg"] == "injected" {
			t.Errorf("the log has the line %s", lines.Text())
		}
	}
}

// report prints one line a row, and wants every row to be somewhere.
func report(t *testing.T, tallies map[int]*tally) (total tally) {
	t.Helper()
	fmt.Fprintf(t.Output(), "row  %-34s %6s %8s %9s %17s\n", "", "tried", "refused", "admitted", "wrongly accepted")
	for _, row := range slices.Sorted(maps.Keys(matrix)) {
		count := tallies[row]
		switch {
		case count != nil:
			fmt.Fprintf(t.Output(), "%02d   %-34s %6d %8d %9d %17d\n", row, matrix[row].what, count.tried,
				count.refused, count.admitted, count.wrong)
			total = tally{total.tried + count.tried, total.refused + count.refused, total.admitted + count.admitted,
				total.wrong + count.wrong}
		case matrix[row].elsewhere != "":
			fmt.Fprintf(t.Output(), "%02d   %-34s see %s\n", row, matrix[row].what, matrix[row].elsewhere)
		default:
			t.Errorf("row %02d has no token", row)
		}
	}
	fmt.Fprintf(t.Output(), "     %-34s %6d %8d %9d %17d\n", "in all", total.tried, total.refused, total.admitted,
		total.wrong)
	return total
}
