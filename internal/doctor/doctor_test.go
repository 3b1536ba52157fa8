package doctor_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"guestpass/internal/doctor"
)

func TestTheWorstSeverityCounts(t *testing.T) {
	of := func(severities ...doctor.Severity) (findings []doctor.Finding) {
		for _, severity := range severities {
			findings = append(findings, doctor.Finding{Severity: severity})
		}
		return findings
	}
	for _, tt := range []struct {
		findings []doctor.Finding
		want     doctor.Severity
	}{
		{nil, doctor.OK},
		{of(doctor.Skipped, doctor.OK), doctor.Skipped},
		{of(doctor.Skipped, doctor.Warning, doctor.OK), doctor.Warning},
		{of(doctor.Unknown, doctor.Warning), doctor.Unknown},
		{of(doctor.Error, doctor.Unknown), doctor.Error},
		{of(doctor.Error, doctor.Fatal, doctor.Error), doctor.Fatal},
	} {
		if got := doctor.Worst(tt.findings); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.findings, got, tt.want)
		}
	}
}

// one is what a table of one check finds.
func one[Subject any](t *testing.T, table []doctor.Check[Subject], subject Subject) doctor.Finding {
	t.Helper()
	return slices.Collect(doctor.Run(t.Context(), table, subject))[0]
}

// Who waits for a check that hangs sees meanwhile what was found before, and need not wait for it.
func TestFindingsComeAsTheyAreFound(t *testing.T) {
	told := make(chan struct{})
	table := []doctor.Check[string]{
		{Name: "at once", Look: func(context.Context, string) doctor.Finding { return doctor.Well("") }},
		{Name: "later", Look: func(context.Context, string) doctor.Finding { <-told; return doctor.Well("") }},
		{Name: "never", Look: func(ctx context.Context, _ string) doctor.Finding {
			<-ctx.Done()
			return doctor.Unclear("no answer")
		}},
	}
	var names []string
	for f := range doctor.Run(t.Context(), table, "") {
		if names = append(names, f.Check); len(names) == 2 {
			break
		}
		close(told)
	}
	if !slices.Equal(names, []string{"at once", "later"}) {
		t.Errorf("%q", names)
	}
}

// Findings repeat what other servers say: they stay one line of bounded length, and hold no token.
func TestFindingsAreOneShortLineWithoutTokens(t *testing.T) {
	const token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZW1iZXIifQ.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZw"
	table := []doctor.Check[string]{{Name: "said", Expected: "less", Remedy: "mend it",
		Look: func(_ context.Context, said string) doctor.Finding { return doctor.Wrong("it says %s", said) }}}
	for said, want := range map[string]string{
		"two\n lines\t":                        "said: it says two lines; expected: less; mend it",
		strings.Repeat("long words ", 100_000): "said: it says long words",
	} {
		f := one(t, table, said)
		if line := f.String(); !strings.HasPrefix(line, want) || len(line) > 2100 || strings.Contains(line, "\n") {
			t.Errorf("%.100s: %d bytes", line, len(line))
		}
	}
	if f := one(t, table, token); strings.Contains(f.Found, "c2lnbmF0dXJl") {
		t.Errorf("a token is shown: %s", f)
	}
}

// Of what is well, nothing has to be expected or mended.
func TestWhatIsWellHasNoRemedy(t *testing.T) {
	table := []doctor.Check[doctor.Finding]{{Name: "check", Expected: "expected", Remedy: "remedy",
		Look: func(_ context.Context, f doctor.Finding) doctor.Finding { return f }}}
	for _, tt := range []struct {
		f    doctor.Finding
		want string
	}{
		{doctor.Well("well"), "check: well"},
		{doctor.NotLooked("skipped").MendedBy("a key"), "check: skipped; a key"},
		{doctor.Doubtful("doubtful"), "check: doubtful; expected: expected; remedy"},
		{doctor.Unclear("%v", errors.New("away")).Expecting("an answer"), "check: away; expected: an answer; remedy"},
		{doctor.Wrong("wrong").MendedBy("do %d", 1), "check: wrong; expected: expected; do 1"},
	} {
		if got := one(t, table, tt.f).String(); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}

// What is wrong with the settings comes first: nothing is asked with them.
func TestFaultySettingsAreNotTried(t *testing.T) {
	findings := doctor.Inside(t.Context(), doctor.Server{Fault: errors.New("one\ntwo")})
	for i, f := range slices.Collect(findings) {
		if i == 0 && (f.Severity != doctor.Fatal || f.Found != "one; two") || i > 0 && f.Severity != doctor.Skipped {
			t.Errorf("%s %s", f.Severity, f)
		}
	}
}
