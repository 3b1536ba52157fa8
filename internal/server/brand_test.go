package server_test

import (
	"net/http"
	"strings"
	"testing"

	"guestpass"
)

// asBrowser asks for a page, as a browser does.
func asBrowser(r *http.Request) { r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8") }

// everyPage is htmlPages and the page of an address that there is not.
func (w *world) everyPage() []htmlPage {
	return append(w.htmlPages(), htmlPage{"mistyped address", "/acount", 404, false})
}

func TestEveryPageIsTheApps(t *testing.T) {
	for vertical, newWorld := range map[string]func(testing.TB, ...func(*guestpass.Options)) *world{
		"b2b": newWorld, "consumer": newConsumerWorld} {
		w := newWorld(t, func(o *guestpass.Options) { o.Title = "Büro & <Söhne>" })
		for _, page := range w.everyPage() {
			body := w.call("GET", page.path, "", "", asBrowser).body
			const name = "Büro &amp; &lt;Söhne&gt;"
			title, _, _ := strings.Cut(body, "</title>")
			header, _, _ := strings.Cut(body, "</header>")
			if !strings.Contains(title, name) || !strings.Contains(header, "<bdi>"+name+"</bdi>") {
				t.Errorf("%s, %s: does not say whose it is:\n%s", vertical, page.name, header)
			}
			if strings.Contains(header, "Guestpass") {
				t.Errorf("%s, %s: speaks of Guestpass, which nobody knows:\n%s", vertical, page.name, header)
			}
			if n := strings.Count(body, "<main>"); n != 1 || strings.Count(body, "<html") != 1 {
				t.Errorf("%s, %s: has %d main parts", vertical, page.name, n)
			}
		}
	}
}
