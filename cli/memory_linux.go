package cli

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// unmapProgram lets go of the pages of the program's own file, nearly all of which starting has read. What is used
// again is mapped again, from memory as long as the system keeps the file there: within a millisecond in all.
func unmapProgram() {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	mappings, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return
	}
	for _, m := range unwritten(string(mappings), program) {
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, m.first, m.end-m.first, syscall.MADV_DONTNEED)
	}
}

// A mapping is a part of the memory of a process, by addresses.
type mapping struct{ first, end uintptr }

// unwritten returns the mappings of a file, out of /proc/PID/smaps, that are still as they are in it: nobody may write
// to them, and nobody has, as the loader does where it relocates what it then protects. See proc(5).
func unwritten(smaps, file string) (found []mapping) {
	var last *mapping // nil: not of the file, or written to
	for line := range strings.Lines(smaps) {
		fields := strings.Fields(line)
		switch {
		case len(fields) < 2:
		case !strings.HasSuffix(fields[0], ":"): // FIRST-END PERMISSIONS OFFSET DEVICE INODE FILE
			last = nil
			if strings.HasSuffix(strings.TrimSpace(line), " "+file) && !strings.Contains(fields[1], "w") {
				last = parseMapping(fields[0])
			}
		case (fields[0] == "Anonymous:" || fields[0] == "Swap:") && fields[1] != "0":
			last = nil
		case fields[0] == "VmFlags:" && last != nil: // of each mapping the last line
			found = append(found, *last)
		}
	}
	return found
}

// parseMapping returns nil for what is none.
func parseMapping(addresses string) *mapping {
	first, end, _ := strings.Cut(addresses, "-")
	from, err1 := strconv.ParseUint(first, 16, strconv.IntSize)
	to, err2 := strconv.ParseUint(end, 16, strconv.IntSize)
	if err1 != nil || err2 != nil || from >= to {
		return nil
	}
	return &mapping{uintptr(from), uintptr(to)}
}
