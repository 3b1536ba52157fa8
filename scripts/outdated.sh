#!/usr/bin/env bash
# Lists what has a newer version than we use: each direct Go module, of every module here, and each npm package.
# docs/dependencies.md says of those that stay behind why they do.
set -euo pipefail
cd "$(dirname "$0")/.."

# direct names the modules that the go.mod of the folder asks for: those that code imports, and those of its tools.
direct() {
  go -C "$1" list -m -f '{{if not (or .Main .Indirect .Replace)}}{{.Path}} {{.Version}}{{end}}' all
  go -C "$1" list -f '{{with .Module}}{{.Path}} {{.Version}}{{end}}' tool
}

for folder in . examples/bookmarks examples/embedded examples/expenses scripts/gosec scripts/packaging scripts/pebble; do
  direct "$folder" 2>/dev/null | sort -u | while read -r path version; do
    # A proxy may not serve the list of versions, which -u wants: latest is asked for by itself.
    newest=$(go -C "$folder" list -m -f '{{.Version}}' "$path@latest" 2>/dev/null || echo unknown)
    # What is used may be newer than what the proxy calls the latest.
    if [ "$newest" != "$version" ] && [ "$(printf '%s\n' "$version" "$newest" | sort -V | tail -n 1)" = "$newest" ]; then
      printf '%-22s %-45s %-12s %s\n' "$folder" "$path" "$version" "$newest"
    fi
  done
done
for folder in web acceptance internal/measure/peers; do
  (cd "$folder" && npm outdated --json --package-lock-only 2>/dev/null || true) | node -e '
    const folder = process.argv[1];
    for (const [name, { wanted, latest }] of Object.entries(JSON.parse(require("fs").readFileSync(0, "utf8") || "{}")))
      console.log(folder.padEnd(22), name.padEnd(45), String(wanted).padEnd(12), latest);' "$folder"
done
