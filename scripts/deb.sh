#!/bin/bash
# deb.sh: a Debian package under target/deb of what `make build` made (or of the folder BUILT,
# under OUT). Needs dpkg-deb and no network; of the
# same files it makes the same package, byte by byte.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v dpkg-shlibdeps >/dev/null || { echo "deb.sh: dpkg-dev is missing: apt-get install dpkg-dev" >&2; exit 1; }

changelog=packaging/deb/changelog
version=$(dpkg-parsechangelog -l $changelog -S Version)
# What is in it is as old as its changelog says.
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l $changelog -S Timestamp)
export SOURCE_DATE_EPOCH
wanted=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n1)
[ "${version%-*}" = "$wanted" ] || { echo "deb.sh: $changelog is of $version, Cargo.toml of $wanted" >&2; exit 1; }

out=${OUT:-target/deb}
root=$out/root
rm -rf "$out"
mkdir -p "$out"
make -s install ${BUILT:+BUILT="$BUILT"} DESTDIR="$root" PREFIX=/usr SYSCONFDIR=/etc
# postinst makes it: a subvolume on Btrfs, which dpkg cannot make.
rmdir "$root/var/lib/totpd" "$root/var/lib" "$root/var"
doc=$root/usr/share/doc/libpam-totp
install -d -m 0755 "$root/DEBIAN" "$doc/examples"
scripts/documentation.sh "$doc"
install -m 0644 docs/examples/* packaging/polkit/*.rules packaging/systemd/*.conf "$doc/examples/"
cp -r packaging/ansible packaging/apparmor packaging/selinux "$doc/examples/"
find "$doc/examples" -type f -exec chmod 0644 {} +
gzip -9n <CHANGELOG.md >"$doc/changelog.gz"
gzip -9n <$changelog >"$doc/changelog.Debian.gz"
sed -e '/^@MIT@$/{
r /dev/stdin
d
}' packaging/deb/copyright <<<"$(sed -e 's/^$/./' -e 's/^/ /' LICENSE-MIT)" >"$doc/copyright"
find "$root/usr/share/man" -type f -exec gzip -9n {} +

for script in config preinst postinst prerm postrm; do
  install -m 0755 packaging/deb/$script "$root/DEBIAN/$script"
done
# Policy 9.11: systemd goes by the unit of the same name and never looks at this one.
install -D -m 0755 packaging/sysvinit/totpctl-try "$root/etc/init.d/totpctl-try"
install -m 0644 packaging/deb/templates "$root/DEBIAN/templates"
install -D -m 0644 packaging/deb/lintian-overrides "$root/usr/share/lintian/overrides/libpam-totp"
(cd "$root" && find etc -type f -printf '/%p\n' | LC_ALL=C sort) >"$root/DEBIAN/conffiles"
(cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"

# Which libraries it needs, and of which version.
mkdir -p "$out/debian"
printf 'Source: libpam-totp\n\nPackage: libpam-totp\nArchitecture: any\n' >"$out/debian/control"
depends=$(cd "$out" && dpkg-shlibdeps -O -eroot/usr/libexec/totpd -eroot/usr/libexec/totp-import -eroot/usr/bin/totpctl \
  "$(find root/usr/lib* -name pam_totp.so -printf '-e%p')" 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
rm -r "$out/debian"
size=$(find "$root" -path "$root/DEBIAN" -prune -o -type f -printf '%s\n' | awk '{kb += int(($1 + 1023) / 1024)} END {print kb}')
sed -e "s/@VERSION@/$version/" -e "s/@ARCH@/$(dpkg --print-architecture)/" -e "s/@SIZE@/$size/" \
  -e "s/@DEPENDS@/$depends/" packaging/deb/control >"$root/DEBIAN/control"
find "$root" -type d -exec chmod 0755 {} +
find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

package=$out/libpam-totp_${version}_$(dpkg --print-architecture).deb
dpkg-deb --root-owner-group -Zxz --build "$root" "$package" >/dev/null
rm -r "$root"
echo "deb: $package, $size kB installed"
