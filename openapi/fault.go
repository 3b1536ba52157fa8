package openapi

import (
	"fmt"
	"strings"
)

// A Fault is one thing that the GPT editor, the Actions runtime or another importer
// would not take, or would take badly.
type Fault struct {
	Rule    string // G032
	Place   string // GET /api/v1/members, parameter limit
	Problem string // what is wrong
	Remedy  string // what to write instead
}

// String returns one line, such as
//
//	G032 GET /api/v1/x: description has 321 characters, at most 300: shorten it
func (f Fault) String() string {
	return fmt.Sprintf("%s %s: %s: %s", f.Rule, f.Place, f.Problem, f.Remedy)
}

// Faults are all the faults of one document. It is the error that [New] returns.
type Faults []Fault

// Error lists the faults one a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// report collects what is found while a document is made.
type report struct {
	faults   Faults
	warnings []Fault
	notes    []string
}

func (r *report) fault(rule string, at fmt.Stringer, problem, remedy string) {
	r.faults = append(r.faults, Fault{Rule: rule, Place: at.String(), Problem: problem, Remedy: remedy})
}

func (r *report) warn(rule string, at fmt.Stringer, problem, remedy string) {
	r.warnings = append(r.warnings, Fault{Rule: rule, Place: at.String(), Problem: problem, Remedy: remedy})
}

func (r *report) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// A place says where in the declarations something stands, in the words of someone
// who wrote them.
type place struct {
	operation string // "GET /api/v1/members", or "document"
	part      string // "parameter limit", "body", "response 200"; may be empty
	path      string // below that part: "address.lines[]"; may be empty
}

func (p place) String() string {
	switch {
	case p.part == "":
		return p.operation
	case p.path == "":
		return p.operation + ", " + p.part
	}
	return p.operation + ", " + p.part + " property " + p.path
}

func (p place) in(part string) place { return place{operation: p.operation, part: part} }

func (p place) property(name string) place {
	if p.path != "" {
		name = p.path + "." + name
	}
	p.path = name
	return p
}

// items returns the place of an array's elements.
func (p place) items() place {
	if p.path == "" {
		p.part += "[]"
	} else {
		p.path += "[]"
	}
	return p
}
