// Command gosec looks for dangerous code, as `make lint` does. It is gosec's analysis
// without its own command, which takes minutes and gigabytes to build with clients of
// language models, and in a module of its own, which keeps the versions of gosec's
// dependencies out of the program.
package main

import (
	"github.com/securego/gosec/v2/goanalysis"
	"golang.org/x/tools/go/analysis/singlechecker"
)

func main() { singlechecker.Main(goanalysis.Analyzer) }
