#!/bin/bash
# uninstall.sh ROOT PREFIX: what `make uninstall` does before it removes a file. It fails while a stack names the module,
# because libpam denies every login through such a stack. On this host (an empty ROOT) it ends a trial and the daemon.
set -euo pipefail
root=$1
prefix=$2

if [ -z "$root" ]; then
  # After the removal nothing could revert it.
  "$prefix/bin/totpctl" try --undo >/dev/null 2>&1 || true
fi

# Behind a link too, as authselect has its files.
named=$(grep -lsRE '^[^#]*pam_totp\.so' "$root/etc/pam.d" "$root/etc/pam.conf" "$root/usr/lib/pam.d" "$root/usr/etc/pam.d" || true)
if [ -n "$named" ]; then
  {
    echo "uninstall: nothing is removed: these files still ask pam_totp.so, and nobody could log in by them:"
    # shellcheck disable=SC2001
    echo "$named" | sed 's/^/  /'
    echo "uninstall: totpctl disable SERVICE, or pam-auth-update --disable totp, or take the lines out"
    echo "uninstall: leave a line that asks for the password, log in once, then run make uninstall again"
  } >&2
  exit 1
fi
[ -z "$root" ] || exit 0

# Its socket and what the last logins used up: an orderly end needs neither.
trap 'rm -rf /run/totpd' EXIT
if [ -d /run/systemd/system ]; then
  systemctl disable --quiet --now totpd.socket || true
  systemctl stop totpd.service || true
else
  for folder in /proc/[0-9]*; do
    case $(readlink "$folder/exe" 2>/dev/null || true) in
    "$prefix/libexec/totpd" | "$prefix/libexec/totpd (deleted)")
      # A container may have a daemon of its own, with another root file system.
      if [ "$(stat -Lc %d:%i "$folder/root" 2>/dev/null || true)" = "$(stat -Lc %d:%i /)" ]; then
        kill "${folder#/proc/}" 2>/dev/null || true
      fi
      ;;
    esac
  done
fi
