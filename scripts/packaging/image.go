package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	inImage = "/usr/local/bin/guestpass"
	data    = "/var/lib/guestpass"
	nobody  = 65532 // who runs it: a number, so that a cluster sees that it is not root
)

// image writes a layout of OCI's for all platforms, to be pushed, and for each platform a file that docker load and
// podman load take.
func (s source) image(out string, platforms []platform) error {
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil { // #nosec G301 -- nothing in it is a secret
		return err
	}
	here := filepath.Join(out, "guestpass-here")
	defer os.Remove(here)
	if err := s.describe(here); err != nil {
		return err
	}
	tag, err := name.NewTag("guestpass:" + s.version)
	if err != nil {
		return err
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, p := range platforms {
		image, err := s.imageFor(p, out)
		if err != nil {
			return err
		}
		if err := tarball.WriteToFile(filepath.Join(out, "guestpass-"+p.arch+".tar"), tag, image); err != nil {
			return err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: p.os, Architecture: p.arch}}})
	}
	path, err := layout.Write(filepath.Join(out, "oci"), empty.Index)
	if err != nil {
		return err
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	fmt.Printf("%s is %s, for docker load, podman load and skopeo in %s\n", tag, digest, out)
	return path.AppendIndex(index, layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": tag.TagStr()}))
}

// imageFor makes the image from nothing but the program, its licences, and a folder for its data. Roots of
// certificates are in the program, and time zones it does not need.
func (s source) imageFor(p platform, out string) (v1.Image, error) {
	program := filepath.Join(out, "guestpass-"+p.arch)
	defer os.Remove(program)
	if err := s.compile(p, true, program); err != nil {
		return nil, err
	}
	layer, err := s.layer(program)
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.Append(image, mutate.Addendum{Layer: layer, MediaType: types.OCILayer,
		History: v1.History{Created: v1.Time{Time: s.at}, CreatedBy: "make image"}})
	if err != nil {
		return nil, err
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Created, file.Config = p.os, p.arch, v1.Time{Time: s.at}, s.config()
	return mutate.ConfigFile(image, file)
}

func (s source) config() v1.Config {
	return v1.Config{
		User: fmt.Sprintf("%d:%d", nobody, nobody), WorkingDir: data, StopSignal: "SIGTERM",
		// More would win over a file of settings. The database is guestpass.db in the working directory.
		Env:        []string{"PATH=/usr/local/bin", "GUESTPASS_ADDR=:8080"},
		Entrypoint: []string{inImage}, Cmd: []string{"serve"},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}}, Volumes: map[string]struct{}{data: {}},
		// Docker's own: OCI has no such thing, and others are told by what runs them.
		Healthcheck: &v1.HealthConfig{Test: []string{"CMD", inImage, "health"}, Interval: 10 * time.Second,
			Timeout: 6 * time.Second, StartPeriod: time.Minute, Retries: 3},
		Labels: map[string]string{
			"org.opencontainers.image.title":       "Guestpass",
			"org.opencontainers.image.description": "Gives ChatGPT, Claude and other assistants a guest pass to an app",
			"org.opencontainers.image.version":     s.version,
			"org.opencontainers.image.revision":    s.commit,
			"org.opencontainers.image.created":     s.at.Format(time.RFC3339),
			"org.opencontainers.image.licenses":    "MIT",
		},
	}
}

// layer holds all files. All have the time of the commit.
func (s source) layer(program string) (v1.Layer, error) {
	const documents = "usr/share/doc/guestpass/"
	bill, err := s.bill(program)
	if err != nil {
		return nil, err
	}
	files := []file{{path: "tmp/", mode: 0o1777}, {path: "usr/local/bin/guestpass", mode: 0o755, from: program},
		{path: documents + "LICENSE", mode: 0o644, from: "LICENSE"},
		{path: documents + "THIRD_PARTY_NOTICES", mode: 0o644, from: "THIRD_PARTY_NOTICES"},
		{path: documents + "guestpass.cdx.json", mode: 0o644, content: bill},
		{path: data[1:] + "/", mode: 0o700, owner: nobody}}
	var text bytes.Buffer
	w := tar.NewWriter(&text)
	for _, f := range files {
		if err := f.writeTar(w, "", s.at); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(text.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
}
