package cli

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The second mapping is one that the loader has relocated and then protected, the third data, the fourth of another
// file whose name ends alike.
const smaps = `00400000-01400000 r-xp 00000000 fe:00 2 /usr/bin/guest pass
Rss:               13820 kB
Anonymous:             0 kB
Swap:                  0 kB
VmFlags: rd ex mr mw me
01400000-01500000 r--p 01000000 fe:00 2 /usr/bin/guest pass
Rss:                1024 kB
Anonymous:             4 kB
Swap:                  0 kB
VmFlags: rd mr mw me
01500000-01600000 rw-p 01100000 fe:00 2 /usr/bin/guest pass
Rss:                   0 kB
Anonymous:             0 kB
Swap:                  0 kB
VmFlags: rd wr mr mw me
02500000-02600000 r-xp 01100000 fe:00 3 /usr/lib/guest/usr/bin/guest pass
Anonymous:             0 kB
Swap:                  0 kB
VmFlags: rd ex mr mw me
c000000000-c000400000 rw-p 00000000 00:00 0
Anonymous:          4096 kB
VmFlags: rd wr mr mw me
d000000000-d000001000 r--p 00000000 fe:00 2 /usr/bin/guest pass
Anonymous:             0 kB
Swap:                  4 kB
VmFlags: rd mr mw me
`

func TestWhatWasWrittenStaysMapped(t *testing.T) {
	want := []mapping{{0x400000, 0x1400000}}
	if found := unwritten(smaps, "/usr/bin/guest pass"); !slices.Equal(found, want) {
		t.Errorf("found %x in place of %x", found, want)
	}
}

func TestTheProgramIsUnmappedAndGoesOn(t *testing.T) {
	before := residentOfProgram(t)
	returnMemory()
	if after := residentOfProgram(t); after > before*3/4 {
		t.Errorf("of the program's file %d kB are mapped, after %d", after, before)
	}
}

// residentOfProgram returns how many kB of the program's file are mapped.
func residentOfProgram(t *testing.T) (kB int) {
	t.Helper()
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	mappings, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	ours := false
	for line := range strings.Lines(string(mappings)) {
		fields := strings.Fields(line)
		switch {
		case !strings.HasSuffix(fields[0], ":"):
			ours = strings.Contains(line, program)
		case ours && fields[0] == "Rss:":
			resident, _ := strconv.Atoi(fields[1])
			kB += resident
		}
	}
	return kB
}
