//go:build !unix

package store

import "io/fs"

// links returns 1, since the system does not tell how many names a file has.
func links(fs.FileInfo) uint64 { return 1 }

// noFollow is nothing: links are seldom there.
const noFollow = 0

// ownedByUs reports true, since the system does not tell.
func ownedByUs(fs.FileInfo) bool { return true }
