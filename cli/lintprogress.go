//go:build !production

package cli

import (
	"fmt"
	"io"
	"time"
)

// quietFor is how long a check of a server says nothing of how far it is.
const quietFor = 10 * time.Second

// progress returns a function that says now and then how far a check is.
func progress(out io.Writer) func(done, all int) {
	last := time.Now()
	return func(done, all int) {
		if time.Since(last) < quietFor {
			return
		}
		last = time.Now()
		fmt.Fprintf(out, "guestpass: %d of %d steps are done\n", done, all)
	}
}
