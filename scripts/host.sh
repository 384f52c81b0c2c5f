#!/bin/bash
# host.sh ROOT FOLDER: a disposable host with systemd as PID 1, booted from a copy of the root file system ROOT, with
# FOLDER under /opt/tests. Reads from standard input, and answers a line to each:
#   boot   boots it                          "up PID", its PID 1 as the namespace of this script numbers it
#   off    shuts it down                     "down"
#   cut    cuts its power: no process of it does anything more   "down"
#   tpm    puts a new, empty TPM into it     "tpm"
# The disk stays until the end of the input; then all is gone. Needs root and what prepare.sh installs.
# host.sh --possible: says why it cannot be done on this machine, if so.
set -euo pipefail
self=$(readlink -f "$0")

# Where groups of processes are made: systemd needs those of version 2.
groups() {
  local folder
  for folder in /sys/fs/cgroup /sys/fs/cgroup/unified; do
    if [ -e $folder/cgroup.controllers ]; then echo $folder; return; fi
  done
}

if [ "$1" = --possible ]; then
  [ "$(id -u)" = 0 ] || { echo "only root can boot a host"; exit 1; }
  [ -n "$(groups)" ] || { echo "there is no cgroup of version 2 here"; exit 1; }
  group=$(groups)/totp-possible.$$
  mkdir "$group" 2>/dev/null || { echo "no cgroup can be made in $(groups)"; exit 1; }
  rmdir "$group"
  unshare --mount --pid --net --uts --ipc --cgroup --fork true 2>/dev/null ||
    { echo "no namespaces can be made here"; exit 1; }
  exit 0
fi

if [ "${HOST_IN:-}" = "" ]; then
  group=$(groups)/totp-host.$$
  mkdir "$group"
  # What it leaves empty behind is taken away when all its processes have ended.
  (
    echo "$BASHPID" >"$group/cgroup.procs"
    HOST_IN=namespaces exec unshare --mount --propagation private --pid --net --uts --ipc --cgroup --mount-proc \
      --fork --kill-child=KILL -- "$self" "$@"
  ) || true
  for _ in $(seq 500); do
    find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
    [ -d "$group" ] || exit 0
    sleep 0.02
  done
  echo "host.sh: $group is still in use" >&2
  exit 1
fi

root=$(readlink -f "$1") tests=$(readlink -f "$2")
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
mount -t tmpfs tmpfs /mnt
mkdir /mnt/{upper,work,root,share,tpm}
mount -t overlay overlay -o "lowerdir=$root,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
echo host >/mnt/root/etc/hostname
printf '127.0.0.1 localhost host\n' >/mnt/root/etc/hosts
mkdir /sys/fs/cgroup/booted
nspawn="" tpm=""

tpm_is() {
  [ -n "$tpm" ] && return
  mkdir -p /mnt/root/etc/systemd/system.conf.d
  variable=SYSTEMD_TPM2_DEVICE=swtpm:path=/mnt/share/tpm
  printf '[Manager]\nManagerEnvironment=%s\nDefaultEnvironment=%s\n' $variable $variable \
    >/mnt/root/etc/systemd/system.conf.d/tpm.conf
}

while read -r word; do
  case $word in
  boot)
    mkdir -p /sys/fs/cgroup/booted
    (
      echo "$BASHPID" >/sys/fs/cgroup/booted/cgroup.procs
      SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 exec systemd-nspawn --quiet --register=no --keep-unit \
        --directory=/mnt/root --machine=host --boot --console=pipe --bind=/mnt/share:/mnt/share \
        --bind-ro="$tests:/opt/tests" </dev/null >>/mnt/console.txt 2>&1
    ) &
    nspawn=$!
    first=""
    for _ in $(seq 1000); do
      first=$(cat "/proc/$nspawn/task/$nspawn/children" 2>/dev/null || true)
      first=${first%% *}
      [ -n "$first" ] && [ "$(cat "/proc/$first/comm" 2>/dev/null)" = systemd ] && break
      kill -0 $nspawn 2>/dev/null || { cat /mnt/console.txt >&2; exit 1; }
      sleep 0.01
    done
    echo "up $first"
    ;;
  off)
    kill -TERM $nspawn
    wait $nspawn || true
    echo down
    ;;
  cut)
    kill -KILL "$first"
    wait $nspawn || true
    echo down
    ;;
  tpm)
    tpm_is
    if [ -n "$tpm" ]; then kill $tpm; wait $tpm || true; fi
    rm -rf /mnt/tpm /mnt/share/tpm*
    mkdir /mnt/tpm
    swtpm socket --tpm2 --tpmstate dir=/mnt/tpm --server type=unixio,path=/mnt/share/tpm \
      --ctrl type=unixio,path=/mnt/share/tpm.ctrl --flags not-need-init,startup-clear </dev/null >/mnt/tpm.txt 2>&1 &
    tpm=$!
    for _ in $(seq 500); do [ -S /mnt/share/tpm ] && break; sleep 0.01; done
    echo tpm
    ;;
  *) echo "host.sh: $word?" >&2; exit 2 ;;
  esac
done
