package server_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/chromedp/chromedp"
)

// The states are photographed for whoever looks at them: `make pictures`.
var readmeFolder = flag.String("readme", "", "folder to put the pictures of the README into")

// A readmePicture shows the beginning of a page, in so many pixels.
type readmePicture struct {
	file          string
	width, height int64
}

// readmePictures are by the state that they show.
var readmePictures = map[string]readmePicture{
	"landing": {"landing.png", 800, 600},
	"consent": {"consent.png", 440, 0},
	"account": {"account.png", 800, 660},
}

// pictures takes one of each width and scheme.
func (p *person) pictures(name string) error {
	for _, width := range []int64{1280, 390, 320} {
		for _, scheme := range []string{"light", "dark"} {
			if err := errors.Join(p.show(screen{width: width, scheme: scheme}), p.settle()); err != nil {
				return err
			}
			png, err := chromedp.Run(p.tab, chromedp.FullScreenshot(100))
			if err != nil {
				return err
			}
			keepPicture(p.w.t, fmt.Sprintf("%s-%d-%s", name, width, scheme), png)
		}
	}
	return nil
}

// pictureForReadme takes one in the light scheme; without a height of the whole page.
func (p *person) pictureForReadme(picture readmePicture) error {
	if err := errors.Join(p.show(screen{width: picture.width, scheme: "light"}), p.settle()); err != nil {
		return err
	}
	take := chromedp.FullScreenshot(100)
	if picture.height > 0 {
		if err := chromedp.Do(p.tab, chromedp.EmulateViewport(picture.width, picture.height)); err != nil {
			return err
		}
		take = chromedp.CaptureScreenshot()
	}
	png, err := chromedp.Run(p.tab, take)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(*readmeFolder, picture.file), png, 0o644)
}
