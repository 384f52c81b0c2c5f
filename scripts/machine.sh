#!/bin/bash
# machine.sh CMD...: runs CMD as root in a disposable copy of this machine, with totpd installed as
# `make install` does it, a system bus, an ssh server on 127.0.0.1, a log in /run/log.txt and the
# users alice, bob and carol (password: their name and "pw"). Nothing outside changes, and nothing
# is left when CMD ends.
#
# Needs root and what prepare.sh installs. BUILT: the folder of the built files, where it is not
# target/release. EXTRA: a folder that is copied to /opt/tests. DISK: a folder of a real disk that is
# /disk inside, and the only thing that stays; all else is in memory. LAYER: a folder that
# programs.sh made: the machine has those packages besides.
# FILLED: a folder that "machine.sh --fill FOLDER" made, with the same EXTRA and LAYER: all that is installed
# and configured is there already, and a machine takes half the time.
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
self=$repository/scripts/machine.sh

if [ "${MACHINE_IN:-}" = "" ]; then
  [ "$(id -u)" = 0 ] || { echo "machine.sh: only root can make a copy of the machine" >&2; exit 1; }
  # The copy is in memory that belongs to the mount namespace, and goes with it.
  MACHINE_IN=namespaces exec unshare --mount --propagation private --pid --net --uts --ipc \
    --fork --kill-child=KILL -- "$self" "$@"
fi

if [ "$MACHINE_IN" = namespaces ]; then
  # shellcheck source=scripts/overlay.sh
  . "$repository/scripts/overlay.sh"
  layers=()
  [ -z "${LAYER:-}" ] || layers=("$LAYER")
  [ -z "${FILLED:-}" ] || layers=("$FILLED" "${layers[@]}")
  [ "$1" != --fill ] || [ "${#layers[@]}" -gt 0 ] || layers=(new)
  copy_machine /mnt "${layers[@]}"
  root=/mnt/root
  mount -t proc proc $root/proc
  mount -t sysfs -o ro sysfs $root/sys 2>/dev/null || mount --rbind /sys $root/sys
  mount -t tmpfs -o mode=755 tmpfs $root/run
  mount -t tmpfs -o mode=1777 tmpfs $root/tmp
  mount -t tmpfs -o mode=755 tmpfs $root/dev
  for node in full null random tty urandom zero; do
    touch $root/dev/$node
    mount --bind /dev/$node $root/dev/$node
  done
  # A slow disk of a benchmark is a file system of FUSE.
  if [ -e /dev/fuse ]; then
    touch $root/dev/fuse
    mount --bind /dev/fuse $root/dev/fuse
  fi
  mkdir $root/dev/pts $root/dev/shm
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts $root/dev/pts
  ln -s pts/ptmx $root/dev/ptmx
  ln -s /proc/self/fd $root/dev/fd
  ln -s /run/syslog.socket $root/dev/log
  if [ -z "${FILLED:-}" ]; then
    make -s -C "$repository" install DESTDIR=$root ${BUILT:+BUILT="$BUILT"}
    if [ -n "${EXTRA:-}" ]; then
      mkdir -p $root/opt/tests
      cp -r "$EXTRA/." $root/opt/tests/
    fi
  fi
  if [ -n "${DISK:-}" ]; then
    mkdir $root/disk
    mount --bind "$DISK" $root/disk
  fi
  cp "$self" $root/run/machine.sh
  # This process as the machine outside numbers it, for a second window (its /proc is still here).
  cut -d" " -f4 /proc/self/stat >$root/run/outside-pid
  cd $root
  # Of the environment nothing gets in that could change what is tried there.
  inside=(env -i MACHINE_IN=copy MACHINE_FILLED="${FILLED:+yes}" TERM="${TERM:-dumb}" LANG=C.UTF-8 HOME=/root
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin chroot . /bin/bash /run/machine.sh)
  [ "$1" = --fill ] || exec "${inside[@]}" "$@"
  "${inside[@]}" --fill
  rm -rf "$2"
  mkdir -p "$2"
  keep_changes /mnt "$2" etc home opt root usr var
  exit 0
fi

# Inside the copy.
filled=$MACHINE_FILLED
unset MACHINE_IN MACHINE_FILLED
umask 022

fill() {
  local user
  for user in alice bob carol; do
    id "$user" >/dev/null 2>&1 || useradd -m -s /bin/bash "$user"
    printf '%s:%spw\n' "$user" "$user"
  done | chpasswd
  [ -s /etc/machine-id ] || dbus-uuidgen --ensure=/etc/machine-id
  # The bus as this distribution configures it; only the user it runs as may be missing in a container.
  id messagebus >/dev/null 2>&1 || useradd -r messagebus
  cat >/etc/ssh/sshd_config <<CONFIG
ListenAddress 127.0.0.1
UsePAM yes
PasswordAuthentication no
PubkeyAuthentication no
KbdInteractiveAuthentication yes
PermitRootLogin yes
UseDNS no
MaxStartups 1000
MaxAuthTries 20
CONFIG
  mkdir -p /run/sshd
  # Since OpenSSH 9.8 an address that fails is shut out for a while, which is not what is tried here.
  if /usr/sbin/sshd -T -o PerSourcePenalties=no >/dev/null 2>&1; then
    echo "PerSourcePenalties no" >>/etc/ssh/sshd_config
  fi
  ls /etc/ssh/ssh_host_*_key >/dev/null 2>&1 || ssh-keygen -q -A
}

[ -n "$filled" ] || fill
[ "$1" != --fill ] || exit 0
hostname totp-test
ip link set lo up
mkdir -p /run/dbus /run/sshd /run/lock /run/systemd/journal
: >/run/log.txt
# As many records as systemd lets wait, before a program that logs looks for another way.
echo 512 >/proc/sys/net/unix/max_dgram_qlen
socat -u UNIX-RECV:/run/systemd/journal/socket,mode=666 OPEN:/run/log.txt,append &
socat -u UNIX-RECV:/run/syslog.socket,mode=666 OPEN:/run/log.txt,append &
rm -rf /var/lib/totpd/* /root/.ssh
dbus-daemon --system --fork --nopidfile
rm -f /etc/ssh/sshd_config.d/*
/usr/sbin/sshd -E /run/sshd.txt
for _ in $(seq 500); do
  (exec 3<>/dev/tcp/127.0.0.1/22) 2>/dev/null && break
  sleep 0.02
done
for socket in /run/systemd/journal/socket /run/syslog.socket; do
  for _ in $(seq 500); do [ -S $socket ] && break; sleep 0.02; done
done

"$@"
