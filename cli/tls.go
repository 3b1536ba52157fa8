package cli

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"

	"guestpass/internal/certificates"
	"guestpass/internal/credentials"
	"guestpass/store"
)

// Values of GUESTPASS_TLS that are no files.
const (
	noTLS   = "off"
	autoTLS = "auto"
)

var certificateEndings = []string{".pem", ".crt", ".cer", ".key"}

// checkTLS admits a word or the name of a file; [config.checkCertificates] knows how many there may be.
func checkTLS(text string) error {
	if text == noTLS || text == autoTLS {
		return nil
	}
	if credentials.LooksSecret(text) || !slices.Contains(certificateEndings, filepath.Ext(text)) {
		return errors.New("must be auto, off, or the files of a certificate and its key, which end in " +
			strings.Join(certificateEndings, ", ") + ": fullchain.pem,privkey.pem")
	}
	return nil
}

// checkDirectory admits the directory of an ACME authority.
func checkDirectory(text string) error {
	if err := checkPrivacyURL(text); err != nil {
		return errors.New("must be the https address of an authority's directory, such as " +
			"https://acme-v02.api.letsencrypt.org/directory")
	}
	return nil
}

// speaksTLS reports whether the server does without a proxy that speaks TLS.
func (c config) speaksTLS() bool { return len(c.TLS) > 0 && !slices.Contains(c.TLS, noTLS) }

// checkCertificates finds what contradicts GUESTPASS_TLS, and what is of no use without it.
func (c config) checkCertificates() (faults []error) {
	const name = "GUESTPASS_TLS"
	fault := func(name, words string) { faults = append(faults, c.fault(name, "%s", words)) }
	words := slices.Contains(c.TLS, noTLS) || slices.Contains(c.TLS, autoTLS)
	switch {
	case words && len(c.TLS) > 1, !words && len(c.TLS) != 2 && len(c.TLS) > 0:
		fault(name, "must be auto, off, or two files: the certificate, with those of the authorities above it, and "+
			"its private key")
		return faults
	case !c.speaksTLS() && !c.wrong[name]:
		for _, useless := range []string{"GUESTPASS_PLAIN_ADDR", "GUESTPASS_ACME_DIRECTORY"} {
			if c.given[useless] != "" {
				fault(useless, "is set without GUESTPASS_TLS: set that too, or leave this out")
			}
		}
		return faults
	}
	if c.ACMEDirectory != "" && !slices.Contains(c.TLS, autoTLS) && !c.wrong[name] {
		fault("GUESTPASS_ACME_DIRECTORY", "is set and GUESTPASS_TLS is not auto: nobody is asked for a certificate; "+
			"leave one of them out")
	}
	if c.PlainAddr != "" && c.PlainAddr == c.Addr {
		fault("GUESTPASS_PLAIN_ADDR", "must be another address than GUESTPASS_ADDR, such as :80")
	}
	public, err := parseOrigin(c.PublicURL)
	switch {
	case err != nil || c.wrong[name]: // told already
	case public.Scheme != "https":
		fault(name, "is set, but GUESTPASS_PUBLIC_URL is not https")
	case slices.Contains(c.TLS, autoTLS) && (net.ParseIP(public.Hostname()) != nil || loopback(public.Hostname()) ||
		!strings.Contains(public.Hostname(), ".")):
		fault(name, "is auto, but no authority certifies the host of GUESTPASS_PUBLIC_URL: it must be a public name")
	}
	return faults
}

// fromFiles returns the certificates of the files that the settings name, nil for none.
func (c config) fromFiles(log *slog.Logger) (*certificates.Certificates, error) {
	if len(c.TLS) != 2 {
		return nil, nil
	}
	return c.certificates(certificates.Options{Log: log,
		Files: certificates.Files{Certificate: c.TLS[0], Key: c.TLS[1]}})
}

// fromAuthority returns the certificates that an authority gives, nil if none is to be asked.
func (c config) fromAuthority(database *store.Store, log *slog.Logger) (*certificates.Certificates, error) {
	if !slices.Contains(c.TLS, autoTLS) {
		return nil, nil
	}
	// As every secret of our own it is derived from the project's.
	key, err := hkdf.Key(sha256.New, []byte(c.Secret), nil, "guestpass: certificates", 32)
	if err != nil {
		return nil, err
	}
	return c.certificates(certificates.Options{Log: log,
		Automatic: certificates.Automatic{Directory: c.ACMEDirectory, Store: database, Key: key}})
}

func (c config) certificates(o certificates.Options) (*certificates.Certificates, error) {
	public, err := parseOrigin(c.PublicURL)
	if err != nil {
		return nil, err
	}
	o.Host = public.Hostname()
	found, err := certificates.New(o)
	if err != nil {
		return nil, usagef("not started: %w", c.fault("GUESTPASS_TLS", "cannot be used: %w", err))
	}
	return found, nil
}

// secured returns what answers: the server by TLS where it speaks that itself, and what leads to it from plain http.
func (c config) secured(server parts, found *certificates.Certificates, log *slog.Logger) (all []parts, err error) {
	if found == nil {
		return []parts{server}, nil
	}
	if c.PlainAddr != "" {
		plain, err := listen(c.PlainAddr)
		if err != nil {
			return nil, err
		}
		log.Info("leading plain http to https", "plain_addr", plain.Addr().String())
		all = append(all, parts{listener: plain, handler: found.Plain(c.PublicURL), grace: server.grace})
	}
	server.tls = found.Config()
	return append(all, server), nil
}
