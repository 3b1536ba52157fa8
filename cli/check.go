package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"guestpass/openapi"
)

// Bounds of fetching a copy to check. A document has at most 800,000 bytes.
const (
	maxCopy     = 2 << 20
	copyTimeout = 15 * time.Second
)

// checkCopy returns an error if a stored copy of the document is out of date.
func checkCopy(ctx context.Context, document *openapi.Document, from string, out io.Writer) error {
	text, err := readCopy(ctx, from)
	if err != nil {
		return usagef("cannot tell whether %s is out of date: %w", from, err)
	}
	found, err := document.Compare(text)
	if err != nil {
		return usagef("cannot tell whether %s is out of date: %w", from, err)
	}
	if len(found.Differences) > 0 {
		fmt.Fprintf(out, "%s is out of date:\n  %s\nImport the document again, then try the "+
			"GPT.\n", from, strings.Join(found.Differences, "\n  "))
		return errQuiet
	}
	fmt.Fprintf(out, "%s is up to date (%s)\n", from, document.Hash())
	if found.Version != "" {
		fmt.Fprintf(out, "  only its version is another, %s, which does not matter to ChatGPT\n", found.Version)
	}
	return nil
}

// readCopy reads a file, or fetches a name that begins like a URL.
func readCopy(ctx context.Context, from string) ([]byte, error) {
	if strings.Contains(from, "://") {
		return fetchCopy(ctx, from)
	}
	file, err := openDocument(from)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return bounded(file)
}

// openDocument opens a file. A file that is not regular may have no end, and a named pipe nobody who writes; a pipe
// that a shell passes as /dev/fd/63 is open already.
func openDocument(name string) (*os.File, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a directory; name a file in it", name)
	case info.Mode()&os.ModeNamedPipe != 0 && (name == "/dev/stdin" || strings.HasPrefix(name, "/dev/fd/")):
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file but %s; save the document in a file", name,
			kindOfFile(info.Mode()))
	}
	return os.Open(name) // #nosec G304 -- the person who calls names the file
}

func kindOfFile(mode os.FileMode) string {
	switch {
	case mode&os.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&os.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}

// documentAddress returns where to fetch a document: a bare origin stands for its /openapi.json.
func documentAddress(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "":
		return nil, errors.New("it is not a whole URL, such as https://gpt.example.com/openapi.json")
	case u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())):
		return nil, errors.New("it must begin with https:// (http is for loopback only)")
	case u.Path == "" || u.Path == "/":
		u.Path = "/openapi.json"
	}
	return u, nil
}

func fetchCopy(ctx context.Context, from string) ([]byte, error) {
	u, err := documentAddress(from)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, copyTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if to := response.Header.Get("Location"); to != "" {
		return nil, fmt.Errorf("it redirects to %q, and redirects are not followed: give the document's own address",
			to)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answered %s", response.Status)
	}
	return bounded(response.Body)
}

func bounded(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxCopy+1))
	if err == nil && len(text) > maxCopy {
		err = fmt.Errorf("it has more than %d bytes", maxCopy)
	}
	return text, err
}
