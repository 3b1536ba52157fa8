#!/usr/bin/env bash
# Prints the licences of everything that the program and its pages ship, from the
# module cache, node_modules and, where a package does not bring its own, scripts/licences.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C

cat <<'END'
Guestpass ships the software below, each under its own licence.
Written by scripts/notices.sh; do not edit.
END

section() { printf '\n%s\n%s\n\n' '================================================================' "$1"; }

# No version in the output: it would change with every update, the licence does not.
go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}' ./cmd/guestpass | sort -u |
while read -r path dir; do
  section "$path"
  files=$(find "$dir" -maxdepth 1 -type f \( -iname 'licen[sc]e*' -o -iname 'copying*' -o -iname 'notice*' \) | sort)
  [ -n "$files" ] || { echo "no licence file in $path" >&2; exit 1; }
  while read -r file; do tr -d '\r' < "$file"; done <<< "$files"
done

section "Go standard library (in the program)"
cat "$(go env GOROOT)/LICENSE"

section "@stytch/vanilla-js (npm; on the page /idp). The package carries no licence file; its package.json says MIT"
cat scripts/licences/stytch-vanilla-js.txt

# The bundles of @stytch/vanilla-js contain other packages, which only their source maps name.
bundles=web/node_modules/@stytch/vanilla-js/dist/iife
inlined=$(node -e '
  for (const map of process.argv.slice(1))
    for (const source of JSON.parse(fs.readFileSync(map)).sources) {
      const name = source.match(/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/)
      if (name) console.log(name[1])
    }' "$bundles/index.js.map" "$bundles/b2b/index.js.map" | sort -u)
[ -n "$inlined" ] || { echo "the source maps in $bundles name no packages" >&2; exit 1; }

# @scope.txt is for all packages of the scope, which then have the same text and holder.
for name in $inlined; do
  licence=$name
  [ -f "scripts/licences/$licence.txt" ] || licence=${name%%/*}
  [ -f "scripts/licences/$licence.txt" ] || { echo "$bundles contains $name: put its licence into scripts/licences/$name.txt" >&2; exit 1; }
  echo "$licence"
done | sort -u |
while read -r licence; do
  section "$licence (inside @stytch/vanilla-js)"
  cat "scripts/licences/$licence.txt"
done
