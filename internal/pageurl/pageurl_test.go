package pageurl

import (
	"strings"
	"testing"
)

func TestAddressesThatPagesHave(t *testing.T) {
	for _, text := range []string{"https://app.example.com", "https://app.example.com/", "https://APP.example.com/",
		"HTTPS://app.example.com/", "https://app.example.com/@ada", "https://app.example.com/a:b,(c);d=e!$&'*+",
		"https://app.example.com/?q=a,b&c=@d/e?f", "https://app.example.com/#/a?b=c:d",
		"https://app.example.com:65535/",
		"https://app_x.example.com/", "https://xn--mnchen-3ya.example/%C3%BC", "https://203.0.113.7/",
		"https://[2001:db8::1]:1/",
		"http://localhost:3000/tasks", "http://LOCALHOST", "http://127.0.0.1/", "http://[::1]:3000",
		"https://app.example.com/" + strings.Repeat("x", Most-24)} {
		if _, err := Parse(text); err != nil {
			t.Errorf("%.60s: %v", text, err)
		}
	}
}

func TestAddressesAreRefusedWithWhatToChange(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "must be a whole address"},
		{"app.example.com", "must be a whole address"},
		{"//app.example.com", "must be a whole address"},
		{"https:app.example.com", "must be a whole address"},
		{"https:///tasks", "must be a whole address"},
		{"javascript:alert(1)", "must be a whole address"},
		{"ftp://app.example.com", "must begin with https://"},
		{"http://app.example.com", "must begin with https:// (http is for this machine only)"},
		{"http://localhost.example.com", "must begin with https://"},
		{"https://ada:secret@app.example.com", "must not have a user name"},
		{"https://app.example.com\n", "has a control character"},
		{"https://münchen.example", "must have its host in ASCII, as browsers send it: xn--"},
		{"https://app.example.com:99999/", "must have a number from 1 to 65535 as its port"},
		{"https://app.example.com:/", "must have a number from 1 to 65535 as its port, or no port and no colon"},
		{"https://app.example.com:0", "must have a number from 1 to 65535"},
		{"https://app.example.com:http", "must have a number from 1 to 65535"},
		{"https://../", "must have a host of letters"},
		{"https://-/", "must have a host of letters"},
		{"https://app.example.com./", "must have a host of letters"},
		{"https://app example.com/", "must have a host of letters"},
		{"https://app.example.com\\tasks", "must have a host of letters"},
		{"https://%61pp.example.com", "must have a host of letters"},
		{"https://[::1", "has no address of IPv6"},
		{"https://[fe80::1%25eth0]/", "has no address of IPv6"},
		{"https://app.example.com/ x", `has " " behind the host: write it in encoded form, as %20`},
		{"https://app.example.com/\"", `has "\"" behind the host: write it in encoded form, as %22`},
		{"https://app.example.com/?a=<", `has "<" behind the host: write it in encoded form, as %3C`},
		{"https://app.example.com/é", `has "é" behind the host: write it in encoded form, as %C3%A9`},
		{"https://app.example.com/\xff", `has "`},
		{"https://app.example.com/#/a#b", "has a second #: write it in encoded form, as %23"},
		{"https://app.example.com/100%", "has a % that no two hexadecimal digits follow"},
		{"https://app.example.com/?a=%zz", "has a % that no two hexadecimal digits follow"},
		{"https://app.example.com/a,https://app.example.com/a", "has a second address"},
		{"https://app.example.com/%00", "has the control character %00"},
		{"https://app.example.com/a%0Ab", "has the control character %0A"},
		{"https://app.example.com/" + strings.Repeat("x", Most), "is longer than 1,000"},
	} {
		if _, err := Parse(tt.text); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%.60s: %v, want %s", tt.text, err, tt.want)
		}
	}
}
