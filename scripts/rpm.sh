#!/bin/bash
# rpm.sh: an RPM package under target/rpm of what `make build` made (or of the folder BUILT,
# under OUT), in the layout of Fedora. Needs rpmbuild and no
# network; of the same files it makes the same package, byte by byte. The libraries must be as old as those of the
# system that it is for: build it there.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v rpmbuild >/dev/null || { echo "rpm.sh: rpmbuild is missing: install rpm-build (apt-get install rpm)" >&2; exit 1; }

[ -e /usr/share/selinux/devel/Makefile ] ||
  { echo "rpm.sh: the headers of SELinux's policy are missing: install selinux-policy-devel (apt-get install selinux-policy-dev)" >&2; exit 1; }

changelog=packaging/deb/changelog
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n1)
# What is in it is as old as its changelog says.
when=$(sed -n 's/^ -- .*>  //p' $changelog | head -n1)
SOURCE_DATE_EPOCH=$(date -d "$when" +%s)
export SOURCE_DATE_EPOCH

out=$PWD/${OUT:-target/rpm}
root=$out/root
rm -rf "$out"
mkdir -p "$out"
make -s install ${BUILT:+BUILT="$BUILT"} DESTDIR="$root" PREFIX=/usr SYSCONFDIR=/etc SECURITYDIR=/usr/lib64/security
# Debian's own.
rm -r "$root/usr/share/pam-configs"
doc=$root/usr/share/doc/pam-totp
install -d -m 0755 "$doc/examples"
scripts/documentation.sh "$doc"
install -m 0644 CHANGELOG.md "$doc/"
install -m 0644 docs/examples/* packaging/polkit/*.rules packaging/systemd/*.conf "$doc/examples/"
cp -r packaging/ansible packaging/apparmor packaging/pam-config packaging/selinux "$doc/examples/"
# Profiles for authselect: what both have, and what each has. Logins over the network are asked as local ones are.
for name in local sssd; do
  profile=$root/usr/share/authselect/vendor/totp-$name
  install -D -m 0644 -t "$profile" packaging/authselect/common/* packaging/authselect/$name/*
  sed -i "s/@NAME@/$name/" "$profile/README"
  cp "$profile/system-auth" "$profile/password-auth"
  cp "$profile/fingerprint-auth" "$profile/smartcard-auth"
  cp "$profile/fingerprint-auth" "$profile/switchable-auth"
done
# The module of SELinux, for the policy of the system that the package is for.
install -d -m 0755 "$root/usr/share/selinux/packages"
scripts/selinux.sh "$root/usr/share/selinux/packages"
install -D -m 0644 -t "$root/usr/share/licenses/pam-totp" LICENSE-MIT LICENSE-APACHE
find "$root/usr/share/man" -type f -exec gzip -9n {} +
find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

files=$(cd "$root" && {
  find usr etc -type l -printf '/%p\n'
  find usr -type f -path '*/man/*' -printf '/%p\n'
  find usr -type f -path 'usr/share/doc/*' -printf '%%doc /%p\n'
  find usr -type f -path 'usr/share/licenses/*' -printf '%%license /%p\n'
  find usr -type f -not -path '*/man/*' -not -path 'usr/share/doc/*' -not -path 'usr/share/licenses/*' -printf '/%p\n'
  find etc -type f -printf '%%config(noreplace) /%p\n'
  echo '%dir /etc/totpd'
  echo '%dir /etc/totpd/totpd.toml.d'
  # The scriptlet makes it: a subvolume on Btrfs, which rpm cannot make.
  echo '%ghost %dir %attr(0700,root,root) /var/lib/totpd'
} | LC_ALL=C sort)
FILES=$files PREINST=$(<packaging/deb/preinst) awk -v version="$version" -v root="$root" -v date="$(LC_ALL=C date -u -d "@$SOURCE_DATE_EPOCH" '+%a %b %d %Y')" '
  /^@FILES@$/ { print ENVIRON["FILES"]; next }
  /^@PREINST@$/ { print ENVIRON["PREINST"]; next }
  { gsub("@VERSION@", version); gsub("@ROOT@", root); gsub("@DATE@", date); print }
' packaging/rpm/pam-totp.spec >"$out/pam-totp.spec"
# What it needs to be built was looked for above: rpm knows no package of Debian.
rpmbuild -bb --quiet --nodeps --define "_topdir $out/build" --define "_rpmdir $out" --define "_buildhost localhost" \
  --define "use_source_date_epoch_as_buildtime 1" --define "clamp_mtime_to_source_date_epoch 1" \
  --define "_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm" "$out/pam-totp.spec"
rm -rf "$root" "$out/build"
echo "rpm: $(ls "$out"/*.rpm)"
