//go:build !production

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestTheEmulatorTakesClientsThatNobodyKnew: as guestpass dev and guestpass stytch start it, in both
// verticals, a client registers itself, or describes itself by a document on this machine.
func TestTheEmulatorTakesClientsThatNobodyKnew(t *testing.T) {
	var document string
	client := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, document)
	}))
	defer client.Close()
	id := client.URL + "/client.json"
	document = fmt.Sprintf(`{"client_id":%q,"redirect_uris":["http://127.0.0.1:1234/callback"],
		"token_endpoint_auth_method":"none"}`, id)
	for _, vertical := range []string{"b2b", "consumer"} {
		_, dev := development(t, "--vertical", vertical)
		for name, emulator := range map[string]string{"dev": dev, "stytch": emulatorAlone(t, "--vertical",
			vertical)["STYTCH_DOMAIN"]} {
			var metadata struct {
				Registration string `json:"registration_endpoint"`
				Documents    bool   `json:"client_id_metadata_document_supported"`
			}
			if err := json.Unmarshal([]byte(get(t, emulator+"/.well-known/oauth-authorization-server")),
				&metadata); err != nil ||
				metadata.Registration != emulator+"/v1/oauth2/register" || !metadata.Documents {
				t.Errorf("%s, %s: %v %+v", name, vertical, err, metadata)
			}
			seed := developmentSeed(vertical)
			path, person := "/v1/b2b/idp/oauth/authorize/start", ""
			if vertical == "b2b" {
				person = fmt.Sprintf(`"organization_id":%q,"member_id":%q`, seed.Organizations[0].ID,
					seed.Members[0].ID)
			} else {
				path, person = "/v1/idp/oauth/authorize/start", fmt.Sprintf(`"user_id":%q`, seed.Users[0].ID)
			}
			body := fmt.Sprintf(`{%s,"client_id":%q,"redirect_uri":"http://127.0.0.1:4321/callback"}`, person, id)
			request, err := http.NewRequest(http.MethodPost, emulator+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			request.SetBasicAuth(seed.Project.ID, seed.Project.Secret)
			request.Header.Set("Content-Type", "application/json")
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			reply, _ := io.ReadAll(response.Body)
			response.Body.Close()
			if response.StatusCode != http.StatusOK ||
				!strings.Contains(string(reply), `"client_type":"third_party_public"`) {
				t.Errorf("%s, %s: %d %s", name, vertical, response.StatusCode, reply)
			}
		}
	}
}
