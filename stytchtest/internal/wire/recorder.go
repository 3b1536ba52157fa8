package wire

import (
	"net/http"
	"strings"
)

// MaxRecorded bounds what is kept of each body, in bytes.
const MaxRecorded = 16 << 10

// A Recorder keeps what a reply was.
type Recorder struct {
	http.ResponseWriter
	Status int    // 0 until the header was written
	Kind   string // of the [Failure], if it was one
	Reply  Excerpt
}

// WriteHeader keeps the status.
func (s *Recorder) WriteHeader(status int) {
	s.Status = status
	s.ResponseWriter.WriteHeader(status)
}

// Write keeps the beginning of the body.
func (s *Recorder) Write(p []byte) (int, error) {
	if s.Status == 0 {
		s.Status = http.StatusOK
	}
	_, _ = s.Reply.Write(p)
	return s.ResponseWriter.Write(p)
}

// Unwrap is for [http.ResponseController].
func (s *Recorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// An Excerpt is the beginning of what was written to it.
type Excerpt struct{ strings.Builder }

// Write never fails, and drops what follows the first [MaxRecorded] bytes.
func (e *Excerpt) Write(p []byte) (int, error) {
	_, _ = e.Builder.Write(p[:min(len(p), MaxRecorded-e.Len())])
	return len(p), nil
}
