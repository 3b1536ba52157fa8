//go:build unix

package ownfile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// Trusted refuses a file with which another user of the machine would decide what the program does. Root decides that
// anyway.
func Trusted(info fs.FileInfo) error {
	const everybodyWrites = 0o002
	owner, ok := info.Sys().(*syscall.Stat_t)
	if me := os.Geteuid(); ok && owner.Uid != 0 && int(owner.Uid) != me {
		return errors.New("belongs to another user of this machine")
	}
	if info.Mode().Perm()&everybodyWrites != 0 {
		return errors.New("can be changed by every user of this machine")
	}
	return nil
}
