package api

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// checkPage finds what keeps a document from being shown as it was meant, where nothing can be loaded. It is a help for
// whoever writes the page and no defence: the client blocks what is overlooked here, as it does what a script does.
// What clients allow is default-src 'none', scripts and styles that are in the page, and data: for images and media.
func checkPage(page string) (faults []error) {
	page = strings.TrimPrefix(page, "\ufeff")
	document, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return []error{fmt.Errorf("cannot be read: %w", err)}
	}
	p := pageCheck{}
	for node := range document.Descendants() {
		p.look(node)
	}
	if !p.doctype {
		p.fault("does not begin with <!doctype html>: give it a whole document")
	}
	lower := strings.ToLower(page)
	for _, name := range []string{"html", "head", "title", "body"} {
		if !writes(lower, name) || name == "title" && !p.title {
			p.fault("has no <%s>…</%[1]s>: give it a whole document", name)
		}
	}
	if p.facts > 0 && (p.facts != 1 || strings.Count(page, WidgetFacts) != 1) {
		p.fault("has an element of the id guestpass that is not written as the server looks for it, once: write %s",
			WidgetFacts)
	}
	return p.faults
}

// writes reports whether the page, in lower case, has an element's beginning and its end: the parser adds what is not
// written.
func writes(page, name string) bool {
	begins := tagAt(page, "<"+name)
	return begins >= 0 && tagAt(page[begins:], "</"+name) >= 0
}

// tagAt returns where a tag is, and not another whose name begins so; -1 for nowhere.
func tagAt(page, tag string) int {
	for from := 0; ; {
		i := strings.Index(page[from:], tag)
		if i < 0 {
			return -1
		}
		if from += i + len(tag); from < len(page) && strings.IndexByte(" \t\n\f\r/>", page[from]) >= 0 {
			return from - len(tag)
		}
	}
}

// A pageCheck is what has been seen of a page.
type pageCheck struct {
	doctype, title bool
	facts          int // elements that have their id
	faults         []error
}

func (p *pageCheck) fault(format string, args ...any) {
	p.faults = append(p.faults, fmt.Errorf(format, args...))
}

// refused are elements that clients allow no page of its own.
var refused = []string{"iframe", "frame", "object", "embed", "base", "portal"}

func (p *pageCheck) look(node *html.Node) {
	switch {
	case node.Type == html.DoctypeNode:
		older := func(a html.Attribute) bool { return a.Val != "" && a.Val != "about:legacy-compat" }
		p.doctype = node.Data == "html" && !slices.ContainsFunc(node.Attr, older)
	case node.Type != html.ElementNode:
		return
	case node.Data == "style":
		var text strings.Builder
		for child := range node.ChildNodes() {
			if child.Type == html.TextNode {
				text.WriteString(child.Data)
			}
		}
		for _, err := range checkStyle(text.String()) {
			p.fault("has a style with %w", err)
		}
	case node.Data == "title" && node.Namespace == "" && node.Parent.Data == "head":
		p.title = true
	case node.Namespace == "" && slices.Contains(refused, node.Data):
		p.fault("has <%s>, which clients refuse in a widget: leave it out", node.Data)
	}
	for _, a := range node.Attr {
		if a.Key == "id" && a.Val == "guestpass" {
			p.facts++
		}
		if err := checkAttribute(node, a); err != nil {
			name := strings.TrimPrefix(a.Namespace+":"+a.Key, ":")
			p.fault("has <%s %s=%q>, %w", node.Data, name, a.Val, err)
		}
	}
}

func valueOf(node *html.Node, key string) string {
	i := slices.IndexFunc(node.Attr, func(a html.Attribute) bool { return a.Key == key })
	if i < 0 {
		return ""
	}
	return node.Attr[i].Val
}

// styled are the attributes of SVG that are declarations of a style and can have a url() (SVG 2, section 6.6).
var styled = []string{"clip-path", "cursor", "fill", "filter", "marker", "marker-start", "marker-mid", "marker-end",
	"mask", "stroke"}

// animated are the attributes by which an element of SVG gives values to an attribute of another.
var animated = []string{"from", "to", "by", "values"}

func checkAttribute(node *html.Node, a html.Attribute) error {
	animates := node.Namespace == "svg" && (node.Data == "set" || node.Data == "animate")
	switch {
	case a.Key == "style" || node.Namespace == "svg" && slices.Contains(styled, a.Key):
		return firstOf(checkStyle(a.Val))
	case animates && slices.Contains(animated, a.Key):
		values := []string{a.Val}
		if a.Key == "values" {
			values = strings.Split(a.Val, ";")
		}
		for _, value := range values {
			err := picture.check(value)
			if strings.TrimPrefix(valueOf(node, "attributeName"), "xlink:") != "href" {
				err = firstOf(checkStyle(value))
			}
			if err != nil {
				return err
			}
		}
	case node.Namespace == "" && node.Data == "meta" && a.Key == "http-equiv" && strings.EqualFold(a.Val, "refresh"):
		return errors.New("and clients let no widget go to another page: leave it out")
	case strings.HasSuffix(a.Key, "srcset"):
		for _, address := range candidates(a.Val) {
			if err := useOf(node, a.Key).check(address); err != nil {
				return err
			}
		}
	default:
		return useOf(node, a.Key).check(a.Val)
	}
	return nil
}

// firstOf is enough about one attribute, which is short.
func firstOf(faults []error) error {
	if len(faults) == 0 {
		return nil
	}
	return faults[0]
}
