package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A file is one of an archive or of an image: its content, or the name of the file that has it. A path that ends in a
// slash is a folder.
type file struct {
	path    string
	mode    int64
	owner   int
	content []byte
	from    string
}

func (f file) read() ([]byte, error) {
	if f.from == "" {
		return f.content, nil
	}
	return os.ReadFile(f.from) // #nosec G304 -- of this repository, or just built
}

func (f file) writeTar(w *tar.Writer, folder string, at time.Time) error {
	content, err := f.read()
	if err != nil {
		return err
	}
	header := &tar.Header{Name: folder + f.path, Mode: f.mode, Uid: f.owner, Gid: f.owner, Size: int64(len(content)),
		ModTime: at, Typeflag: tar.TypeReg, Format: tar.FormatPAX}
	if strings.HasSuffix(f.path, "/") {
		header.Typeflag = tar.TypeDir
	}
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	_, err = w.Write(content)
	return err
}

func (f file) writeZip(w *zip.Writer, folder string, at time.Time) error {
	content, err := f.read()
	if err != nil {
		return err
	}
	header := &zip.FileHeader{Name: folder + f.path, Method: zip.Deflate, Modified: at}
	header.SetMode(os.FileMode(f.mode)) // #nosec G115 -- of the tables here
	to, err := w.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = to.Write(content)
	return err
}

// archives writes one for each platform, and SHA256SUMS.
func (s source) archives(out string, platforms []platform) error {
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil { // #nosec G301 -- nothing in it is a secret
		return err
	}
	built, err := os.MkdirTemp("", "guestpass-release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(built)
	here := filepath.Join(built, "guestpass-here")
	if err := s.describe(here); err != nil {
		return err
	}
	scripts, err := completions(here)
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, p := range platforms {
		name, text, err := s.archive(p, built, scripts)
		if err != nil {
			return err
		}
		// #nosec G306 -- it is for everybody
		if err := os.WriteFile(filepath.Join(out, name), text, 0o644); err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(text), name)
		fmt.Println(filepath.Join(out, name))
	}
	// #nosec G306 -- it is for everybody
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(sums.String()), 0o644)
}

// completions returns what shells are told of the program.
func completions(program string) (scripts []file, err error) {
	for _, shell := range []struct{ name, file string }{{"bash", "guestpass.bash"}, {"zsh", "_guestpass"},
		{"fish", "guestpass.fish"}, {"powershell", "guestpass.ps1"}} {
		script, err := output(program, "completion", shell.name)
		if err != nil {
			return nil, err
		}
		scripts = append(scripts, file{path: "completions/" + shell.file, mode: 0o644, content: []byte(script + "\n")})
	}
	return scripts, nil
}

// archive returns the archive's name and content: both programs, what each consists of, and what one needs to run them.
func (s source) archive(p platform, built string, more []file) (name string, text []byte, err error) {
	var files []file
	for _, program := range []string{"guestpass", "guestpass-production"} {
		path := filepath.Join(built, program+"-"+p.os+"-"+p.arch)
		if err := s.compile(p, program != "guestpass", path); err != nil {
			return "", nil, err
		}
		bill, err := s.bill(path)
		if err != nil {
			return "", nil, err
		}
		in := program
		if p.os == "windows" {
			in += ".exe"
		}
		files = append(files, file{path: in, mode: 0o755, from: path},
			file{path: program + ".cdx.json", mode: 0o644, content: bill})
	}
	documents := []string{"README.md", "CHANGELOG.md", "LICENSE", "THIRD_PARTY_NOTICES", "SECURITY.md",
		"deploy/guestpass.service", "deploy/compose.yaml", "deploy/haproxy.cfg", "deploy/alerts.yaml"}
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		return "", nil, err
	}
	for _, document := range append(documents, pages...) {
		files = append(files, file{path: document, mode: 0o644, from: document})
	}
	files = append(files, more...)
	name = fmt.Sprintf("guestpass_%s_%s_%s", s.version, p.os, p.arch)
	if p.os == "windows" {
		text, err = zipped(files, name+"/", s.at)
		return name + ".zip", text, err
	}
	text, err = tarred(files, name+"/", s.at)
	return name + ".tar.gz", text, err
}

func tarred(files []file, folder string, at time.Time) ([]byte, error) {
	var text bytes.Buffer
	compressed := gzip.NewWriter(&text)
	w := tar.NewWriter(compressed)
	for _, f := range files {
		if err := f.writeTar(w, folder, at); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	err := compressed.Close()
	return text.Bytes(), err
}

func zipped(files []file, folder string, at time.Time) ([]byte, error) {
	var text bytes.Buffer
	w := zip.NewWriter(&text)
	for _, f := range files {
		if err := f.writeZip(w, folder, at); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return text.Bytes(), err
}
