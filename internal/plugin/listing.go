package plugin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// A Listing is what a person says in listing.json, under the names of OpenAI's manifest. What is left out, or empty,
// follows from the server where it can.
type Listing struct {
	Name             string `json:"name,omitempty"`    // of the plugin; fixed once it is published
	Version          string `json:"version,omitempty"` // each submission needs a new one
	DisplayName      string `json:"displayName,omitempty"`
	ShortDescription string `json:"shortDescription,omitempty"`
	LongDescription  string `json:"longDescription,omitempty"`
	DeveloperName    string `json:"developerName,omitempty"`
	DeveloperEmail   string `json:"developerEmail,omitempty"`
	Category         string `json:"category,omitempty"`

	WebsiteURL        string `json:"websiteURL,omitempty"`
	SupportURL        string `json:"supportURL,omitempty"`
	PrivacyPolicyURL  string `json:"privacyPolicyURL,omitempty"`
	TermsOfServiceURL string `json:"termsOfServiceURL,omitempty"`
	DemoRecordingURL  string `json:"demoRecordingURL,omitempty"`

	DefaultPrompt  []string `json:"defaultPrompt,omitempty"` // starters of a conversation
	BrandColor     string   `json:"brandColor,omitempty"`
	BrandColorDark string   `json:"brandColorDark,omitempty"`

	// Names of files in the folder of listing.json.
	Logo             string   `json:"logo,omitempty"`
	LogoDark         string   `json:"logoDark,omitempty"`
	ComposerIcon     string   `json:"composerIcon,omitempty"`
	ComposerIconDark string   `json:"composerIconDark,omitempty"`
	Screenshots      []string `json:"screenshots,omitempty"`

	Countries    []string `json:"countries,omitempty"` // none: everywhere
	ReleaseNotes string   `json:"releaseNotes,omitempty"`

	// For Claude's directory.
	License     string `json:"license,omitempty"`     // as SPDX names it
	LicenseFile string `json:"licenseFile,omitempty"` // its text

	Cases Cases `json:"test_cases,omitzero"` // in place of those that are made of the operations

	// Justifications are texts by tool and hint, such as destructiveHint, in place of those that are made.
	Justifications map[string]map[string]string `json:"justifications,omitempty"`
}

// maxListing bounds what is read.
const maxListing = 256 << 10

// ReadListing reads a listing.json. Its error says where it is wrong.
func ReadListing(r io.Reader) (l Listing, err error) {
	text, err := io.ReadAll(io.LimitReader(r, maxListing+1))
	if err != nil {
		return l, err
	}
	if len(text) > maxListing {
		return l, fmt.Errorf("it has more than %d bytes", maxListing)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&l); err != nil {
		return l, inWords(err, text, decoder.InputOffset())
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return l, errors.New("something follows the object")
	}
	return l, nil
}

// inWords returns an error of the decoder, which speaks of Go's types, for the person who wrote the text.
func inWords(err error, text []byte, at int64) error {
	message := strings.TrimPrefix(err.Error(), "json: ")
	syntax, kind := new(json.SyntaxError), new(json.UnmarshalTypeError)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		at, message = int64(len(text)), "it ends before the object does"
	case errors.As(err, &syntax):
		at = syntax.Offset
	case errors.As(err, &kind):
		at, message = kind.Offset, wanted(kind.Field)
	}
	line := 1 + bytes.Count(text[:min(at, int64(len(text)))], []byte("\n"))
	return fmt.Errorf("line %d: %s", line, message)
}

// wanted says what a member of the listing must be, by its path, such as test_cases.positive.
func wanted(path string) string {
	is, name := reflect.TypeFor[Listing](), "it"
	for _, step := range strings.Split(path, ".") {
		for is.Kind() == reflect.Slice {
			is = is.Elem()
		}
		if is.Kind() != reflect.Struct {
			break // the names in a map are the person's own
		}
		for i := range is.NumField() {
			if member, _, _ := strings.Cut(is.Field(i).Tag.Get("json"), ","); member == step {
				is, name = is.Field(i).Type, step
				break
			}
		}
	}
	switch {
	case name == "tools_triggered":
		return name + " must be one text, names separated by commas"
	case is.Kind() == reflect.String:
		return name + " must be one text"
	case is == reflect.TypeFor[[]string]():
		return name + " must be a list of texts"
	case is.Kind() == reflect.Slice:
		return name + " must be a list of objects"
	case name == "justifications":
		return name + " must be an object of tools, each with an object of hints and their texts"
	}
	return name + " must be an object"
}

// EmptyListing returns a listing.json with what only a person can give, to be filled in.
func EmptyListing() []byte {
	return []byte(`{
  "version": "1.0.0",
  "developerName": "",
  "category": "Productivity",
  "defaultPrompt": [],
  "screenshots": [],
  "supportURL": "",
  "termsOfServiceURL": "",
  "demoRecordingURL": "",
  "logo": "",
  "license": "",
  "licenseFile": ""
}
`)
}

// maxMadeName is the longest name that is made of a title. The skill has the same one, and both together must fit.
const maxMadeName = 30

// complete returns the listing with what follows from the server in place of what nobody has said.
func (l Listing) complete(a about, starters []string) Listing {
	def := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	def(&l.Name, nameOf(a.Title))
	def(&l.Version, "1.0.0")
	def(&l.DisplayName, a.Title)
	def(&l.ShortDescription, cut("Act in "+l.DisplayName, maxShort))
	def(&l.LongDescription, cut(a.Description, maxLong))
	def(&l.Category, "Productivity")
	def(&l.WebsiteURL, a.publicURL)
	def(&l.PrivacyPolicyURL, a.PrivacyURL)
	def(&l.ReleaseNotes, "Version "+l.Version+" of "+l.DisplayName+".")
	if l.Countries == nil {
		l.Countries = []string{}
	}
	if len(l.DefaultPrompt) == 0 {
		for _, starter := range starters {
			if len(l.DefaultPrompt) < maxPrompts && length(starter) <= maxPrompt {
				l.DefaultPrompt = append(l.DefaultPrompt, starter)
			}
		}
	}
	return l
}

// nameOf returns a title as packages are named.
func nameOf(title string) string {
	words := strings.FieldsFunc(strings.ToLower(title), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	name := ""
	for _, word := range words {
		if longer := strings.TrimPrefix(name+"-"+word, "-"); len(longer) <= maxMadeName {
			name = longer
		}
	}
	if name == "" {
		return "guestpass"
	}
	return name
}
