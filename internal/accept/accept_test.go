package accept

import "testing"

func TestAcceptEncoding(t *testing.T) {
	for field, want := range map[string]Encoding{
		"gzip": Gzip, "GZIP": Gzip, "x-gzip": Gzip, "deflate, gzip;q=1.0": Gzip, "gzip ; q=0.001": Gzip,
		"gzip;q=0.5, identity;q=0.5": Gzip, "*;q=0, gzip": Gzip, "gzip;q=1.000": Gzip, "identity;q=0, gzip": Gzip,
		"br;q=0, gzip": Gzip, "br;q=0.1, gzip": Gzip, "*, br;q=0": Gzip, "br;q=x, gzip": Gzip, "zstd, gzip": Gzip,

		"br": Brotli, "BR": Brotli, "gzip, deflate, br, zstd": Brotli, "*": Brotli, "*;q=0.5": Brotli,
		"br;q=1, gzip;q=0.5, identity;q=0.1": Brotli, "*, gzip;q=0": Brotli, "identity;q=0, *": Brotli,
		"gzip;q=0.5, br;q=0.5, identity;q=0.5": Brotli, "gzip;q=0.5, *": Brotli,

		"": Identity, "gzip;q=0": Identity, "gzip;q=0.000": Identity, "*;q=0": Identity, "identity": Identity,
		"gzip;q=0.5, identity": Identity, "gzip;q=x": Identity, "gzip;q=0.5x": Identity, "gzip;q=2": Identity,
		"gzip;level=9": Identity, "gzip;q=0.1234": Identity, "gzipped": Identity, "deflate": Identity,
		"br;q=0.2, gzip;q=0.3, identity;q=0.4": Identity, "identity;q=0": Identity, "bro": Identity,
	} {
		if got := PreferredEncoding([]string{field}); got != want {
			t.Errorf("%q: %d, want %d", field, got, want)
		}
	}
	if PreferredEncoding([]string{"deflate", "gzip"}) != Gzip {
		t.Error("the second field is not read")
	}
	if PreferredEncoding(nil) != Identity {
		t.Error("compressed without Accept-Encoding")
	}
}
