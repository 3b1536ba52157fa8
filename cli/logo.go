package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"guestpass"
	"guestpass/internal/credentials"
	"guestpass/internal/page"
	"guestpass/internal/pageurl"
	"guestpass/internal/upstream"
)

// logoTimeout is how long a logo at an address may take, all in all: nothing is served before.
const logoTimeout = 10 * time.Second

// checkLogo admits the name of a file, or an address. What is there shows once it is read.
func checkLogo(text string) error {
	if !strings.Contains(text, "://") {
		return checkLogoFile(text)
	}
	u, err := pageurl.Parse(text)
	switch {
	case err != nil:
		return err
	case strings.Contains(text, "#"):
		return errors.New("must have nothing behind #: it is the whole picture that is fetched")
	case u.Host != strings.ToLower(u.Host):
		return errors.New("must have its host in lower case")
	}
	return nil
}

// logoEndings are those of files that can be logos. Nothing else hangs on the name.
var logoEndings = []string{".svg", ".png", ".jpg", ".jpeg", ".webp"}

func checkLogoFile(name string) error {
	if credentials.LooksSecret(name) || !slices.Contains(logoEndings, strings.ToLower(filepath.Ext(name))) {
		return fmt.Errorf("must be a file or an address of a picture, such as logo.svg; its name ends in %s",
			strings.Join(logoEndings, ", "))
	}
	return nil
}

// readLook reads, before anything is served, what settings of the look name.
func (c config) readLook(ctx context.Context, o *guestpass.Options) (err error) {
	if o.Brand.Logo, err = c.readLogo(ctx); err != nil {
		return err
	}
	o.Language = c.Language // which may have no words but those of the file
	o.Words, err = c.readWords()
	return err
}

// readLogo returns nil if there is none.
func (c config) readLogo(ctx context.Context) ([]byte, error) {
	if c.Logo == "" {
		return nil, nil
	}
	read := readLogoFile
	if strings.Contains(c.Logo, "://") {
		read = fetchLogo
	}
	content, err := read(ctx, c.Logo)
	if err == nil {
		_, err = page.NewLogo(content)
	}
	if err != nil {
		return nil, usagef("not started:\n%w", c.fault("GUESTPASS_LOGO", "%w", err))
	}
	return content, nil
}

func readLogoFile(_ context.Context, name string) ([]byte, error) { return readNamed(name) }

// readNamed reads a file that a setting names.
func readNamed(name string) ([]byte, error) {
	file, err := os.Open(name) // #nosec G304 -- whoever sets it runs the program
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("names a file that is not there; a name without / is looked for in the working " +
			"directory")
	}
	if err != nil {
		return nil, errors.New("names a file that this program cannot read: look at its permissions")
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.New("names something that is no file")
	}
	return readBounded(file)
}

// readBounded reads one byte more than a logo, or a file of words, may have, by which it shows that it has too many.
func readBounded(from io.Reader) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(from, page.MaxLogo+1))
	if err != nil {
		return nil, errors.New("was not read to its end: try again, or name a file")
	}
	return content, nil
}

// fetchLogo asks no internal host, and follows no redirect: what is shown in the app's name comes from where the
// setting says.
func fetchLogo(ctx context.Context, address string) ([]byte, error) {
	trustRoots()
	client := &http.Client{Timeout: logoTimeout,
		Transport:     &http.Transport{DialContext: upstream.Dial(logoTimeout / 2), DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("is no address")
	}
	answer, err := client.Do(request)
	if err != nil {
		if wrapped := new(url.Error); errors.As(err, &wrapped) {
			err = wrapped.Err // without the address
		}
		return nil, fmt.Errorf("cannot be fetched: %w; name a file, or an address that answers", err)
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode >= 300 && answer.StatusCode < 400:
		return nil, errors.New("is answered with a redirect: name the address to which it leads")
	case answer.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("is answered with %s", answer.Status)
	}
	return readBounded(answer.Body)
}
