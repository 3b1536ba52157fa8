package auth

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// vectors are those of https://github.com/C2SP/wycheproof (Apache-2.0), by the module proxy.
// They are no requirement of this module: their package embeds 100 MB.
const vectors = "github.com/c2sp/wycheproof@v0.0.0-20260902155932-3fa63dd0344a"

// vectorFolder is where the module cache has them, which downloads 26 MB the first time.
var vectorFolder = sync.OnceValues(func() (string, error) {
	command := exec.Command("go", "mod", "download", "-json", vectors)
	command.Dir = os.TempDir() // in no module
	output, err := command.Output()
	var module struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(output, &module); jsonErr != nil || module.Error != "" || module.Dir == "" {
		return "", fmt.Errorf("the test vectors %s are not to be had: %v %s", vectors, err, module.Error)
	}
	return filepath.Join(module.Dir, "testvectors_v1"), nil
})

// vectorFile is one of their files.
type vectorFile struct {
	NumberOfTests int
	TestGroups    []struct {
		Private, Public json.RawMessage
		PublicKeyDer    string
		Tests           []struct {
			ID       int `json:"tcId"`
			JWS      json.RawMessage
			Msg, Sig string
			Result   string
		}
	}
}

func readVectors(t *testing.T, name, hash string) vectorFile {
	t.Helper()
	folder, err := vectorFolder()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	if got := sha256.Sum256(data); hex.EncodeToString(got[:]) != hash {
		t.Fatalf("%s is another file: SHA-256 %x", name, got)
	}
	var file vectorFile
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file
}

// verifyVector is form, header and signature without the policy on key ids and claims.
func verifyVector(token string, key *rsa.PublicKey) error {
	parts, err := splitCompact(token)
	if err != nil {
		return err
	}
	decoded, err := decodeParts(parts)
	if err != nil {
		return err
	}
	header, err := members(decoded.header)
	if err != nil {
		return err
	}
	if text(header["alg"]) != "RS256" || header["crit"] != nil {
		return invalid("alg or crit", "", "")
	}
	_, err = verifySignature(token, decoded.signature, key)
	return err
}

// vectorKey returns the key of a group. What the key set needs but many vectors leave out
// is filled in; what they say otherwise stays.
func vectorKey(t *testing.T, public, private json.RawMessage) []*rsa.PublicKey {
	t.Helper()
	if public == nil {
		public = private
	}
	var document map[string]any
	if err := json.Unmarshal(public, &document); err != nil {
		t.Fatal(err)
	}
	list, ok := document["keys"].([]any)
	if !ok {
		list = []any{document}
	}
	var keys []*rsa.PublicKey
	for _, element := range list {
		member := element.(map[string]any)
		for _, name := range []string{"d", "p", "q", "dp", "dq", "qi"} {
			delete(member, name)
		}
		member["kid"] = testKid
		if _, present := member["use"]; !present {
			member["use"] = "sig"
		}
		data, err := json.Marshal(member)
		if err != nil {
			t.Fatal(err)
		}
		if _, key, err := parseKey(data); err == nil {
			keys = append(keys, key)
		}
	}
	return keys
}

// The suite calls tcId 259 of the signature file valid: its payload is empty. Our gate
// wants three parts with something in each, so it is refused on purpose.
func TestWycheproofTokens(t *testing.T) {
	for _, tt := range []struct {
		name, hash string
		vectors    int
		accepted   []int
		unusable   []int // keys for PS512 or encryption, and with the ROCA fingerprint
	}{
		{"json_web_signature_test.json", "8e687a06fe8359f4ec51480f1a9f73c8faebd6f4c01b818b843b44eee54fd5d9", 401,
			[]int{33, 260, 261, 262, 263, 345, 349}, []int{332, 353, 355}},
		{"json_web_key_test.json", "be983255bce26406f97020ec5458b33930a90d5f868e604fcd569c300aba2862", 26, []int{5},
			[]int{7}},
		{"json_web_crypto_test.json", "dcd58ac9548a7d6173437a691e4cc307dcd3cec9fd814a39cd2a94531cf4f8ce", 83, []int{33},
			[]int{46}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := readVectors(t, tt.name, tt.hash)
			run, accepted := 0, []int{}
			for _, group := range file.TestGroups {
				keys := vectorKey(t, group.Public, group.Private)
				for _, vector := range group.Tests {
					run++
					if slices.Contains(tt.unusable, vector.ID) && len(keys) != 0 {
						t.Errorf("tcId %d: its key says that it is for something else, and is used", vector.ID)
					}
					token := string(vector.JWS)
					var text string
					if json.Unmarshal(vector.JWS, &text) == nil {
						token = text
					}
					if slices.ContainsFunc(keys, func(key *rsa.PublicKey) bool {
						return verifyVector(token,
							key) == nil
					}) {
						accepted = append(accepted, vector.ID)
					}
				}
			}
			if run != tt.vectors || file.NumberOfTests != tt.vectors {
				t.Errorf("%d vectors, the file says %d, want %d", run, file.NumberOfTests, tt.vectors)
			}
			t.Logf("%s: %d vectors, %d accepted", tt.name, run, len(accepted))
			if !slices.Equal(accepted, tt.accepted) {
				t.Errorf("accepted %v, want %v", accepted, tt.accepted)
			}
		})
	}
}

// The signatures below the tokens: what is acceptable elsewhere (tcId 8) is refused.
func TestWycheproofSignatures(t *testing.T) {
	for _, tt := range []struct {
		name, hash string
		valid      int
	}{
		{"rsa_signature_2048_sha256_test.json", "94a917b01ff50fb874cfc05bf29b4af44868d944a6558201cf18380da93fb393", 9},
		{"rsa_signature_3072_sha256_test.json", "0f5f18cabfaad3e2792e82f7e9882f8999049b456714de924b8a5e202f61ca43", 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := readVectors(t, tt.name, tt.hash)
			run, accepted := 0, 0
			for _, group := range file.TestGroups {
				der, err := hex.DecodeString(group.PublicKeyDer)
				if err != nil {
					t.Fatal(err)
				}
				public, err := x509.ParsePKIXPublicKey(der)
				if err != nil {
					t.Fatal(err)
				}
				for _, vector := range group.Tests {
					run++
					message, _ := hex.DecodeString(vector.Msg)
					signature, _ := hex.DecodeString(vector.Sig)
					hash := sha256.Sum256(message)
					ok := rsa.VerifyPKCS1v15(public.(*rsa.PublicKey), crypto.SHA256, hash[:], signature) == nil
					if ok != (vector.Result == "valid") {
						t.Errorf("tcId %d (%s): accepted %t", vector.ID, vector.Result, ok)
					}
					if ok {
						accepted++
					}
				}
			}
			t.Logf("%s: %d vectors, %d accepted", tt.name, run, accepted)
			if run != 259 || file.NumberOfTests != 259 || accepted != tt.valid {
				t.Errorf("%d vectors, %d accepted, want 259 and %d", run, accepted, tt.valid)
			}
		})
	}
}
