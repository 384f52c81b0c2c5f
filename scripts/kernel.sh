#!/bin/bash
# kernel.sh ROOT FOLDER apparmor|selinux: a disposable machine with a kernel of its own, booted from a copy of the root
# file system ROOT, with FOLDER under /opt/tests. AppArmor is in force; SELinux is loaded, and not in force yet.
# Reads scripts from standard input, a line each in base64, and answers each with a line "STATUS OUTPUT ERRORS", the
# last two in base64 after a "-". Its disk is gone when it ends, unless DISK names a file that it is kept in: made where
# it is missing. Needs root and what prepare.sh installs.
set -euo pipefail
root=$(readlink -f "$1") tests=$(readlink -f "$2") module=$3

image=$root.$module.img
# Two may want the same one.
exec 9>"$image.lock"
flock 9
if [ ! -e "$image" ] || [ "$root.made" -nt "$image" ] || [ "$0" -nt "$image" ]; then
  tree=$(mktemp -d "$root.XXXXXX")
  trap 'rm -rf "$tree"' EXIT
  cp -a "$root/." "$tree"
  echo host >"$tree/etc/hostname"
  printf '127.0.0.1 localhost host\n' >"$tree/etc/hosts"
  context=""
  [ "$module" != selinux ] || context=,context=system_u:object_r:bin_t:s0
  printf '/dev/vda / ext4 defaults 0 0\n/dev/vdb /opt/tests ext4 ro,nofail%s 0 0\n' "$context" >"$tree/etc/fstab"
  cat >"$tree/usr/local/sbin/agent" <<'AGENT'
#!/bin/bash
exec 3<>/dev/virtio-ports/tests
while read -r script <&3; do
  status=0
  echo "$script" | base64 -d >/run/agent.script
  /bin/bash /run/agent.script >/run/agent.out 2>/run/agent.err </dev/null || status=$?
  echo "$status -$(base64 -w0 /run/agent.out) -$(base64 -w0 /run/agent.err)" >&3
done
AGENT
  chmod 755 "$tree/usr/local/sbin/agent"
  cat >"$tree/etc/systemd/system/agent.service" <<'UNIT'
[Unit]
After=dbus.service opt-tests.mount
[Service]
ExecStart=/usr/local/sbin/agent
Environment=LANG=C.UTF-8 HOME=/root TERM=dumb DEBIAN_FRONTEND=noninteractive
[Install]
WantedBy=multi-user.target
UNIT
  mkdir -p "$tree/etc/systemd/system/multi-user.target.wants"
  ln -s ../agent.service "$tree/etc/systemd/system/multi-user.target.wants/agent.service"
  printf 'SELINUX=permissive\nSELINUXTYPE=default\n' >"$tree/etc/selinux/config"
  if [ "$module" = selinux ]; then
    # shellcheck disable=SC2016 # it is for the other shell
    unshare --mount sh -c 'mount -t proc proc "$0/proc"; chroot "$0" setfiles -F /etc/selinux/default/contexts/files/file_contexts /' "$tree"
  fi
  rm -f "$image"
  truncate -s 4G "$image.part"
  mkfs.ext4 -q -F -d "$tree" "$image.part"
  mv "$image.part" "$image"
  rm -rf "$tree"
  trap - EXIT
fi
exec 9>&-
drive=file=$image,format=raw,snapshot=on
if [ -n "${DISK:-}" ]; then
  [ -e "$DISK" ] || qemu-img create -q -f qcow2 -F raw -b "$image" "$DISK"
  drive=file=$DISK,format=qcow2
fi

folder=$(mktemp -d)
# What is open stays until QEMU ends.
size=$(du -sm "$tests" | cut -f1)
truncate -s $((size + size / 4 + 32))M "$folder/tests"
mkfs.ext4 -q -F -d "$tests" "$folder/tests"
exec 8<"$folder/tests"
rm -r "$folder"
# It ends with who started this.
exec setpriv --pdeathsig KILL -- qemu-system-x86_64 -M q35 -accel tcg,thread=multi -cpu max -m 1024 -smp 2 -display none -nodefaults -no-reboot \
  -kernel "$(echo "$root"/boot/vmlinuz-*)" -initrd "$(echo "$root"/boot/initrd.img-*)" \
  -append "root=/dev/vda rw console=ttyS0 quiet mitigations=off security=$module selinux=1 enforcing=0" \
  -drive "if=virtio,$drive" -drive "if=virtio,file=/dev/fd/8,format=raw,readonly=on" \
  -serial "file:$root.$module.console" -nic none -device virtio-serial -chardev stdio,id=tests,signal=off \
  -device virtserialport,chardev=tests,name=tests
