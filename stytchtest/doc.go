// Package stytchtest is an emulator of Stytch, for tests, demos and `guestpass dev`,
// named as net/http/httptest is. The real stytch-go and the real browser SDK talk to
// it over HTTP. It signs with keys made at start, keeps everything in memory, answers
// on loopback only and refuses live ids.
//
// It emulates B2B and Consumer projects: people and organizations, every way of signing
// in that needs no third party (and a stand-in for OAuth providers), Connected Apps,
// consent, tokens, and the management API. Mail arrives in an inbox. What of that is
// documented behaviour and what is a choice stands in README.md, beside a table of every
// endpoint. It shares no code with the server that it is used to test.
//
// # Where to find what
//
// routes.go has the table of everything that is answered, and leads to each endpoint. All
// endpoints share one state under one lock (state.go), which is why they are one package.
// Files are named for their floor, and tests for the file that they test:
//
//	seed*.go        what an emulator starts with: types, file format, rules, development seeds
//	state.go        what changes: sessions, codes, grants, consents, inbox; export and import
//	people_*.go     organizations, members, users, roles, and searches among them
//	login_*.go      ways of signing in: codes, links, passwords, OAuth, discovery, sessions, mail
//	apps_*.go       OAuth clients: made by a server, registered, described by a document
//	tokens_*.go     consent, codes, tokens and their claims, keys, discovery documents
//	management_*.go the API of the workspace: settings of the project, RBAC policy
//	control*.go     the emulator's own page and endpoints under /_emulator/: clock, faults, requests
//
// What needs no state is in packages of its own below internal/:
//
//	wire       how Stytch's API reads bodies and writes failures
//	keys       signing keys, their rotation and publication
//	loopback   whom the emulator answers: programs and pages of this machine
//	documents  how metadata documents of clients are fetched
//	faults     requests that fail on purpose, and chaos
//	page       the HTML pages and what is on them
package stytchtest
