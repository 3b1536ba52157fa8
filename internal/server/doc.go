// Package server tests what only the assembled server can show: the whole loop, with the emulator of Stytch, a
// browser, and whoever means no good. It has no code of its own.
package server
