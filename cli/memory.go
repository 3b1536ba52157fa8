package cli

import (
	"runtime"
	"runtime/debug"
)

// returnMemory gives back to the system what starting took beside what stays in use.
func returnMemory() {
	runtime.GC() // what is in a sync.Pool outlives one collection: here buffers in which migrations were read
	debug.FreeOSMemory()
	unmapProgram()
}
