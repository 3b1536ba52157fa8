// Package accept reads what a request says it would take: lists of names with weights, and which encoding is wanted
// most (RFC 9110 section 12).
//
// It knows nothing of what is answered.
package accept

import (
	"iter"
	"strings"
)

// Members returns those of a list in a header field (RFC 9110 section 5.6.1): each name, and
// its parameters as they stand.
func Members(field []string) iter.Seq2[string, string] {
	return func(yield func(name, parameters string) bool) {
		for _, list := range field {
			for list != "" {
				var member string
				member, list, _ = strings.Cut(list, ",")
				name, parameters, _ := strings.Cut(member, ";")
				if !yield(strings.TrimSpace(name), parameters) {
					return
				}
			}
		}
	}
}

// Weight finds the quality, in thousandths, among the parameters of a media range.
func Weight(parameters string) int {
	for parameters != "" {
		var one string
		one, parameters, _ = strings.Cut(parameters, ";")
		if name, _, _ := strings.Cut(one, "="); strings.EqualFold(strings.TrimSpace(name), "q") {
			return quality(one)
		}
	}
	return 1000
}

// An Encoding is a content coding that is served.
type Encoding int

// The encodings, the least wanted first of those that a request wants alike.
const (
	Identity Encoding = iota // the bytes as they are
	Gzip
	Brotli
)

// PreferredEncoding returns what a field Accept-Encoding wants most (RFC 9110 section 12.5.3). It is Identity, too,
// where the field takes none of them.
func PreferredEncoding(field []string) Encoding {
	const unset = -1
	weights, other := [...]int{Identity: unset, Gzip: unset, Brotli: unset}, unset
	for name, parameters := range Members(field) {
		switch {
		case strings.EqualFold(name, "gzip"), strings.EqualFold(name, "x-gzip"):
			weights[Gzip] = max(weights[Gzip], quality(parameters))
		case strings.EqualFold(name, "br"):
			weights[Brotli] = quality(parameters)
		case strings.EqualFold(name, "identity"):
			weights[Identity] = quality(parameters)
		case name == "*":
			other = quality(parameters)
		}
	}
	preferred, most := Identity, weights[Identity] // which nobody has to name: any other that is is wanted more
	for _, encoding := range []Encoding{Gzip, Brotli} {
		weight := weights[encoding]
		if weight == unset {
			weight = other
		}
		if weight > 0 && weight >= most {
			preferred, most = encoding, weight
		}
	}
	return preferred
}

// quality reads a weight in thousandths: 1000 if there is none, 0 if it is malformed.
func quality(parameters string) int {
	parameters = strings.TrimSpace(parameters)
	if parameters == "" {
		return 1000
	}
	name, value, found := strings.Cut(parameters, "=")
	if !found || !strings.EqualFold(strings.TrimSpace(name), "q") {
		return 0
	}
	whole, fraction, _ := strings.Cut(strings.TrimSpace(value), ".")
	if whole == "1" && strings.Trim(fraction, "0") == "" {
		return 1000
	}
	if whole != "0" || len(fraction) > 3 {
		return 0
	}
	thousandths := 0
	for i := range 3 {
		digit := 0
		if i < len(fraction) {
			if fraction[i] < '0' || fraction[i] > '9' {
				return 0
			}
			digit = int(fraction[i] - '0')
		}
		thousandths = thousandths*10 + digit
	}
	return thousandths
}
