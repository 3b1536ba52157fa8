package accept

import "testing"

func TestAcceptEncoding(t *testing.T) {
	for _, tt := range []struct {
		field string
		want  bool
	}{
		{"gzip", true}, {"GZIP", true}, {"x-gzip", true}, {"deflate, gzip;q=1.0", true}, {"gzip ; q=0.001", true},
		{"*", true}, {"*;q=0.5", true}, {"br;q=1, gzip;q=0.5, identity;q=0.1", true}, {"gzip;q=0.5, identity;q=0.5",
			true},
		{"*;q=0, gzip", true}, {"gzip;q=1.000", true},
		{"", false}, {"gzip;q=0", false}, {"gzip;q=0.000", false}, {"*, gzip;q=0", false}, {"*;q=0", false},
		{"identity", false},
		{"br", false}, {"gzip;q=0.5, identity", false}, {"gzip;q=x", false}, {"gzip;q=0.5x", false},
		{"gzip;q=2", false},
		{"gzip;level=9", false}, {"gzip;q=0.1234", false}, {"gzipped", false},
	} {
		if got := Gzip([]string{tt.field}); got != tt.want {
			t.Errorf("%q: gzip is %v, want %v", tt.field, got, tt.want)
		}
	}
	if !Gzip([]string{"br", "gzip"}) {
		t.Error("the second field is not read")
	}
	if Gzip(nil) {
		t.Error("gzip without Accept-Encoding")
	}
}
