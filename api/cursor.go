package api

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
)

// cursorSigner makes list cursors that only work for the list they came from: the
// same operation, owner and filters. A cursor is the position and an HMAC over
// both; nothing in it is secret.
type cursorSigner struct{ key []byte }

func newCursorSigner(key []byte) cursorSigner {
	if key == nil {
		key = make([]byte, 32)
		_, _ = rand.Read(key) // never fails, says crypto/rand
	}
	return cursorSigner{key}
}

const cursorMAC = 16 // bytes; forging one takes 2^128 tries

// seal returns the cursor for a position, "" for the empty position, which is the end of a list.
func (c cursorSigner) seal(position string, list ...string) string {
	if position == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append(c.mac(position, list), position...))
}

// open returns the position, and false for a cursor that this list did not make.
func (c cursorSigner) open(cursor string, list ...string) (position string, ok bool) {
	if cursor == "" {
		return "", true
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) <= cursorMAC || strings.ContainsAny(cursor, "\r\n") { // which encoding/base64 skips
		return "", false
	}
	position = string(raw[cursorMAC:])
	return position, hmac.Equal(raw[:cursorMAC], c.mac(position, list))
}

func (c cursorSigner) mac(position string, list []string) []byte {
	h := hmac.New(sha256.New, c.key)
	for _, part := range append([]string{position}, list...) {
		fmt.Fprintf(h, "%d:%s", len(part), part) // with lengths, so that no two lists read alike
	}
	return h.Sum(nil)[:cursorMAC]
}
