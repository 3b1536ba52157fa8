package cli

import (
	"crypto/x509"
	"sync"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// trustsLater is the annotation of commands that call trustRoots themselves.
const trustsLater = "calls trustRoots itself"

// trustRoots has authorities be trusted where the system has no list of them, as in an image made from nothing. Where
// there is a list it counts. It reads that list, which takes a twentieth of a start, so serve has it done beside other
// work. Nothing may be asked over TLS before it has returned once. It may be called by several at once.
var trustRoots = sync.OnceFunc(func() {
	pool := x509.NewCertPool()
	for root := range bundle.Roots() {
		certificate, err := x509.ParseCertificate(root.Certificate)
		switch {
		case err != nil:
			panic(err) // the bundle is a part of the program
		case root.Constraint == nil:
			pool.AddCert(certificate)
		default:
			pool.AddCertWithConstraint(certificate, root.Constraint)
		}
	}
	x509.SetFallbackRoots(pool)
})
