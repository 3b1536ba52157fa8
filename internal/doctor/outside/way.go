package outside

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"guestpass/internal/doctor"
	"guestpass/internal/upstream"
)

// wayChecks are about the way to the server: its name, its certificate, and the version of TLS.
var wayChecks = []doctor.Check[*visit]{
	{Name: "dns", Asks: "has the host public addresses?",
		Expected: "addresses that the world reaches",
		Remedy:   "see the records of the host at your DNS",
		Look:     lookAtDNS},
	{Name: "connection", Asks: "does anybody answer at the host's port?",
		Expected: "a server, or the proxy in front of it",
		Look:     lookAtConnection},
	{Name: "certificate", Asks: "is the certificate of the host, with a chain to an authority that is trusted?",
		Remedy: "give the proxy in front the certificate of the host with all intermediate ones (a full chain), from " +
			"an authority that everybody trusts",
		Look: lookAtCertificate},
	{Name: "certificate-expiry", Asks: "is the certificate valid today, and for the next 14 days?",
		Expected: "a certificate that is valid for 14 days more",
		Remedy:   "renew the certificate, and see why that did not happen by itself",
		Look:     lookAtExpiry},
	{Name: "tls", Asks: "does the server speak TLS 1.2 or later, and nothing older?",
		Expected: "TLS 1.2 and 1.3, and no older version",
		Remedy:   "set the versions of TLS at the proxy in front: clients refuse older ones",
		Look:     lookAtTLS},
}

func lookAtDNS(_ context.Context, v *visit) doctor.Finding {
	addresses, err := v.addresses()
	if err != nil {
		return doctor.Wrong("the host %s has no address: %s", v.host, reasonOf(err))
	}
	var public, internal []string
	for _, address := range addresses {
		if address = address.Unmap(); upstream.Public(address) {
			public = append(public, address.String())
		} else {
			internal = append(internal, address.String())
		}
	}
	slices.Sort(public)
	slices.Sort(internal)
	switch {
	case isHere(v.host):
		return doctor.Well("the host is this machine, which nobody else reaches")
	case len(internal) > 0:
		return doctor.Doubtful("the host %s has internal addresses: %s", v.host, strings.Join(internal, ", "))
	}
	return doctor.Well("the host %s has the addresses %s", v.host, strings.Join(public, ", "))
}

func lookAtConnection(_ context.Context, v *visit) doctor.Finding {
	if _, err := v.addresses(); err != nil {
		return doctor.NotLooked("the host has no address; see dns")
	}
	where := net.JoinHostPort(v.host, v.port)
	switch err := v.reached(); {
	case err == nil:
		return doctor.Well("somebody answers at %s", where)
	case errors.Is(err, syscall.ECONNREFUSED):
		return doctor.Wrong("nothing listens at %s", where).
			MendedBy("start the server, or the proxy in front of it, and see whether it listens at port %s", v.port)
	default:
		return doctor.Wrong("nobody answers at %s: %s", where, reasonOf(err)).
			MendedBy("see whether the machine runs, and whether a firewall lets port %s through", v.port)
	}
}

// reasonOf returns what failed without the names of servers that were asked.
func reasonOf(err error) string {
	var name *net.DNSError
	var late net.Error
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return "no such host"
	case errors.As(err, &name) && name.IsTimeout:
		return "DNS did not answer in time"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &late) && late.Timeout():
		return "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return "the connection was closed"
	case errors.As(err, new(tls.RecordHeaderError)):
		return "what is said there is not TLS"
	}
	return err.Error()
}

// reach connects, and sends nothing.
func (v *visit) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	connection, err := v.Dial(ctx, "tcp", net.JoinHostPort(v.host, v.port))
	if err != nil {
		return err
	}
	return connection.Close()
}

// shakeHands connects with no version above most, 0 for any, and returns what was agreed. It trusts whatever is shown:
// the checks judge that.
func (v *visit) shakeHands(ctx context.Context, most uint16) (*tls.ConnectionState, error) {
	ctx, cancel := context.WithTimeout(ctx, questionTimeout)
	defer cancel()
	plain, err := v.Dial(ctx, "tcp", net.JoinHostPort(v.host, v.port))
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	// #nosec G402 -- nothing is sent here: it is about to be told what is wrong with certificate and version
	connection := tls.Client(plain, &tls.Config{ServerName: v.host, InsecureSkipVerify: true,
		MinVersion: tls.VersionTLS10, MaxVersion: most})
	if err := connection.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	state := connection.ConnectionState()
	return &state, nil
}

