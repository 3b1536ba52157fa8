package api

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
)

func TestWholeNumbersAreWrittenInDigits(t *testing.T) {
	for given, want := range map[string]string{
		"1": "1", "1.0": "1", "1.000": "1", "1e2": "100", "1E+2": "100", "1.5e1": "15", "10e-1": "1", "1200e-2": "12",
		"-1.0": "-1",
		"0":    "0", "-0": "0", "0.0": "0", "-0.0": "0", "0e9": "0", "0e999999999999999999999": "0", "0.00001e5": "1",
		"9223372036854775807.0": "9223372036854775807", "9223372036854775808.0": "9223372036854775808",
		"0.0e-400": "0", "100000000000000000000e-20": "1",
		// no whole number, or one beyond every integer
		"1.5": "1.5", "1e-1": "1e-1", "1e400": "1e400", "1e21": "1e21", "1e-400": "1e-400",
		"1e999999999999999999999": "1e999999999999999999999",
		// no number
		"": "", "+1": "+1", "01": "01", "1.": "1.", ".5": ".5", "1e": "1e", "--1": "--1", "0x10": "0x10", "NaN": "NaN",
		"1_000": "1_000",
	} {
		if got := canonicalNumber(given); got != want {
			t.Errorf("%s is written %s, want %s", given, got, want)
		}
	}
}

func TestOnlyNumbersOfATextAreWrittenAnew(t *testing.T) {
	const given = `{"a":1.0,"b":[2e1,-0.0,1.5,true,null],"1.0":"1.0 \" 2.0","c":{"d":"\\","e":3.0}}`
	const anew = `{"a":1,"b":[20,0,1.5,true,null],"1.0":"1.0 \" 2.0","c":{"d":"\\","e":3}}`
	for given, want := range map[string]string{
		given:          anew,
		`1.0`:          `1`,
		`{"a":1}`:      `{"a":1}`,
		`{"a":"1.0`:    `{"a":"1.0`,
		`"\`:           `"\`,
		`{"a":1.0.0e}`: `{"a":1.0.0e}`,
	} {
		if got := string(canonicalNumbers([]byte(given))); got != want {
			t.Errorf("%s is written %s, want %s", given, got, want)
		}
	}
}

// A text means the same afterwards, and is bad JSON only if it was.
func FuzzCanonicalNumbers(f *testing.F) {
	for _, text := range []string{`{"a":1.0}`, `[1e2,-0,1.5,1e400]`, `"1.0`, `1.0.`, `{"\"1.0":-1E-0}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := string(canonicalNumbers([]byte(text)))
		if json.Valid([]byte(text)) != json.Valid([]byte(got)) {
			t.Fatalf("%q becomes %q", text, got)
		}
		if !jsonNumber.MatchString(text) || len(text) > 40 || strings.ContainsAny(text, "eE") && len(text) > 5 {
			return // big.Rat writes exponents out
		}
		before, _ := new(big.Rat).SetString(text)
		after, ok := new(big.Rat).SetString(got)
		if !ok || before.Cmp(after) != 0 || before.IsInt() && strings.ContainsAny(got, ".eE") &&
			len(before.Num().String()) <= maxDigits {
			t.Fatalf("%s becomes %s", text, got)
		}
	})
}
