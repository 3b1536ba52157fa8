//go:build !production

package cli

import (
	"slices"
	"strings"
	"unicode"

	"guestpass/gpttest"
)

// effect is what an operation does, as far as its document tells: method, names and
// declared answers. guestpass try calls operations in this order.
type effect int

const (
	lists    effect = iota // reads, and needs no identifier
	creates                // makes something new
	reads                  // reads what an identifier names
	changes                // acts on something that exists
	removes                // takes something away
	restores               // brings it back
	undoes                 // takes back something that was done
)

// Words of operation names. Another word in removing makes guestpass try more careful: it then calls the operation on
// nothing but what it made itself.
var (
	removing = strings.Fields("delete remove destroy purge erase drop revoke cancel deactivate disable clear reset " +
		"wipe discard terminate archive trash ban block kick uninstall unlink detach leave close expire invalidate " +
		"void prune truncate empty withdraw suspend unsubscribe unpublish logout")
	deleting  = strings.Fields("delete remove destroy purge erase drop wipe discard")
	restoring = strings.Fields("restore undelete recover unarchive reactivate reopen unsuspend")
	undoing   = strings.Fields("undo revert rollback")
	creating  = strings.Fields("create add new insert invite register post upload submit write save keep import " +
		"book schedule issue open start make copy duplicate clone send")
	reading = strings.Fields("get list search find query lookup count check validate preview read show")
	// perhapsOld are words of operations that may answer with something that was there.
	perhapsOld = strings.Fields("or ensure upsert sync find get lookup search login match resolve")
	nounsToo   = strings.Fields("book issue schedule copy import post list show trash block") // among the verbs
	joining    = strings.Fields("for to in of by with from on at into")
	versions   = strings.Fields("version etag revision rev lockversion ifmatch")
	repeating  = strings.Fields("requestid clientrequestid idempotencykey idempotencyid clienttoken requesttoken")
	// of an id that names nothing here
	unnamed = strings.Fields("request idempotency correlation trace external nonce")
	// leading are words before the kind in the name of an argument: into_shelf_id, parentTaskId.
	leading  = append(strings.Fields("new old target source destination parent previous next other"), joining...)
	wrappers = strings.Fields("data item items result results record records value values entry entries row rows " +
		"content contents list page object response payload body")
)

// planned is an operation and how guestpass try goes about it.
type planned struct {
	gpttest.Operation
	effect
	words    []string     // of its name, in lower case
	subjects []string     // kinds of things that its answer may be about, the likeliest first
	needs    []identifier // parts, which need more of them, are removed before the whole
	stale    bool         // something may have changed since it was called
}

func (p *planned) writes() bool { return p.effect != lists && p.effect != reads }

// identifier is an argument that names something.
type identifier struct {
	gpttest.Argument
	kind string // of thing: "task"
	own  bool   // names what the operation itself is about: an upsert may overwrite that
}

func (i identifier) is(other identifier) bool { return i.Name == other.Name }

// plan orders all operations.
func plan(operations []gpttest.Operation) (all []*planned) {
	for _, op := range operations {
		p := &planned{Operation: op, words: words(op.ID)}
		p.effect = effectOf(op, p.words, operations)
		p.addNeeds()
		if p.effect == reads && len(p.needs) == 0 {
			p.effect = lists
		}
		p.subjects = subjects(p)
		all = append(all, p)
	}
	slices.SortStableFunc(all, inOrder)
	return all
}

// addNeeds finds the identifiers: those of the path in its order, then the others.
func (p *planned) addNeeds() {
	about := p.about()
	for _, a := range p.Arguments {
		kind, ok := kindOf(p.Operation, a)
		if a.In != "path" && a.Required && len(a.Enum) == 0 && p.isBare(a.Name) {
			kind, ok = about, true
		}
		if !ok {
			continue
		}
		p.needs = append(p.needs, identifier{a, kind, a.In != "path" && p.isBare(a.Name) || kind == about})
	}
	position := func(i identifier) int {
		if i.In != "path" {
			return len(p.Path)
		}
		return strings.Index(p.Path, "{"+i.Name+"}")
	}
	slices.SortStableFunc(p.needs, func(a, b identifier) int { return position(a) - position(b) })
}

// isBare reports whether a name is that of an identifier and does not say of which kind.
func (p *planned) isBare(name string) bool {
	kind, ok := identified(name)
	return ok && kind == "" || p.writes() && plain(name) == "key"
}

