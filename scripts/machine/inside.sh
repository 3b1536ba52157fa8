#!/bin/bash
# What run.sh has the machine do, as root: the commands of docs/deploying.md, kill -9, and a look at how it is confined.
set -uo pipefail
grep -qw guestpass.machine /proc/cmdline || { echo "this is for the machine of run.sh alone" >&2; exit 1; }
export HOME=/root
cd /root || exit 1
failed=0

# try runs a command and says whether it succeeded, else what it said.
try() {
  local what=$1 said
  shift
  if said=$("$@" 2>&1); then echo "ok $what"; else
    failed=1
    echo "not ok $what"
    printf '%s\n' "$said" | tail -n 20 | sed 's/^/    /'
  fi
}

# eventually repeats a command for a minute, until it succeeds.
eventually() {
  for _ in $(seq 120); do "$@" && return; sleep 0.5; done
  echo "not within a minute: $*"
  return 1
}

ready() { curl -sf -o /dev/null "http://127.0.0.1:$1/readyz"; }

# write makes a task at a port, whose id it keeps for kept.
write() {
  curl -sf "http://127.0.0.1:$1/api/v1/tasks" -H "Authorization: Bearer $token" \
    -H 'Content-Type: application/json' -d '{"title":"acknowledged"}' | jq -er .task_id >task
}

kept() { curl -sf -o /dev/null "http://127.0.0.1:$1/api/v1/tasks/$(cat task)" -H "Authorization: Bearer $token"; }

# confined looks at a process as the kernel sees it: another user than root, no capability, system calls filtered.
confined() {
  local status
  status=$(cat "/proc/$1/status")
  for line in $'CapEff:\t0000000000000000' $'NoNewPrivs:\t1' $'Seccomp:\t2'; do
    grep -qx "$line" <<<"$status" || { echo "the process lacks $line"; return 1; }
  done
  ! grep -q $'^Uid:\t0\t' <<<"$status" && grep -qE '^\S+ / \S+ ro,' "/proc/$1/mounts"
}

settings() { # for a port
  curl -sf http://127.0.0.1:8081/_emulator/export | jq -r '.project | "STYTCH_PROJECT_ID=\(.project_id)
STYTCH_SECRET=\(.secret)
STYTCH_PUBLIC_TOKEN=\(.public_token)"'
  echo "STYTCH_DOMAIN=http://127.0.0.1:8081
STYTCH_BASE_URL=http://127.0.0.1:8081
GUESTPASS_PUBLIC_URL=http://localhost:$1
GUESTPASS_ADDR=127.0.0.1:$1"
}

