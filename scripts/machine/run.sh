#!/usr/bin/env bash
# Boots a machine of its own by qemu, with Debian, in which systemd runs deploy/guestpass.service and Podman the image:
# what inside.sh tries. It needs root, for the files of the machine, and no network once Debian's packages are here.
# The machine's files stay in bin/machine, so that the next time takes half as long.
set -euo pipefail
cd "$(dirname "$0")/../.."
machine=bin/machine root=bin/machine/root
packages=systemd-sysv,dbus,linux-image-cloud-amd64,kmod,procps,podman,crun,conmon,netavark,iptables,curl,jq
[ "$(id -u)" = 0 ] || { echo "run it as root: debootstrap makes the files of a machine" >&2; exit 1; }
mkdir -p bin
exec 9>bin/machine.lock
flock -n 9 || { echo "it runs already: wait for it to end" >&2; exit 1; }
if [ "$(cat $machine/made 2>/dev/null)" != $packages ]; then
  rm -rf --one-file-system $machine
  mkdir -m 700 $machine # Debian has programs in there that run as root
  debootstrap --variant=minbase --include=$packages bookworm "$PWD/$root" >$machine/debootstrap.log 2>&1 || {
    tail $machine/debootstrap.log >&2
    exit 1
  }
  rm -rf $root/var/cache/apt/archives/*.deb $root/var/lib/apt/lists/*
  ln -sf /dev/null $root/etc/systemd/system/serial-getty@ttyS0.service # inside.sh has the line
  echo $packages >$machine/made
fi
CGO_ENABLED=0 go build -o $root/root/emulator ./cmd/guestpass
install -m 755 scripts/machine/inside.sh bin/guestpass-production $root/root/
install -m 644 deploy/guestpass.service bin/image/guestpass-amd64.tar $root/root/
cat >$root/etc/systemd/system/inside.service <<'END'
[Service]
Type=oneshot
ExecStart=/root/inside.sh
ExecStopPost=systemctl poweroff --force
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
TimeoutStartSec=20min
END
mkdir -p $root/etc/systemd/system/multi-user.target.wants
ln -sf ../inside.service $root/etc/systemd/system/multi-user.target.wants/
rm -f $machine/disk $machine/log
truncate -s 4G $machine/disk
mkfs.ext4 -q -d $root $machine/disk
timeout 25m qemu-system-x86_64 -accel tcg -cpu max -m 2048 -display none -no-reboot -nic none \
  -kernel $root/boot/vmlinuz-* -initrd $root/boot/initrd.img-* -drive file=$machine/disk,if=virtio,format=raw \
  -append "root=/dev/vda rw console=ttyS0 loglevel=3 systemd.show_status=0 guestpass.machine" \
  -serial file:$machine/log || echo "the machine did not end by itself" >&2
tr -d '\r' <$machine/log | grep -E '^(ok|not ok|    )' || true
grep -q '^ok all of it' $machine/log || { echo "the machine's own words are in $machine/log" >&2; exit 1; }
