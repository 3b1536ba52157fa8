#!/usr/bin/env bash
# Prints the licences of everything that the program and its pages ship, from the
# module cache and node_modules.
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

section "swagger-ui-dist (npm; on the page /docs)"
cat web/node_modules/swagger-ui-dist/LICENSE web/node_modules/swagger-ui-dist/NOTICE
cat web/node_modules/swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt

section "@stytch/vanilla-js (npm; on the page /idp). The package carries no licence file; its package.json says MIT"
cat scripts/licences/stytch-vanilla-js.txt

section "moo (inside @stytch/vanilla-js)"
cat scripts/licences/moo.txt
