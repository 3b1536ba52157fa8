//go:build race && !production

package cli

func init() { raced = true }
