//go:build !unix

package ownfile

import "io/fs"

// Trusted trusts every file: systems other than Unix tell a file's owner in other ways.
func Trusted(fs.FileInfo) error { return nil }
