package guestpass

import (
	"guestpass/internal/account"
	"guestpass/internal/idp"
)

func (s *Server) buildAccount() (err error) {
	o := s.options
	s.account, err = account.New(account.Options{Pages: s.pages, PublicURL: o.PublicURL,
		LoginHost: idp.Login(o.Login).Host(), Connections: s.connections,
		Directory: s.directory, Members: s.members, SessionOwner: s.verifier.SessionOwner, Store: o.Store,
		Limits:         s.limits,
		DescribeScopes: s.describeScopes, Service: s.service,
		FormKey: o.key("account forms"), Log: o.Log, Now: o.Now})
	return err
}
