package api_test

import "testing"

// TestWidgetsSayWhatTheyWouldLoad declares widgets with what browsers would load, or seem to load, in the body or in a
// style.
func TestWidgetsSayWhatTheyWouldLoad(t *testing.T) {
	for _, p := range partsOfPages {
		t.Run(p.text, func(t *testing.T) { p.in(pageOf("", p.text)).try(t) })
	}
	for _, p := range partsOfStyles {
		t.Run(p.text, func(t *testing.T) { p.in(pageOf("<style>"+p.text+"</style>", "")).try(t) })
	}
}

// A part of a page gives a fault that begins like this; "" if it loads nothing.
type part struct{ text, fault string }

func (p part) in(html string) declarationMistake {
	if p.fault == "" {
		return declarationMistake{register: showing(html)}
	}
	return declarationMistake{register: showing(html), fault: atWidget + "has " + p.fault}
}

// partsOfPages are parts of a body.
var partsOfPages = []part{
	{
		"<script src=https://cdn.example.com/x.js></script>",
		`<script src="https://cdn.example.com/x.js">, and no script`,
	},
	{"<script src='data:text/javascript,1'></script>", `<script src="data:text/javascript,1">, and no script`},
	{"<svg><script href='#a'/></svg>", `<script href="#a">, and no script is loaded: write it between`},

	{"<link rel=stylesheet href=style.css>", `<link href="style.css">, which the client blocks: leave it out`},
	{"<link rel=stylesheet href='data:text/css,a'>", `<link href="data:text/css,a">, which the client blocks: leave`},
	{"<link rel='shortcut ICON' href='data:,'>", ""},
	{"<link rel=preload imagesrcset='a.png 2x'>", `<link imagesrcset="a.png 2x">, which the client blocks`},

	{"<a href='https://example.com'>a</a>", `<a href="https://example.com">, and no widget leads to another page`},
	{"<a href='data:text/html,a'>a</a>", `<a href="data:text/html,a">, and no widget leads to another page`},
	{
		"<a href='#a' ping='#x https://a.example'>",
		`<a ping="#x https://a.example">, which the client blocks: leave it`,
	},
	{"<a href='javascript:go()'>a</a>", ""},
	{"<a href=' #a'>a</a>", ""},
	{"<svg><a xlink:href=/x>a</a></svg>", `<a xlink:href="/x">, and no widget leads to another page`},
	{"<form action=/x></form>", `<form action="/x">, and no widget leads to another page`},
	{"<button formaction=/x>a</button>", `<button formaction="/x">, and no widget leads`},
	{"<blockquote cite=https://example.com>a", ""},
	{"<img alt=a src='DATA:image/png;base64,AA=='>", ""},
	{"<img alt=a src=' da\nta:image/png;base64,AA'>", ""},
	{"<img src=/a.png>", `<img src="/a.png">, which the client blocks: write what it loads`},
	{"<IMAGE src=/a.png>", `<img src="/a.png">, which the client blocks`},
	{"<video poster=a.png></video>", `<video poster="a.png">, which the client blocks`},
	{"<td><table background=a.png></table>", `<table background="a.png">, which the client blocks`},
	{"<my-chart data=1,2,3 src=a.csv></my-chart>", ""},
	{"<p data=1 src=a href=b>a</p>", ""},
	{"<noscript><img src=/a.png></noscript>", ""},
	{"<template><img src=/a.png></template>", `<img src="/a.png">, which the client blocks`},
	{"<img srcset='a.png 2x'>", `<img srcset="a.png 2x">, which the client blocks`},
	{
		"<img srcset='data:image/png;base64,AA 1x, https://a.example/b 1.5x'>",
		`<img srcset="data:image/png;base64,AA 1x, https://a.example/b 1.5x">, which the client blocks`,
	},
	{"<img srcset='data:image/png;base64,AA 1x,data:image/png;base64,BB 2x'>", ""},

	{"<svg><image xlink:href='//example.com/a'/></svg>", `<image xlink:href="//example.com/a">, which the client`},
	{"<svg><image href='data:image/png;base64,AA'/></svg>", ""},
	{"<svg><feImage href=a.png /></svg>", `<feImage href="a.png">, which the client blocks`},
	{"<svg><use href='data:image/svg+xml,a#b'/></svg>", `<use href="data:image/svg+xml,a#b">, which the client`},
	{"<svg><use href='icons.svg#a'/></svg>", `<use href="icons.svg#a">, which the client blocks: write`},
	{"<svg><rect mask='url(https://a.example#a)'/></svg>", `<rect mask="url(https://a.example#a)">, "https://a.ex`},
	{"<svg><rect fill='url(#a)' filter='url(\"#b\")'/></svg>", ""},
	{
		"<svg><image><set attributeName=href to=https://a.example></image></svg>",
		`<set to="https://a.example">, which`,
	},
	{"<svg><animate attributeName=xlink:href values='#a;b.png'></svg>", `<animate values="#a;b.png">, which`},
	{
		"<svg><animate attributeName=fill values='red;url(b.svg#a)'></svg>",
		`<animate values="red;url(b.svg#a)">, "b.svg`,
	},
	{"<svg><animate attributeName=x from=0 to=10 values='0;10'></svg>", ""},

	{
		"<p style='background:url(//example.com)'>",
		`<p style="background:url(//example.com)">, "//example.com", which`,
	},
	{
		"<p style='background:u\\72l(//example.com)'>",
		`<p style="background:u\\72l(//example.com)">, "u\\72l(": write`,
	},

	// what browsers parse otherwise in SVG
	{"<style>a{}</style><style/>@import 'x'</style>", `a style with @import, and no style is loaded`},
	{"<svg><title><img src=/a></title></svg>", `<img src="/a">, which the client blocks`},
	{"<svg><textarea><image href=/a /></textarea></svg>", `<image href="/a">, which the client blocks`},
	{"<svg><style/><image href=/a /></svg><style></style>", `<image href="/a">, which the client blocks`},
	{"<svg><style>&#64;import 'x'</style></svg>", `a style with @import, and no style is loaded`},
	{"<svg><style><![CDATA[@import 'x']]></style></svg>", `a style with @import, and no style is loaded`},
	{"<textarea><img src=/a></textarea><!-- <img src=/a> -->", ""},
	{"<script>document.title = '<img src=/a><style>@import'</script>", ""},
}

