// Command packaging makes what is given to others, in the root of the repository: `packaging image` an image for
// containers, `packaging release` an archive for each platform, with checksums. The same commit gives the same bytes
// with the same Go. It is a module of its own, which keeps its libraries out of the program.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "packaging:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("packaging image|release", flag.ContinueOnError)
	version := flags.String("version", "", "version, where no tag of Git's says it")
	commit := flags.String("commit", "", "commit, where there is no Git")
	platforms := flags.String("platforms", "", "such as linux/amd64,linux/arm64")
	out := flags.String("out", "", "folder to write to")
	if len(args) == 0 {
		return errors.New("say what to make: image or release")
	}
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	s, err := readSource(*version, *commit)
	if err != nil {
		return err
	}
	switch args[0] {
	case "image":
		return s.image(or(*out, "bin/image"), list(or(*platforms, "linux/amd64,linux/arm64")))
	case "release":
		return s.archives(or(*out, "bin/release"), list(or(*platforms,
			"linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64")))
	}
	return fmt.Errorf("there is no %q: say image or release", args[0])
}

func or(first, second string) string {
	if first != "" {
		return first
	}
	return second
}

// A platform is an operating system and an architecture, as Go names them.
type platform struct{ os, arch string }

func list(text string) (platforms []platform) {
	for word := range strings.SplitSeq(text, ",") {
		system, arch, _ := strings.Cut(word, "/")
		platforms = append(platforms, platform{system, arch})
	}
	return platforms
}

// A source is what is built: the module in the working directory.
type source struct {
	module  string
	version string // without the v of a tag; "": the program names itself
	commit  string // with -dirty if there is more in the directory; "" where nobody knows
	at      time.Time
}

// readSource asks Git for what it is not told. SOURCE_DATE_EPOCH is the time, where it is set.
func readSource(version, commit string) (s source, err error) {
	if s.module, err = output("go", "list", "-m"); err != nil {
		return s, err
	}
	s.version, s.commit = strings.TrimPrefix(version, "v"), commit
	if s.commit == "" {
		s.commit, _ = output("git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty")
	}
	if s.version == "" { // of a commit without a tag there is no name
		tag, _ := output("git", "describe", "--tags", "--exact-match", "--dirty")
		s.version = strings.TrimPrefix(tag, "v")
	}
	seconds := os.Getenv("SOURCE_DATE_EPOCH")
	if seconds == "" {
		seconds, _ = output("git", "log", "-1", "--format=%ct")
	}
	epoch, err := strconv.ParseInt(or(seconds, "0"), 10, 64)
	if err != nil {
		return s, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	s.at = time.Unix(epoch, 0).UTC()
	return s, nil
}

// compile builds the program, linked statically, without the tables of a debugger.
func (s source) compile(p platform, production bool, to string) error {
	link := "-s -w"
	for _, said := range []struct{ name, value string }{{"linkedVersion", s.version}, {"linkedCommit", s.commit}} {
		if said.value != "" {
			link += fmt.Sprintf(" -X %s/cli.%s=%s", s.module, said.name, said.value)
		}
	}
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags", link, "-o", to}
	if production {
		args = append(args, "-tags", "production")
	}
	// #nosec G204 -- the words of whoever builds
	command := exec.Command("go", append(args, "./cmd/guestpass")...)
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.os, "GOARCH="+p.arch)
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("build for %s/%s: %w", p.os, p.arch, err)
	}
	return nil
}

// describe builds the program for this machine, and asks it for its version, if nobody else knows it.
func (s *source) describe(program string) error {
	if err := s.compile(platform{runtime.GOOS, runtime.GOARCH}, true, program); err != nil {
		return err
	}
	said, err := output(program, "version", "--json")
	if err != nil {
		return err
	}
	var known struct{ Version string }
	if err := json.Unmarshal([]byte(said), &known); err != nil {
		return err
	}
	s.version = known.Version
	return nil
}

func output(name string, args ...string) (string, error) {
	text, err := exec.Command(name, args...).Output() // #nosec G204 -- Go and Git, and what was just built
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(text)), nil
}
