package guestpass

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"guestpass/internal/idp"
)

// WriteAssets writes the bundles that the program was built with into a folder, which it makes, and returns their
// names. They are for Options.Assets of programs that are built without npm. A bundle belongs to the version of
// Guestpass that it came with.
func WriteAssets(folder string) (names []string, err error) {
	bundles := idp.Bundles()
	if len(bundles) == 0 {
		return nil, idp.ErrNoBundle
	}
	if err := os.MkdirAll(folder, 0o755); err != nil { // #nosec G301 -- of what everybody may read
		return nil, fmt.Errorf("write the assets: %w", err)
	}
	names = slices.Sorted(maps.Keys(bundles))
	for _, name := range names {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, bundles[name], 0o644); err != nil { // #nosec G306 -- everybody may read it
			return nil, fmt.Errorf("write the assets: %w", err)
		}
	}
	return names, nil
}