// about returns the kind of thing that the operation itself is about, if that can be seen: that of the identifier at
// the end of the path, else what its name speaks of.
func (p *planned) about() string {
	for _, a := range p.Arguments {
		if a.In == "path" && strings.HasSuffix(p.Path, "{"+a.Name+"}") {
			kind, _ := kindOf(p.Operation, a)
			return kind
		}
	}
	if spoken := nouns(p.words); len(p.words) > 1 {
		return spoken[len(spoken)-1]
	}
	return ""
}

func inOrder(a, b *planned) int {
	switch {
	case a.effect != b.effect:
		return int(a.effect - b.effect)
	case a.effect == creates:
		return len(a.needs) - len(b.needs)
	case a.effect == removes && a.deletes() != b.deletes(): // what only takes away goes first
		return map[bool]int{false: -1, true: 1}[a.deletes()]
	case a.effect == removes:
		return len(b.needs) - len(a.needs)
	}
	return 0
}

func effectOf(op gpttest.Operation, name []string, all []gpttest.Operation) effect {
	last := words(lastSegment(op.Path))
	verbs := slices.Concat(name, last)
	if op.Method == "GET" && len(name) > 1 {
		verbs = []string{name[0], name[len(name)-1]} // listDeletedTasks removes nothing
	}
	first := words(op.Summary)
	removesIt := op.Method == "DELETE" || anyOf(verbs, removing) ||
		op.Method != "GET" && len(first) > 0 && slices.Contains(removing, strings.TrimSuffix(first[0], "s"))
	switch {
	case op.Method == "GET" && !removesIt && !op.Consequential:
		return reads
	case op.Method == "POST" && anyOf(verbs, undoing):
		return undoes
	case op.Method != "DELETE" && anyOf(verbs, restoring):
		return restores
	case removesIt:
		return removes
	case op.Method == "POST" && !op.Consequential && len(name) > 0 && slices.Contains(reading, name[0]):
		return reads
	case op.Method == "POST" && createsSomething(op, name, all):
		return creates
	}
	return changes
}

// createsSomething reports whether an operation creates something. It decides by the status 201, by the name, or by the
// other operations of the document: what is listed or found under the same path is created there.
func createsSomething(op gpttest.Operation, name []string, all []gpttest.Operation) bool {
	if op.Declares(201) || len(name) > 0 && slices.Contains(creating, name[0]) {
		return true
	}
	return slices.ContainsFunc(all, func(other gpttest.Operation) bool {
		rest, below := strings.CutPrefix(other.Path, op.Path)
		return below && (rest == "" && other.Method == "GET" || strings.HasPrefix(rest, "/{") &&
			strings.Count(rest, "/") == 1)
	})
}

// makes reports whether what the answer names is certainly new.
func (p *planned) makes() bool { return p.effect == creates && !anyOf(p.words, perhapsOld) }

func (p *planned) deletes() bool {
	return p.Method == "DELETE" || anyOf(slices.Concat(p.words, words(lastSegment(p.Path))), deleting)
}

// main returns the identifiers of what the operation acts on: the last of the path, or all of the body or query.
func (p *planned) main() []identifier {
	for i := len(p.needs) - 1; i >= 0; i-- {
		if p.needs[i].In == "path" {
			return p.needs[i : i+1]
		}
	}
	return p.needs
}

