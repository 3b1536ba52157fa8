package guestpass

import (
	"context"
	"time"

	"guestpass/internal/stytch"
)

const (
	issuerFresh = 10 * time.Minute // for which nobody on the page waits for it
	issuerWait  = 2 * time.Second
	issuerPause = 10 * time.Second // between two tries for somebody on the page
)

// authorizationServer is the metadata of the project's domain, as they were read.
type authorizationServer struct {
	stytch.Metadata

	read time.Time
}

// advertised returns the issuer that responses of /idp may carry, "" for none; known is false while the metadata could
// not be read. If they are missing or old, whoever opens the page waits for them, for two seconds at most, and once for
// everybody.
func (s *Server) advertised(ctx context.Context) (issuer string, known bool) {
	as, now := s.issuer.Load(), s.options.Now()
	old := as == nil || now.Sub(as.read).Abs() > issuerFresh
	if old && now.Sub(time.Unix(0, s.issuerTried.Load())).Abs() > issuerPause {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), issuerWait)
		defer cancel()
		_, _, _ = s.asking.Do("metadata", func() (any, error) { return s.readIssuer(ctx) })
		as = s.issuer.Load()
	}
	switch {
	case as == nil:
		return "", false
	case as.SendsIssuer:
		return as.Issuer, true
	}
	return "", true
}

// readIssuer reads and keeps the metadata. If it cannot, what was read before stays.
func (s *Server) readIssuer(ctx context.Context) (stytch.Metadata, error) {
	s.issuerTried.Store(s.options.Now().UnixNano())
	m, err := s.public.Metadata(ctx, s.options.Domain)
	if err != nil {
		return m, err
	}
	s.issuer.Store(&authorizationServer{m, s.options.Now()})
	return m, nil
}
