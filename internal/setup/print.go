package setup

import (
	"fmt"
	"io"
	"strings"
)

// Write prints the plan as a diff. file is what the settings are kept in.
func (p *Plan) Write(w io.Writer, file string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Stytch: %s\n", p.Project)
	for _, change := range p.Changes {
		change.write(&b, change.What)
	}
	for _, change := range p.Settings {
		change.write(&b, "Settings, in "+file)
	}
	if p.Nothing() {
		b.WriteString("\nnothing to change\n")
	}
	for _, note := range p.Notes {
		fmt.Fprintf(&b, "\nnote: %s\n", note)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (c Change) write(b *strings.Builder, title string) {
	fmt.Fprintf(b, "\n%s\n", title)
	for _, line := range c.Lines {
		fmt.Fprintf(b, "  %s\n", line)
	}
}

// WriteSteps prints what a person does by hand.
func WriteSteps(w io.Writer, steps []Step) error {
	var b strings.Builder
	b.WriteString("In the Stytch dashboard, https://stytch.com/dashboard:\n")
	page := ""
	for _, step := range steps {
		if step.Page != page {
			page = step.Page
			fmt.Fprintf(&b, "\n%s\n", page)
		}
		for _, do := range step.Do {
			fmt.Fprintf(&b, "  [ ] %s\n", do)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
