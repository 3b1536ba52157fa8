package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"os"
	"strings"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
)

// bundled is the npm package that the program has in it; see scripts/notices.sh for what that consists of.
const bundled = "@stytch/vanilla-js"

// bill returns what a built program consists of, as CycloneDX: the modules that the Go tool recorded in it, the
// standard library, and what comes from npm.
func (s source) bill(program string) ([]byte, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, err
	}
	components := []cyclonedx.Component{library("std", strings.TrimPrefix(info.GoVersion, "go"), "pkg:golang/std@")}
	for _, dep := range info.Deps {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		components = append(components, library(dep.Path, dep.Version, "pkg:golang/"+dep.Path+"@"))
	}
	version, err := bundledVersion()
	if err != nil {
		return nil, err
	}
	components = append(components, library(bundled, version, "pkg:npm/"+strings.Replace(bundled, "@", "%40", 1)+"@"))
	bom := cyclonedx.NewBOM()
	bom.Metadata = &cyclonedx.Metadata{Timestamp: s.at.Format(time.RFC3339), Component: &cyclonedx.Component{
		BOMRef: "guestpass", Type: cyclonedx.ComponentTypeApplication, Name: "guestpass", Version: s.version}}
	if s.commit != "" {
		bom.Metadata.Component.Properties = &[]cyclonedx.Property{{Name: "commit", Value: s.commit}}
	}
	bom.Components = &components
	var text bytes.Buffer
	err = cyclonedx.NewBOMEncoder(&text, cyclonedx.BOMFileFormatJSON).SetPretty(true).Encode(bom)
	return text.Bytes(), err
}

// library describes one by its package URL, which ends in the version.
func library(name, version, url string) cyclonedx.Component {
	url += strings.ReplaceAll(version, "+", "%2B")
	return cyclonedx.Component{BOMRef: url, Type: cyclonedx.ComponentTypeLibrary, Name: name, Version: version,
		PackageURL: url}
}

func bundledVersion() (string, error) {
	text, err := os.ReadFile("web/package-lock.json")
	if err != nil {
		return "", err
	}
	var lock struct {
		Packages map[string]struct{ Version string }
	}
	if err := json.Unmarshal(text, &lock); err != nil {
		return "", err
	}
	return lock.Packages["node_modules/"+bundled].Version, nil
}
