//go:build !unix

package envfile

import "io/fs"

// trusted trusts every file: systems other than Unix tell a file's owner in other ways.
func trusted(fs.FileInfo) error { return nil }
