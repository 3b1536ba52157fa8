package cli

import (
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"

	"guestpass/internal/text"
)

// newLog writes text to a terminal and JSON to everything else, without lines below the level.
func newLog(w io.Writer, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if onTerminal(w) {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

// onTerminal reports whether a person sees what is written to w.
func onTerminal(w io.Writer) bool {
	if terminal, ok := w.(*text.Terminal); ok {
		w = terminal.Unwrap()
	}
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// exact returns a writer that leaves a document as it is for a file or a program, which must get each byte of it.
func exact(w io.Writer) io.Writer {
	if terminal, ok := w.(*text.Terminal); ok && !onTerminal(w) {
		return terminal.Unwrap()
	}
	return w
}
