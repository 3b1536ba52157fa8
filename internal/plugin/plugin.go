// Package plugin makes the packages in which assistants take a server's tools: OpenAI's, for the portal and for Codex,
// and Claude's. Everything in them follows from the published operations and from what a person says in listing.json;
// the same input gives the same bytes. It checks the package as the portal does, under the portal's own names of errors
// (reference: developers.openai.com/plugins/deploy/submission-errors), and lists what only a person can give.
//
// It contacts nobody: whether the server can be reached, and what a reviewer makes of it, it does not know.
package plugin

import (
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"
)

// Options are what a package is made of.
type Options struct {
	URL      string   // of the tools
	Document []byte   // the published one, of the tools alone
	Tools    []byte   // the result of tools/list
	Order    []string // ids of operations, as they are declared
	Undoes   []string // ids of those that take back what others have done
	Skill    string   // what a model is told, in markdown
	Starters []string // questions that open a conversation

	Password  bool   // people can sign in with one
	Challenge bool   // the server answers with a token of the portal
	Consumer  bool   // people belong to no organization
	Described bool   // the document's description is a person's own, and not made of the operations
	AppURL    string // page that the widgets' link opens; "": the server's page /account

	Listing Listing
	Files   fs.FS // has the files that the listing names
}

// A Package is what is written.
type Package struct {
	Name, Version string
	Files         map[string][]byte // by path
	Archive       string            // path of the ZIP for the portal; it is among the files unless that is refused
	Refused       []Finding         // what the portal refuses
	Objections    []Finding         // what the people who review it may object to
	Missing       []Finding         // what only a person can give
}

// A Finding is something that a person must change or give.
type Finding struct {
	Name  string // of the error at OpenAI; "" where none is known
	Place string // the member of listing.json, the setting, or the tool
	Text  string // what is wrong or wanted, and what to do
}

func (f Finding) String() string {
	if f.Name == "" {
		return f.Place + ": " + f.Text
	}
	return f.Name + ": " + f.Place + " " + f.Text
}

// Folders of the two packages; both are also marketplaces, from which the assistants' programs install.
const (
	openAIFolder = "openai"
	claudeFolder = "claude"
	// ListingFile is what a person fills in.
	ListingFile = "listing.json"
	// ReviewFile has what the portal's forms ask.
	ReviewFile = "REVIEW.md"
	// FormFile says the same for the form that takes a file.
	FormFile = "chatgpt-app-submission.json"
)

// maker has what the parts of a package share.
type maker struct {
	Options
	about   about
	listing Listing // with everything that follows from the options
	tools   []*tool // in the order in which they were declared
	images  map[string][]byte
	cases   Cases
	pkg     *Package
}

// New makes the package. Its error says what makes it impossible to make one at all.
func New(o Options) (*Package, error) {
	about, tools, err := read(o)
	if err != nil {
		return nil, err
	}
	if !o.Described && o.Listing.LongDescription != "" { // a person's words say more than a list of operations
		about.Description = o.Listing.LongDescription
	}
	m := &maker{Options: o, about: about, tools: tools, listing: o.Listing.complete(about, o.Starters),
		images: map[string][]byte{}}
	m.pkg = &Package{Name: m.listing.Name, Version: m.listing.Version, Files: map[string][]byte{},
		Archive: m.listing.Name + "-" + m.listing.Version + ".zip"}
	m.readImages()
	if m.cases = m.listing.Cases; m.cases.none() {
		m.cases = casesOf(about.Title, tools)
	}
	m.check()
	m.checkClaims()
	m.missing()
	if !nameForm.MatchString(m.pkg.Name) || !isVersion(m.pkg.Version) { // which names of files are made of
		return m.pkg, nil
	}
	if err := m.write(); err != nil {
		return nil, err
	}
	return m.pkg, nil
}

// write makes the files, and the archive unless it would be refused.
func (m *maker) write() error {
	own, err := m.openAI()
	if err != nil {
		return err
	}
	if err := m.claude(); err != nil {
		return err
	}
	if err := m.review(); err != nil {
		return err
	}
	if len(m.pkg.Refused) > 0 {
		return nil
	}
	archive, err := zipped(own)
	m.pkg.Files[m.pkg.Archive] = archive
	return err
}

// Folders returns the folders that have nothing but files of a package.
func (p *Package) Folders() []string { return []string{openAIFolder, claudeFolder} }

// Names returns the paths of the files, in order.
func (p *Package) Names() []string {
	names := make([]string, 0, len(p.Files))
	for name := range p.Files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (m *maker) refuse(name, place, text string) {
	m.pkg.Refused = append(m.pkg.Refused, Finding{name, place, text})
}

func (m *maker) object(place, text string) {
	m.pkg.Objections = append(m.pkg.Objections, Finding{"", place, text})
}

func (m *maker) want(place, text string) {
	m.pkg.Missing = append(m.pkg.Missing, Finding{"", place, text})
}

// length counts as people do: code points.
func length(text string) int { return utf8.RuneCountInString(text) }

// cut keeps at most limit code points.
func cut(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return strings.TrimRight(string(runes[:limit-1]), " ") + "…"
	}
	return text
}

func lowerFirst(text string) string {
	_, size := utf8.DecodeRuneInString(text)
	return strings.ToLower(text[:size]) + text[size:]
}
