//go:build !linux

package cli

// unmapProgram has no way to do so here.
func unmapProgram() {}
