#!/bin/bash
# selinux.sh FOLDER: compiles the module of SELinux to FOLDER/totpd.pp, with the reference policy of this system
# (selinux-policy-dev).
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(readlink -f "$1")
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
cp packaging/selinux/totpd.* "$built"
make -s -C "$built" -f /usr/share/selinux/devel/Makefile totpd.pp >/dev/null
cp "$built/totpd.pp" "$folder"