// certificates returns what the server shows, or the finding if there is nothing to judge.
func (v *visit) certificates() ([]*x509.Certificate, *doctor.Finding) {
	if !v.secure {
		f := doctor.Well("there is none: http is for this machine only")
		return nil, &f
	}
	state, err := v.connection()
	if err != nil {
		f := doctor.NotLooked("the server shows none; see tls")
		return nil, &f
	}
	return state.PeerCertificates, nil
}

func lookAtCertificate(_ context.Context, v *visit) doctor.Finding {
	shown, nothing := v.certificates()
	if nothing != nil {
		return *nothing
	}
	first, between := shown[0], x509.NewCertPool()
	for _, other := range shown[1:] {
		between.AddCert(other)
	}
	if err := first.VerifyHostname(v.host); err != nil {
		return doctor.Wrong("the certificate is not of the host: it is for %s",
			cmp.Or(strings.Join(namesOf(first), ", "), "nobody")).Expecting("a certificate for %s", v.host)
	}
	_, err := first.Verify(x509.VerifyOptions{Roots: v.Roots, Intermediates: between, CurrentTime: v.validAt(first)})
	switch {
	case err != nil && slices.Equal(first.RawIssuer, first.RawSubject):
		return doctor.Wrong("the certificate is signed by itself").Expecting("a certificate of an authority that is " +
			"trusted")
	case err != nil:
		return doctor.Wrong("the chain of the certificate leads to nobody who is trusted: it has %d certificates, "+
			"the last issued by %q", len(shown), shown[len(shown)-1].Issuer.CommonName).
			Expecting("a full chain to an authority that is trusted")
	}
	return doctor.Well("the certificate is for %s, issued by %q", strings.Join(namesOf(first), ", "),
		first.Issuer.CommonName)
}

func namesOf(certificate *x509.Certificate) []string {
	names := slices.Clone(certificate.DNSNames)
	for _, address := range certificate.IPAddresses {
		names = append(names, address.String())
	}
	return names
}

// validAt returns now, or the nearest time at which the certificate is valid: that it is not is told by itself.
func (v *visit) validAt(certificate *x509.Certificate) time.Time {
	now := v.Now()
	switch {
	case now.Before(certificate.NotBefore):
		return certificate.NotBefore
	case now.After(certificate.NotAfter):
		return certificate.NotAfter
	}
	return now
}

// renewBefore is how long before its end a certificate that renews itself has been renewed.
const renewBefore = 14 * 24 * time.Hour

func lookAtExpiry(_ context.Context, v *visit) doctor.Finding {
	shown, nothing := v.certificates()
	if nothing != nil {
		return *nothing
	}
	now, until := v.Now(), shown[0].NotAfter
	for _, other := range shown[1:] { // one between may end earlier
		if other.NotAfter.Before(until) {
			until = other.NotAfter
		}
	}
	day := until.UTC().Format(time.DateOnly)
	switch {
	case now.Before(shown[0].NotBefore):
		return doctor.Wrong("the certificate is valid from %s on only", shown[0].NotBefore.UTC().Format(time.DateOnly))
	case now.After(until):
		return doctor.Wrong("the certificate ended on %s", day)
	case until.Sub(now) < renewBefore:
		return doctor.Doubtful("the certificate ends on %s", day)
	}
	return doctor.Well("the certificate is valid until %s", day)
}

func lookAtTLS(ctx context.Context, v *visit) doctor.Finding {
	if !v.secure {
		return doctor.Well("there is none: http is for this machine only")
	}
	if v.reached() != nil {
		return doctor.NotLooked("nobody answers; see dns and connection")
	}
	state, err := v.connection()
	if err != nil {
		return doctor.Wrong("no TLS with %s: %s", net.JoinHostPort(v.host, v.port), reasonOf(err)).
			MendedBy("see whether the proxy in front of the server speaks TLS at port %s", v.port)
	}
	if state.Version < tls.VersionTLS12 {
		return doctor.Wrong("the server speaks %s at most", tls.VersionName(state.Version))
	}
	if old, err := v.shakeHands(ctx, tls.VersionTLS11); err == nil {
		return doctor.Doubtful("the server speaks %s, and %s as well", tls.VersionName(state.Version),
			tls.VersionName(old.Version))
	}
	return doctor.Well("the server speaks %s, and nothing older than TLS 1.2", tls.VersionName(state.Version))
}

// near reports whether the site has addresses of this machine or of a network around it alone.
func (v *visit) near() bool {
	addresses, _ := v.addresses()
	return !slices.ContainsFunc(addresses, func(a netip.Addr) bool { return upstream.Public(a.Unmap()) })
}