var partsOfStyles = []part{
	{
		"@font-face { src: url('https://example.com/a') }",
		`a style with a font, "https://example.com/a", and clients allow`,
	},
	{
		"@font-face { a: b; src: url(data:font/woff2,a) }",
		`a style with a font, "data:font/woff2,a", and clients allow none`,
	},
	{"@font-face { src: local('Arial') } a { b: url(#c) }", ""},
	{"a{} @import 'x';", `a style with @import, and no style is loaded`},
	{"@\\69mport 'x';", `a style with "@\\69mport": write the name`},
	{"a { b: u\\72 l(https://a.example) }", `a style with "u\\72 l(": write the name`},
	{
		"a { b: image-set('https://a.example' 1x) }",
		`a style with "https://a.example", which the client blocks: write`,
	},
	{"a { b: image-set('data:,a' type('image/png') 1x, 'b' 2x) }", `a style with "b", which the client blocks`},
	{"a { b: image-set('data:,a' type('image/png') 1x) }", ""},
	{"a { b: url(' https://a.example') }", `a style with " https://a.example", which the client blocks`},
	{"a { b: url(dashboard.png) }", `a style with "dashboard.png", which the client blocks`},
	{"a { b: URL(  /a.png ) }", `a style with "/a.png", which the client blocks`},
	{"a { b: url(data:image/png,a\\)b) } c { d: url(e) }", `a style with "e", which the client blocks`},
	{"a { b: url() url('') url(#a) url(data:,a) url(' Data:,a') }", ""},
	{"/* no url(x), no @import */ a { b: c }", ""},
	{"/* ' */ a { b: url(x) } /* ' */", `a style with "x", which the client blocks`},
	{"a { content: 'url(foo) @import' }", ""},
	{`a { content: "\" url(foo)" ; b: curl(x) }`, ""},
	{"a { content: 'b\n; c: url(x) }", `a style with "x", which the client blocks`},
	{".w-\\[calc\\(1px\\)\\] .b\\( { c: d }", ""},
	{"@namespace svg url(http://www.w3.org/2000/svg); a { b: c }", ""},
	{"@namespace 'x'; a { b: url(x) }", `a style with "x", which the client blocks`},
	{"@media (width > 9px) { a { --b: url(x) } }", `a style with "x", which the client blocks`},
}
