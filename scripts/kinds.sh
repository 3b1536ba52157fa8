#!/usr/bin/env bash
# Attacks from outside, kind by kind: runs the tests of each, and prints a line with how many passed. SECURITY.md says
# what stands against each kind. The last line is every other attack on the server, so that no test of one is left out.
# Arguments go to that last line's tests, as in: scripts/kinds.sh -flood 10000
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
server='' # the patterns of the kinds' tests of the server, for the last line

# tests FOLDER PATTERN [FLAG...] runs the tests whose names begin with Test and then with one of the pattern.
tests() {
  local binary=$work/${1//\//-}
  [ -x "$binary" ] || go test -c -o "$binary" "./$1"
  (cd "$1" && "$binary" -test.run "^Test($2)" -test.v -test.timeout 60m "${@:3}") >> "$work/output" 2>&1 || touch "$work/failed"
  if grep -q '^testing: warning: no tests to run' "$work/output"; then echo "$1 has no test $2" >&2; touch "$work/failed"; fi
}

# kind WHAT FOLDER PATTERN [FOLDER PATTERN...]
kind() {
  local what=$1; shift
  : > "$work/output"
  while [ $# -gt 0 ]; do
    if [ "$1" = internal/server ]; then server+="${server:+|}$2"; fi
    tests "$1" "$2"
    shift 2
  done
  told "$what"
}

# told prints the line of a kind, or what its tests say when one failed.
told() {
  if [ -e "$work/failed" ]; then grep -v '^ *\(=== \|--- PASS\)' "$work/output" >&2; echo "failed: $1" >&2; exit 1; fi
  printf '%-58s %3d tests passed\n' "$1" "$(grep -c '^--- PASS' "$work/output")"
  grep -A1 '^ *--- SKIP' "$work/output" || true
}

kind ' 1  identity shown once, decided later' \
  internal/server 'AttackConsent|EndToEnd(ALink|Another|Allow|NoCode|TheClick|TheQuestion|WhoIs)' internal/idp 'OnlyLinks|ALinkComesAlone'
kind ' 2  one person'"'"'s work in everybody'"'"'s queue' \
  internal/server 'Attack(AnAdministrator|AnonymousRequests|EveryBound|NothingIsBounded|OneWhoRevokes|PlacesOf|WrongCodes)' \
  internal/idp 'AClientThat|AnAddress|ClientsThat|InstancesCount|MadeUp|NobodyMakes|OneGrant|Reports|Wrong' \
  internal/stytch 'Visitors|Repetitions|AnAttempt'
kind ' 3  one failure stops another'"'"'s purpose' \
  internal/server 'AttackOneEndpoint' internal/stytch 'One|ASlow|APause|WhatOpens|LimitedInvitations'
kind ' 4  a full store keeps somebody in' \
  internal/server 'Attack(ADatabase|AFull|ManyMembers|OneMember)' store '(AFullDisk|AQuota)' \
  resources/tasks/table '(AQuota|EachQuota|OnePerson|WhatIsCounted)' \
  internal/connections 'StytchIs|ARevocation'
kind ' 5  authority that outlives its reason' \
  internal/server 'Attack(ADemotion|AnOutage|APolicy|Undoing|WhoLost)' \
  resources/tasks '(ARepeatedCreate|ACreateThatRepeats|UndoingADeletion|WhoMayChange)' \
  resources/tasks/table '(Undo|WhatWasDeleted|EveryKindOfChange|ARecord)' \
  resources/members '(ARepeatedInvitationOf|WhoLost|WhoIsGone)' resources/activity '(Undoing|WhoLost|WhatWasChanged|ARemoval)'
kind ' 6  text that is not what it seems' \
  internal/server 'Attack(HiddenText|NamesOf|NothingToSee|Refusals|TheTexts)' internal/text '.' cli 'NothingThatIsPrinted'
kind ' 7  settings that fail open' \
  . 'AttackSettings' cli '(NoSetting|TheOtherEnvironment|ASecretInAny|NoSpelling|ServeRefuses|WhatIsNotPublished)'
kind ' 8  a website in the developer'"'"'s browser' \
  . 'AttackNoPath' stytchtest 'NoPath'
kind ' 9  at rest and in sight' \
  store '(AnOpenDatabase|TheDatabaseIs|WhatOthers|WhoHas)' cli 'The(ProcessList|ClientSecret|TerminalDoes)' \
  internal/server 'SecretsAre'
kind '10  what was done cannot be found' \
  internal/server 'AttackWhatAnApp' store '(WhatAnApp|NoQuery|EveryAltered)' \
  resources/tasks/table 'NoQuery'

: > "$work/output"
tests internal/server Attack -test.skip "^Test($server)" "$@"
grep -v '^ *\(=== \|--- PASS\|PASS$\)' "$work/output" || true
told '    tokens, keys, scopes and foreign records'
