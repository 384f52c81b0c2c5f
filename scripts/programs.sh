#!/bin/bash
# programs.sh: makes target/programs, the packages that the tests of docs/admin/programs.md and docs/admin/clients.md
# try the module with. They are installed in a copy of this machine, and this machine never has them:
# an ftp, a mail and a web server among them.
set -euo pipefail
cd "$(dirname "$0")/.."
packages=(ansible-core at cockpit-bridge cockpit-ws cron dovecot-imapd dropbear-bin git i3lock lightdm
  lightdm-gtk-greeter opendoas
  pkexec polkitd putty-tools python3-asyncssh python3-dbus python3-paramiko rsync sshfs valgrind vlock
  librsvg2-bin poppler-utils python3-dasbus python3-pyotp tmux vsftpd xdotool xscreensaver xvfb)
layer=$PWD/target/programs

if [ "${PROGRAMS_IN:-}" = "" ]; then
  made=$(cat /etc/os-release scripts/programs.sh scripts/overlay.sh | sha256sum)
  [ "$(cat "$layer/made" 2>/dev/null)" != "$made" ] || exit 0
  [ "$(id -u)" = 0 ] || { echo "programs.sh: only root can make a copy of the machine" >&2; exit 1; }
  echo "programs: installing into a copy of this machine: ${packages[*]}"
  rm -rf "$layer"
  mkdir -p "$layer"
  PROGRAMS_IN=namespaces unshare --mount --propagation private --pid --fork --kill-child=KILL -- "$0"
  echo "$made" >"$layer/made"
  exit 0
fi

# shellcheck source=scripts/overlay.sh
. scripts/overlay.sh
copy_machine /mnt new
root=/mnt/root
mount -t proc proc $root/proc
mount --rbind /dev $root/dev
for folder in run tmp; do mount -t tmpfs tmpfs $root/$folder; done
# Where names are resolved may be said by a file that a service of this machine made.
resolv=$(readlink -m /etc/resolv.conf)
case $resolv in /run/*) mkdir -p "$root${resolv%/*}"; cp "$resolv" "$root$resolv" ;; esac
cat >/mnt/install <<INSTALL
set -e
printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
mkdir -p /tmp/lists/partial /tmp/cache/archives/partial
apt="apt-get -q -o Dir::State::lists=/tmp/lists -o Dir::Cache=/tmp/cache -o APT::Sandbox::User=root"
\$apt update
\$apt install -y --no-install-recommends ${packages[*]}
rm /usr/sbin/policy-rc.d
INSTALL
cp /mnt/install $root/tmp/install
env -i ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root \
  DEBIAN_FRONTEND=noninteractive chroot $root /bin/bash /tmp/install
umount -l $root/dev
keep_changes /mnt "$layer" etc usr var
