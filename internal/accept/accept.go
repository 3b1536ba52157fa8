// Package accept reads what a request says it would take: lists of names with weights, and whether gzip is among them
// (RFC 9110 section 12).
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

// Gzip reports whether gzip is acceptable and not less wanted than the plain
// document (RFC 9110 section 12.5.3).
func Gzip(field []string) bool {
	const unset = -1
	compressed, plain, other := unset, unset, unset
	for name, parameters := range Members(field) {
		switch {
		case strings.EqualFold(name, "gzip"), strings.EqualFold(name, "x-gzip"):
			compressed = max(compressed, quality(parameters))
		case strings.EqualFold(name, "identity"):
			plain = quality(parameters)
		case name == "*":
			other = quality(parameters)
		}
	}
	if compressed == unset {
		compressed = other
	}
	return compressed > 0 && compressed >= plain
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
