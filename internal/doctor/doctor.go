// Package doctor finds out what keeps people and assistants from connecting, and says of each check what was found,
// what was expected, and what to do about it. Its checks are tables: those of this package look from inside, with a
// server's settings, those of package outside with nothing but its URL.
//
// It only reads. It does not know where settings come from, who is told of what it finds, or what comes of it.
package doctor

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"guestpass/internal/credentials"
)

// A Severity says what a finding means.
type Severity string

// The severities, the worst last.
const (
	OK      Severity = "ok"
	Skipped Severity = "skipped" // not looked at; the finding says why
	Warning Severity = "warning" // some people or assistants may be kept out, or more is allowed than is meant
	Unknown Severity = "unknown" // it could not be looked at now; it may be later
	Error   Severity = "error"   // people or assistants are kept out
	Fatal   Severity = "fatal"   // a server must not go on
)

var severities = []Severity{OK, Skipped, Warning, Unknown, Error, Fatal}

// A Finding is what one check found. It never holds a secret.
type Finding struct {
	Check    string   `json:"check"`
	Severity Severity `json:"severity"`
	Found    string   `json:"found"`
	Expected string   `json:"expected,omitempty"`
	Remedy   string   `json:"remedy,omitempty"` // which setting or page of the dashboard, and what to do there
}

// String returns the finding without its severity, as a line.
func (f Finding) String() string {
	line := f.Check + ": " + f.Found
	if f.Expected != "" {
		line += "; expected: " + f.Expected
	}
	if f.Remedy != "" {
		line += "; " + f.Remedy
	}
	return line
}

// Fails reports whether somebody has to know of it.
func (f Finding) Fails() bool { return f.Severity != OK && f.Severity != Skipped }

// Worst returns the worst severity of all; OK for none.
func Worst(findings []Finding) Severity {
	worst := 0
	for _, f := range findings {
		worst = max(worst, slices.Index(severities, f.Severity))
	}
	return severities[worst]
}

// A Check is one row of a table. Subject is what it looks at.
type Check[Subject any] struct {
	Name string
	Asks string // what is asked, for people
	// Expected and Remedy are those of a finding that fails, unless it has its own.
	Expected, Remedy string

	Look func(context.Context, Subject) Finding
}

// Run makes all checks at once and yields their findings in the order of the table, each as soon as it is there. Who
// stops early stops the checks.
func Run[Subject any](ctx context.Context, table []Check[Subject], subject Subject) iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		ctx, stop := context.WithCancel(ctx)
		var group sync.WaitGroup
		defer func() { stop(); group.Wait() }()
		findings := make([]chan Finding, len(table))
		for i, check := range table {
			findings[i] = make(chan Finding, 1)
			group.Go(func() { findings[i] <- check.run(ctx, subject) })
		}
		for _, found := range findings {
			if !yield(<-found) {
				return
			}
		}
	}
}

func (c Check[Subject]) run(ctx context.Context, subject Subject) Finding {
	f := c.Look(ctx, subject)
	f.Check = c.Name
	if f.Fails() && f.Expected == "" {
		f.Expected = c.Expected
	}
	if f.Fails() && f.Remedy == "" {
		f.Remedy = c.Remedy
	}
	for _, text := range []*string{&f.Found, &f.Expected, &f.Remedy} {
		*text = shown(*text)
	}
	return f
}

// longest bounds what one finding says, in bytes: a project may have thousands of apps.
const longest = 2000

// shown is one line of what may come from anybody's server.
func shown(text string) string {
	text = credentials.Mask(credentials.Withhold(strings.Join(strings.Fields(text), " ")))
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + " …"
	}
	return text
}

// The findings that checks return.

// Well says that all is as it should be.
func Well(found string, args ...any) Finding { return finding(OK, found, args) }

// NotLooked says why a check was not made.
func NotLooked(why string, args ...any) Finding { return finding(Skipped, why, args) }

// Doubtful says what may be meant so.
func Doubtful(found string, args ...any) Finding { return finding(Warning, found, args) }

// Unclear says why a check could not be made now.
func Unclear(why string, args ...any) Finding { return finding(Unknown, why, args) }

// Wrong says what has to be mended.
func Wrong(found string, args ...any) Finding { return finding(Error, found, args) }

// Dangerous says what has to be mended before a server goes on.
func Dangerous(found string, args ...any) Finding { return finding(Fatal, found, args) }

func finding(severity Severity, found string, args []any) Finding {
	return Finding{Severity: severity, Found: fmt.Sprintf(found, args...)}
}

// Expecting returns the finding with an expectation of its own.
func (f Finding) Expecting(expected string, args ...any) Finding {
	f.Expected = fmt.Sprintf(expected, args...)
	return f
}

// MendedBy returns the finding with a remedy of its own.
func (f Finding) MendedBy(remedy string, args ...any) Finding {
	f.Remedy = fmt.Sprintf(remedy, args...)
	return f
}
