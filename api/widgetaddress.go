package api

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// A use is what a browser does with the address in an attribute.
type use string

const (
	picture use = "picture" // or sound or film
	leading use = "leading" // when it is pressed or sent
	script  use = "script"
	style   use = "style"  // or what else <link> brings
	part    use = "part"   // of an SVG
	report  use = "report" // that a link has been followed
)

// uses are the elements of HTML, each with those of its attributes that have an address. Whatever else an element or an
// attribute is called, it loads nothing.
var uses = map[string]map[string]use{
	"img": {"src": picture, "srcset": picture}, "source": {"src": picture, "srcset": picture},
	"input": {"src": picture, "formaction": leading}, "button": {"formaction": leading}, "form": {"action": leading},
	"video": {"src": picture, "poster": picture}, "audio": {"src": picture}, "track": {"src": picture},
	"body": {"background": picture}, "table": {"background": picture}, "thead": {"background": picture},
	"tbody": {"background": picture}, "tfoot": {"background": picture}, "tr": {"background": picture},
	"td": {"background": picture}, "th": {"background": picture},
	"script": {"src": script}, "link": {"href": style, "imagesrcset": picture},
	"a": {"href": leading, "ping": report}, "area": {"href": leading, "ping": report},
}

// useOf returns "" for what has no address.
func useOf(node *html.Node, key string) use {
	switch {
	case node.Namespace == "" && node.Data == "link" && key == "href" && slices.Contains(
		strings.Fields(strings.ToLower(valueOf(node, "rel"))), "icon"):
		return picture
	case node.Namespace == "":
		return uses[node.Data][key]
	case key != "href": // with xlink: or without
		return ""
	case node.Data == "a" || node.Namespace == "math":
		return leading
	case node.Data == "script":
		return script
	case node.Data == "image", node.Data == "feImage":
		return picture
	}
	return part
}

// check says what to do instead of having the address in a widget.
func (u use) check(address string) error {
	address = strings.TrimFunc(address, func(r rune) bool { return r <= ' ' }) // as browsers read addresses
	address = strings.ToLower(strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(address))
	switch {
	case u == script:
		return errors.New("and no script is loaded: write it between <script> and </script>, without the attribute")
	case u == "", address == "", u != report && address[0] == '#', u == picture && strings.HasPrefix(address, "data:"),
		u == leading && strings.HasPrefix(address, "javascript:"):
		return nil
	case u == picture:
		return errors.New("which the client blocks: write what it loads into the page, as data:…;base64,…")
	case u == leading:
		return errors.New("and no widget leads to another page: leave it out; the client opens pages (ui/open-link)")
	case u == style:
		return errors.New("which the client blocks: leave it out; a style goes between <style> and </style>")
	case u == part:
		return errors.New("which the client blocks: write what it names into the page, and name that by # and its id")
	}
	return errors.New("which the client blocks: leave it out") // a report
}

// candidates returns the addresses in a srcset (HTML, 4.8.4.2.1): each ends at a space, and what follows it at a comma.
func candidates(srcset string) (addresses []string) {
	const space = " \t\n\f\r"
	for {
		srcset = strings.TrimLeft(srcset, space+",")
		if srcset == "" {
			return addresses
		}
		end := strings.IndexAny(srcset+" ", space)
		address := strings.TrimRight(srcset[:end], ",")
		addresses = append(addresses, address)
		if srcset = srcset[end:]; len(address) == end {
			_, srcset, _ = strings.Cut(srcset, ",")
		}
	}
}