// subjects returns what the last part of the path and the name of the operation speak of.
func subjects(p *planned) (kinds []string) {
	add := func(kind string) {
		if kind != "" && !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	if main := p.main(); p.effect > reads && len(main) > 0 {
		add(main[len(main)-1].kind)
	}
	segments := strings.Split(strings.Trim(p.Path, "/"), "/")
	for i := len(segments) - 1; i >= 0; i-- {
		if !strings.HasPrefix(segments[i], "{") {
			for _, noun := range nouns(words(segments[i])) {
				add(noun)
			}
			break
		}
	}
	for _, noun := range nouns(p.words) {
		add(noun)
	}
	return kinds
}

// nouns returns what a name speaks of, after its verb: "task comment" and "comment" of addTaskComment, "user" of
// createUserForOrganization.
func nouns(name []string) []string {
	switch {
	case len(name) < 2:
	case isVerb(name[len(name)-1]) && !slices.Contains(nounsToo, name[len(name)-1]) &&
		(!isVerb(name[0]) || slices.Contains(nounsToo, name[0])): // noteCreate, bookDrop
		name = name[:len(name)-1]
	case isVerb(name[0]):
		name = name[1:]
	}
	if i := slices.IndexFunc(name, func(word string) bool { return slices.Contains(joining, word) }); i > 0 {
		name = name[:i]
	}
	if len(name) == 0 {
		return nil
	}
	return []string{singular(strings.Join(name, "")), singular(name[len(name)-1])}
}

func isVerb(word string) bool {
	return slices.Contains(creating, word) || slices.Contains(reading, word) || slices.Contains(removing, word) ||
		slices.Contains([]string{"update", "change", "edit", "set", "patch", "put", "upsert", "replace", "store"}, word)
}

// kindOf says what kind of thing an argument names, if it names one that has to be known:
// task of task_id, and of id and slug in /tasks/{id} and /tasks/{slug}. Arguments that may
// be left out are left out.
func kindOf(op gpttest.Operation, a gpttest.Argument) (string, bool) {
	kind, named := identified(a.Name)
	for parts := words(a.Name); named && len(parts) > 2 && slices.Contains(leading, parts[0]); {
		parts = parts[1:]
		kind = singular(strings.Join(parts[:len(parts)-1], ""))
	}
	if a.In != "path" {
		return kind, named && kind != "" && a.Required && len(a.Enum) == 0 && a.Type != "object" && a.Type != "boolean"
	}
	if len(a.Enum) > 0 || a.Type == "boolean" || a.Format == "date" || a.Format == "date-time" {
		return "", false
	}
	if named && kind != "" {
		return kind, true
	}
	before, _, _ := strings.Cut(op.Path, "{"+a.Name+"}")
	for _, segment := range slices.Backward(strings.Split(before, "/")) {
		if segment != "" && !strings.HasPrefix(segment, "{") {
			return singular(strings.Join(words(segment), "")), true
		}
	}
	return "", true
}

// identified reports whether a name is that of an identifier, and of what kind of thing;
// the kind is empty for a plain id.
func identified(name string) (kind string, ok bool) {
	parts := words(name)
	if len(parts) == 0 || !slices.Contains([]string{"id", "ids", "uuid", "uuids", "guid"}, parts[len(parts)-1]) {
		return "", false
	}
	if len(parts) > 1 && slices.Contains(unnamed, parts[len(parts)-2]) {
		return "", false
	}
	return singular(strings.Join(parts[:len(parts)-1], "")), true
}

// words splits a name at capitals and at everything that is no letter.
func words(name string) (parts []string) {
	var part []rune
	end := func() {
		if len(part) > 0 {
			parts, part = append(parts, strings.ToLower(string(part))), nil
		}
	}
	letters := []rune(name)
	for i, r := range letters {
		switch {
		case !unicode.IsLetter(r):
			end()
			continue
		case unicode.IsUpper(r) && i > 0 && (unicode.IsLower(letters[i-1]) || i+1 < len(letters) &&
			unicode.IsLower(letters[i+1]) && unicode.IsUpper(letters[i-1])):
			end()
		}
		part = append(part, r)
	}
	end()
	return parts
}

// plain returns a name without case and separators, for comparing.
func plain(name string) string { return strings.Join(words(name), "") }

var irregular = map[string]string{"people": "person", "children": "child", "shelves": "shelf",
	"bookshelves": "bookshelf", "leaves": "leaf",
	"halves": "half", "lives": "life", "knives": "knife", "wolves": "wolf", "loaves": "loaf", "movies": "movie",
	"cookies": "cookie",
	"series":  "series", "statuses": "status", "indices": "index", "matrices": "matrix", "vertices": "vertex"}

// singular returns the singular of a word, well enough to compare the names of a document with each other.
func singular(word string) string {
	if one := irregular[word]; one != "" {
		return one
	}
	switch {
	case strings.HasSuffix(word, "ies"):
		return strings.TrimSuffix(word, "ies") + "y"
	case strings.HasSuffix(word, "ss"), strings.HasSuffix(word, "us"), strings.HasSuffix(word, "is"):
		return word
	}
	for _, ending := range []string{"sses", "xes", "ches", "shes"} {
		if strings.HasSuffix(word, ending) {
			return strings.TrimSuffix(word, "es")
		}
	}
	return strings.TrimSuffix(word, "s")
}

func lastSegment(path string) string {
	segment := path[strings.LastIndex(path, "/")+1:]
	if strings.HasPrefix(segment, "{") {
		return ""
	}
	return segment
}

func anyOf(some, of []string) bool {
	return slices.ContainsFunc(some, func(word string) bool { return slices.Contains(of, word) })
}
