package stytchtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"
)

// ReadSeed reads a seed from a YAML or JSON file; the names are those of the JSON of
// [Seed], and unknown ones are refused. Errors name the file.
func ReadSeed(path string) (Seed, error) {
	data, err := os.ReadFile(path) // #nosec G304 -- the caller names the file
	if err != nil {
		return Seed{}, fmt.Errorf("stytchtest: read the seed: %w", err)
	}
	seed, err := parseSeed(data)
	if err == nil {
		err = seed.check()
	}
	if err != nil {
		return Seed{}, fmt.Errorf("stytchtest: seed %s: %w", path, err)
	}
	return seed, nil
}

// parseSeed takes YAML by way of JSON, which is YAML as well.
func parseSeed(data []byte) (seed Seed, err error) {
	var document any
	if err := yaml.Unmarshal(data, &document); err != nil {
		return seed, err
	}
	data, err = json.Marshal(document)
	if err != nil {
		return seed, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(&seed)
	return seed, err
}

var redirectTypes = []string{"LOGIN", "SIGNUP", "INVITE", "RESET_PASSWORD", "DISCOVERY"}

// RedirectURLs makes SDK redirect URLs that are good for every type, the first the default.
func RedirectURLs(urls ...string) []RedirectURL {
	list := []RedirectURL{}
	for i, u := range urls {
		entry := RedirectURL{URL: u}
		for _, kind := range redirectTypes {
			entry.Types = append(entry.Types, RedirectURLType{Type: kind, Default: i == 0})
		}
		list = append(list, entry)
	}
	return list
}

// UnmarshalJSON admits a plain string, which stands for a URL of every type.
func (u *RedirectURL) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*u = RedirectURLs(text)[0]
		return nil
	}
	type plain RedirectURL
	return json.Unmarshal(data, (*plain)(u))
}
