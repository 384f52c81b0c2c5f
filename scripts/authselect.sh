#!/bin/bash
# authselect.sh FOLDER: builds the real authselect of Fedora (1.7.1) and of RHEL 8 and 9 (1.2.6), which Debian does not
# have, and packs each to FOLDER/authselect-VERSION.tar with its own profiles and with pam_sss.so. Only tests use it.
# AUTHSELECT_SOURCE: a repository with its source, where the network does not reach that of its authors. If there is
# none, the script says so, makes nothing, and the tests that need it are skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(readlink -f "$1")
source=${AUTHSELECT_SOURCE:-https://github.com/authselect/authselect}
# git checks that the source is that of these commits.
versions=(1.7.1:4c7a7a2b8c92141e98fdda989abe356ef4e3bd21 1.2.6:0ccbf37c8a1b7ac522455498d34ad7145e25e2ac)

made=$(sha256sum scripts/authselect.sh)
[ "$(cat target/authselect/made 2>/dev/null)" != "$made" ] || [ ! -e "$folder/authselect-1.7.1.tar" ] || exit 0
rm -rf target/authselect
mkdir -p target/authselect
built=$PWD/target/authselect
git init -q "$built/source"
for pair in "${versions[@]}"; do
  # A repository that answers slowly is one that does not answer.
  if ! timeout 60 git -C "$built/source" fetch -q --depth 1 "$source" "${pair#*:}" 2>"$built/error"; then
    echo "authselect: its source cannot be had: $(head -n1 "$built/error"); set AUTHSELECT_SOURCE to a repository"
    rm -f "$folder"/authselect-*.tar
    exit 0
  fi
done

(cd "$built" && apt-get -q download libpam-sss >log 2>&1 && dpkg -x libpam-sss_*.deb sss)
for pair in "${versions[@]}"; do
  version=${pair%%:*}
  echo "authselect: building $version"
  mkdir "$built/$version"
  git -C "$built/source" archive "${pair#*:}" | tar -C "$built/$version" -xf -
  if ! (
    cd "$built/$version"
    autoreconf -fi
    ./configure --prefix=/usr --sysconfdir=/etc --localstatedir=/var
    make
    make install DESTDIR="$built/root-$version"
  ) >"$built/log" 2>&1; then
    tail -n 20 "$built/log" >&2
    exit 1
  fi
  rm -rf "$built/root-$version/usr/share/locale"
  # Its package makes these folders.
  mkdir -p "$built/root-$version/etc/dconf/db/distro.d/locks" "$built/root-$version/var/lib/authselect/backups"
  modules=$(dirname "$(find "$built/sss" -name pam_sss.so)")
  install -D -m 0644 -t "$built/root-$version/usr/${modules#"$built/sss/"}" "$modules"/pam_sss.so
  tar -C "$built/root-$version" -cf "$folder/authselect-$version.tar" .
done
echo "$made" >"$built/made"
