package store_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"guestpass/internal/postgrestest"
	"guestpass/store"
)

// A cable is what is between a store and its Postgres. It can be cut after any message of the server.
type cable struct {
	t *testing.T

	mu     sync.Mutex // guards what follows
	left   int        // messages until the cut; negative: it is not to be cut
	end    func(client net.Conn, message []byte)
	stays  bool // nobody gets an answer any more, until it is mended
	broken bool
}

// newCable returns it with the URL that leads through it.
func newCable(t *testing.T, address string) (c *cable, through string) {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	socket := filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432")
	c = &cable{t: t, left: -1}
	relay := postgrestest.Relay(t, func() string { return socket }, c.carry)
	return c, "postgres://postgres@" + relay + u.Path + "?sslmode=disable"
}

func (c *cable) carry(client, server net.Conn) {
	for {
		message := make([]byte, 5) // its kind, and how long it is without that
		if _, err := io.ReadFull(server, message); err != nil {
			return
		}
		message = append(message, make([]byte, binary.BigEndian.Uint32(message[1:])-4)...)
		if _, err := io.ReadFull(server, message[5:]); err != nil {
			return
		}
		if end := c.next(); end != nil {
			end(client, message)
			return
		}
		if _, err := client.Write(message); err != nil {
			return
		}
	}
}

// next returns how the connection ends if it ends now.
func (c *cable) next() (end func(net.Conn, []byte)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.broken:
		return ends["closed"]
	case c.left == 0:
		c.left, c.broken = -1, c.stays
		return c.end
	case c.left > 0:
		c.left--
	}
	return nil
}

// cutAfter has the connection end so many messages from now.
func (c *cable) cutAfter(messages int, end func(net.Conn, []byte), stays bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left, c.end, c.stays, c.broken = messages, end, stays, false
}

// mend returns how many messages were left.
func (c *cable) mend() (left int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	left = c.left
	c.left, c.broken = -1, false
	return left
}

// fatal is the message by which Postgres ends a connection, with one of its codes.
func fatal(code string) []byte {
	fields := "SFATAL\x00VFATAL\x00C" + code + "\x00Mterminating connection\x00\x00"
	message := binary.BigEndian.AppendUint32([]byte{'E'}, uint32(4+len(fields))) // #nosec G115 -- some bytes
	return append(message, fields...)
}

// ends are ways in which a connection ends in place of a message.
var ends = map[string]func(net.Conn, []byte){
	"closed":            func(net.Conn, []byte) {},
	"closed after half": func(client net.Conn, message []byte) { _, _ = client.Write(message[:len(message)/2]) },
	"closed after it":   func(client net.Conn, message []byte) { _, _ = client.Write(message) },
	"reset":             func(client net.Conn, _ []byte) { _ = client.(*net.TCPConn).SetLinger(0) },
	"ended by somebody": func(client net.Conn, _ []byte) { _, _ = client.Write(fatal("57P01")) },
	"ended by a crash":  func(client net.Conn, _ []byte) { _, _ = client.Write(fatal("57P02")) },
}

// Whenever and however a connection to Postgres ends, and whether or not there is another, whoever waits is told that
// the database is not available, never that something is wrong with the program.
func TestAConnectionThatEndsAnywhereIsAnAbsence(t *testing.T) {
	c, through := newCable(t, postgrestest.Shared(t).Database(t))
	s := openWith(t, store.Options{URL: through})
	denials := func(ctx context.Context) error {
		_, err := s.Denials(ctx, time.Now())
		return err
	}
	for what, call := range map[string]func(context.Context) error{"a write": createOf(s, "acme", "ada"),
		"a list": tasksOf(s, "acme"), "a look": denials} {
		for how, end := range ends {
			c.cutAnywhere(what+", "+how, call, end, false)
		}
		c.cutAnywhere(what+", closed for good", call, ends["closed"], true)
	}
}

// cutAnywhere has the connection end at each message of a call, until it has none that is left.
func (c *cable) cutAnywhere(what string, call func(context.Context) error, end func(net.Conn, []byte), stays bool) {
	for messages := range 200 {
		_ = call(c.t.Context()) // which may find what was cut before
		must(c.t, call(c.t.Context()))
		c.cutAfter(messages, end, stays)
		err := call(c.t.Context())
		switch left := c.mend(); {
		case left >= 0 && messages > 1:
			return
		case err != nil && !errors.Is(err, store.ErrUnavailable):
			c.t.Errorf("%s at message %d: %v", what, messages, err)
		}
	}
	c.t.Errorf("%s: it has no end", what)
}
