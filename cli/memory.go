package cli

import (
	"runtime"
	"runtime/debug"
)

// returnMemory gives back to the system what starting took beside what stays in use, and has no more of the program's
// file count as its memory than is used.
func returnMemory() {
	runtime.GC() // what is in a sync.Pool outlives one collection: here buffers in which migrations were read
	debug.FreeOSMemory()
	unmapProgram()
}
