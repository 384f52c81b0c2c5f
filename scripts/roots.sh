#!/bin/bash
# roots.sh SUITE...: makes target/roots/SUITE, a small Debian with systemd, an ssh server and the users alice, bob
# and carol (password: their name and "pw"), for scripts/host.sh to boot copies of. SUITE-kernel is the same with a
# kernel, AppArmor and SELinux, for scripts/kernel.sh. SUITE-doors is the same with all other programs by which a person
# becomes a user or root, and with the PAM stacks of greeters. noble-kernel is an Ubuntu, whose kernel has AppArmor look
# at the bus. Needs root and mmdebstrap.
set -euo pipefail
cd "$(dirname "$0")/.."
packages=systemd-sysv,dbus,polkitd,libpam-systemd,login,passwd,procps,openssh-server,openssh-client,sudo,expect
packages+=,oathtool,iproute2,debconf,ansible-core,python3,python3-apt,libtss2-tcti-swtpm0,tpm2-tools,attr,e2fsprogs
# The archive that this machine itself has its packages from.
# shellcheck disable=SC2016 # apt-get's own words
archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 '/debian/\?$')

kernel=linux-image-cloud-amd64,apparmor,selinux-policy-default,policycoreutils,selinux-utils
# For tests that are run there.
kernel+=,make,socat,libglib2.0-bin,strace,faketime,sqlite3
# A KDC, and programs that log somebody in.
doors=krb5-kdc,krb5-admin-server,krb5-user,pkexec,cockpit-ws,cockpit-bridge,cron,at,systemd-container,opendoas,pamtester
# Packages of which only the PAM stacks are wanted.
greeters="gdm3 lightdm sddm"
ubuntu=apt,systemd-sysv,dbus,polkitd,libpam-systemd,login,passwd,procps,openssh-server,openssh-client,sudo,expect,oathtool
ubuntu+=,iproute2,debconf,python3,e2fsprogs,linux-image-virtual,initramfs-tools,apparmor

# What Ubuntu signs its archive with, as Debian has it.
ubuntu_keyring() {
  local keyring=target/roots/ubuntu-archive-keyring.gpg extracted
  if [ ! -e $keyring ]; then
    extracted=$(mktemp -d)
    mmdebstrap --quiet --variant=extract --include=ubuntu-archive-keyring trixie "$extracted" "deb $archive trixie main"
    cp "$extracted/usr/share/keyrings/ubuntu-archive-keyring.gpg" $keyring
    rm -rf "$extracted"
  fi
  echo $keyring
}
for name in "$@"; do
  root=target/roots/$name suite=${name%%-*} wanted=$packages stacks=""
  case $name in
  *-kernel) wanted+=,$kernel ;;
  *-doors) wanted+=,$doors stacks=$greeters ;;
  esac
  [ "$suite" != noble ] || wanted=$ubuntu
  made=$( (echo "$wanted"; cat scripts/roots.sh) | sha256sum)
  [ "$(cat "$root.made" 2>/dev/null)" != "$made" ] || continue
  echo "roots: making a $suite under $root"
  rm -rf "$root" "$root.made"
  mkdir -p target/roots
  options=() source=("deb $archive $suite main")
  # mmdebstrap knows where Ubuntu's own archive is.
  [ "$suite" != noble ] || options=("--keyring=$(ubuntu_keyring)" "--components=main,universe") source=()
  # shellcheck disable=SC2016 # they are for the shell that mmdebstrap runs
  GREETERS=$stacks mmdebstrap --quiet --variant=minbase --include="$wanted" \
    --customize-hook='for user in alice bob carol; do chroot "$1" useradd -m -s /bin/bash $user; echo "$user:${user}pw"; done | chroot "$1" chpasswd' \
    --customize-hook='rm -f "$1"/etc/hostname "$1"/etc/ssh/ssh_host_*; : >"$1/etc/machine-id"' \
    --customize-hook='chroot "$1" ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key' \
    --customize-hook='printf "ListenAddress 127.0.0.1\nPasswordAuthentication no\nKbdInteractiveAuthentication yes\nUseDNS no\n" >"$1/etc/ssh/sshd_config.d/10-test.conf"' \
    --customize-hook='chroot "$1" systemctl -q mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer systemd-networkd.service systemd-networkd-wait-online.service systemd-resolved.service' \
    --customize-hook='for greeter in $GREETERS; do chroot "$1" sh -c "cd /tmp && apt-get -q download $greeter && dpkg-deb --fsys-tarfile ${greeter}_*.deb | tar -x -C / --wildcards --keep-directory-symlink \"*/pam.d/*\" && rm ${greeter}_*.deb"; done' \
    "${options[@]}" "$suite" "$root" "${source[@]}"
  echo "$made" >"$root.made"
done