systemd-run --quiet --unit emulator /root/emulator stytch --addr 127.0.0.1:8081
try "the emulator answers" eventually curl -sf -o /dev/null http://127.0.0.1:8081/_emulator/state
person=$(curl -sf http://127.0.0.1:8081/_emulator/export | jq -r '.members[0].member_id')
token=$(curl -sf http://127.0.0.1:8081/_emulator/tokens -H 'Content-Type: application/json' \
  -d "{\"subject\":\"$person\",\"scopes\":[\"openid\",\"tasks:read\",\"tasks:write\"]}" | jq -r .token)

copied_back() {
  cd /var/lib/guestpass && guestpass backup --env-file /etc/guestpass.env /root/copy.db && rm guestpass.db* &&
    guestpass restore --env-file /etc/guestpass.env /root/copy.db && chown --reference=. guestpass.db*
}

# fails_at_once starts a server that ends. timeout would say 124.
fails_at_once() {
  timeout 40 systemctl start guestpass
  [ $? = 1 ]
}

by_systemd() {
  settings 8080 >guestpass.env
  install -m 755 guestpass-production /usr/local/bin/guestpass
  install -m 600 guestpass.env /etc/guestpass.env
  install -m 644 guestpass.service /etc/systemd/system/guestpass.service
  systemctl daemon-reload
  try "systemctl start" systemctl enable --now guestpass
  try "it is ready when systemctl returns" ready 8080
  local pid
  pid=$(systemctl show --property MainPID --value guestpass)
  try "it is confined by systemd" confined "$pid"
  try "a task is written" write 8080
  if [ "$pid" -gt 1 ]; then kill -9 "$pid"; fi
  try "systemd starts it again after kill -9" eventually ready 8080
  try "the task is there" kept 8080
  try "systemctl stop" systemctl stop guestpass
  try "it ended well" test "$(systemctl show --property ExecMainStatus --value guestpass)" = 0
  try "a copy is put back as root" copied_back
  try "systemctl start, with the copy" systemctl start guestpass
  try "the task is in the copy" kept 8080
  systemctl stop guestpass
  echo 'GUESTPASS_DATABASE_URL=postgres://nobody@127.0.0.1:1/none?sslmode=disable' >>/etc/guestpass.env
  try "a server that ends fails the start at once" fails_at_once
  systemctl stop guestpass
  settings 8080 >/etc/guestpass.env
  echo 'GUESTPASS_MAX_IN_FLIGHT=many' >>/etc/guestpass.env
  try "a wrong setting fails the start" eval '! systemctl start guestpass'
  try "the journal says which" eval 'journalctl --unit guestpass | grep GUESTPASS_MAX_IN_FLIGHT >/dev/null'
  systemctl stop guestpass
  settings 80 | sed 's/localhost:80$/localhost/' >/etc/guestpass.env
  mkdir -p /etc/systemd/system/guestpass.service.d # what systemctl edit writes
  cat >/etc/systemd/system/guestpass.service.d/override.conf <<'END'
[Service]
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
AmbientCapabilities=CAP_NET_BIND_SERVICE
PrivateUsers=no
END
  systemctl daemon-reload
  try "systemctl start, with a port below 1024" systemctl start guestpass
  try "it is ready at that port" ready 80
  systemctl stop guestpass
}

run() {
  podman run --detach --name guestpass --network host --read-only --cap-drop ALL --security-opt no-new-privileges \
    --stop-timeout 95 --health-cmd '["guestpass", "health"]' -e GUESTPASS_ADDR=127.0.0.1:8082 \
    -v guestpass:/var/lib/guestpass -v ./guestpass.env:/run/secrets/guestpass.env:ro \
    "$image" serve --env-file /run/secrets/guestpass.env
}

without_a_volume() {
  ! podman run --rm --network host --read-only --tmpfs /var/lib/guestpass:mode=0555 -e GUESTPASS_ADDR=127.0.0.1:8082 \
    -v ./guestpass.env:/run/secrets/guestpass.env:ro "$image" serve --env-file /run/secrets/guestpass.env \
    >/root/said 2>&1 && grep "guestpass.db-lock: permission denied" /root/said
}

by_podman() {
  settings 8082 >guestpass.env
  chown 65532 guestpass.env
  chmod 400 guestpass.env
  try "podman load" podman load --quiet -i guestpass-amd64.tar
  image=$(podman images --format '{{.Repository}}:{{.Tag}}' | grep guestpass)
  try "an instance of compose keeps no database of its own" without_a_volume
  try "podman run" run
  try "its container is ready" eventually ready 8082
  try "its health check" podman healthcheck run guestpass
  try "its container is confined" confined "$(podman inspect --format '{{.State.Pid}}' guestpass)"
  try "a task is written in the volume" write 8082
  podman kill --signal KILL guestpass >/dev/null
  podman wait guestpass >/dev/null
  try "podman start after kill -9" podman start guestpass
  try "its container is ready again" eventually ready 8082
  try "the task is in the volume" kept 8082
  podman rm --force --time 0 guestpass >/dev/null
  try "a new container with the volume" run
  try "it is ready" eventually ready 8082
  try "it has the task" kept 8082
  try "podman stop" podman stop guestpass
  try "its container ended well" test "$(podman inspect --format '{{.State.ExitCode}}' guestpass)" = 0
}

by_systemd
by_podman
[ "$failed" = 0 ] && echo "ok all of it"
