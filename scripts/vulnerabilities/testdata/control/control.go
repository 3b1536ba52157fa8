// Package control imports packages with known vulnerabilities.
package control

import (
	_ "golang.org/x/net/html"
	_ "golang.org/x/net/http2"
)
