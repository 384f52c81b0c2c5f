#!/bin/bash
# module-crates.sh [FILE]: fails if the module has another crate in its tree than those of the list, which is that of
# docs/decisions/0029. FILE: what `cargo tree` printed.
set -euo pipefail
cd "$(dirname "$0")/../.."
allowed=" bitflags libc libpam linux-raw-sys pam-bindings pam_totp rustix totpd-interface totpd-journal zeroize zeroizing-alloc "
tree() {
  if [ $# -gt 0 ]; then cat "$1"; else cargo tree --locked -p pam_totp -e normal --prefix none --target x86_64-unknown-linux-gnu; fi
}
failed=0
while read -r name _; do
  case $allowed in
  *" $name "*) ;;
  *) echo "module-crates: pam_totp must not have $name in its tree" >&2; failed=1 ;;
  esac
done < <(tree "$@")
exit $failed
