package gpttest

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// Report is what a visit did besides arriving.
type Report struct {
	// Hosts are all that were asked for something, with their ports, sorted. The
	// redirect URI's is not among them unless it was asked for something else.
	Hosts []string
	// Violations are those of the content security policy.
	Violations []string
	// ConsoleErrors are uncaught exceptions and what was logged as an error.
	ConsoleErrors []string
}

// Report returns what was collected during the last visit, up to the redirect.
func (c *Chrome) Report() Report {
	c.report.mu.Lock()
	defer c.report.mu.Unlock()
	r := c.report.now
	return Report{Hosts: slices.Sorted(slices.Values(r.Hosts)), Violations: slices.Clone(r.Violations),
		ConsoleErrors: slices.Clone(r.ConsoleErrors)}
}

// recorder turns the browser's events into a Report.
type recorder struct {
	mu        sync.Mutex // guards what follows
	now       Report
	target    *url.URL
	frame     string            // the page's own, which is not an iframe's
	page      network.RequestID // the last request for the page itself
	failure   string            // why the page itself could not be shown
	recording bool
}

// begin starts a new report. Events from before it are dropped.
func (r *recorder) begin(target *url.URL, frame string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now, r.target, r.frame, r.page, r.failure, r.recording = Report{}, target, frame, "", "", true
}

func (r *recorder) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recording = false
}

// failed returns an error if the page could not be had or is an error page.
func (r *recorder) failed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failure == "" {
		return nil
	}
	return errors.New(r.failure)
}

func (r *recorder) event(event any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.recording {
		return
	}
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		r.request(e)
	case *network.EventResponseReceived:
		if e.RequestID == r.page && e.Response.Status >= 400 {
			r.failure = fmt.Sprintf("the page answered %d", e.Response.Status)
		}
	case *network.EventLoadingFailed:
		if e.RequestID == r.page && !e.Canceled && e.ErrorText != "net::ERR_ABORTED" {
			r.failure = "the page did not load: " + e.ErrorText
		}
	case *runtime.EventExceptionThrown:
		r.consoleError(exceptionText(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			r.consoleError(consoleText(e.Args))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			r.logged(e.Entry)
		}
	case *audits.EventIssueAdded:
		if d := e.Issue.Details.ContentSecurityPolicyIssueDetails; d != nil {
			r.violation(fmt.Sprintf("%s: %s %s", d.ViolatedDirective, d.ContentSecurityPolicyViolationType,
				d.BlockedURL))
		}
	}
}

func (r *recorder) request(e *network.EventRequestWillBeSent) {
	u, err := url.Parse(e.Request.URL)
	if err != nil || u.Host == "" || isCallback(u, r.target.String()) {
		return
	}
	if e.Type == network.ResourceTypeDocument && string(e.FrameID) == r.frame {
		r.page, r.failure = e.RequestID, ""
	}
	if !slices.Contains(r.now.Hosts, u.Host) {
		r.now.Hosts = append(r.now.Hosts, u.Host)
	}
}

// logged sorts the browser's own errors. Violations come as audit issues too.
func (r *recorder) logged(entry *log.Entry) {
	text := strings.TrimSpace(entry.Text + " " + entry.URL)
	if strings.Contains(entry.Text, "Content Security Policy") {
		r.violation(text)
		return
	}
	r.consoleError(text)
}

func (r *recorder) violation(text string) {
	if text = strings.TrimSpace(text); !slices.Contains(r.now.Violations, text) {
		r.now.Violations = append(r.now.Violations, text)
	}
}

func (r *recorder) consoleError(text string) {
	r.now.ConsoleErrors = append(r.now.ConsoleErrors, text)
}

func exceptionText(d *runtime.ExceptionDetails) string {
	if d.Exception != nil && d.Exception.Description != "" {
		return d.Text + " " + d.Exception.Description
	}
	return d.Text
}

func consoleText(args []*runtime.RemoteObject) string {
	texts := make([]string, len(args))
	for i, arg := range args {
		texts[i] = strings.Trim(string(arg.Value), `"`)
		if texts[i] == "" {
			texts[i] = arg.Description
		}
	}
	return strings.Join(texts, " ")
}
