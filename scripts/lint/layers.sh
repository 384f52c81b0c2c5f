#!/bin/bash
# layers.sh [ROOT]: fails if a crate depends on more than the table says, if the core says "std", or if a crate is not in
# the table. Dependencies of tests alone are free.
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"

# folder : what its [dependencies] may name ("*": anything but the crates that are not in its line after the "*")
table='
pam_totp          : libpam pam-bindings rustix totpd-interface totpd-journal zeroizing-alloc
pam_totp/libpam   : libc pam-bindings
totpd/core        : data-encoding hmac scrypt serde sha1 sha2 subtle zeroize
totpd/formats     : aes aes-gcm cbc data-encoding hmac pbkdf2 png quick-xml rqrr scrypt serde serde_json sha1 sha2
                    thiserror totpd-core zeroize
totpd/interface   : serde zbus
totpd/journal     : rustix
totpd/qr          : qrcode
totpd/store       : age chacha20poly1305 data-encoding ed25519-dalek getrandom hmac nix postcard region rusqlite rustix
                    serde sha2 thiserror tokio totpd-core totpd-journal zeroize
totp_import       : libc nix rustix seccompiler totpd-formats zeroize zeroizing-alloc
totpd             : * totpd-core totpd-formats totpd-interface totpd-journal totpd-qr totpd-store
totpctl           : * pam_stack totpd-formats totpd-interface totpd-journal totpd-qr
totpctl/pam_stack :
tests             : *
'

# The names in the [dependencies] of a manifest.
dependencies() {
  awk '/^\[/ { wanted = /^\[dependencies\]/ || /^\[target\..*\.dependencies\]/
               if (match($0, /^\[dependencies\./)) { name = substr($0, RLENGTH + 1); sub(/\].*/, "", name); print name } next }
       wanted && /^[A-Za-z0-9_-]+/ { name = $1; sub(/[.=].*/, "", name); print name }' "$1"
}

members=$(sed -n 's/^members = \[\(.*\)\]/\1/p' Cargo.toml | tr -d '",')
ours=$(for member in $members; do sed -n 's/^name = "\(.*\)"/\1/p' "$member/Cargo.toml" | head -n1; done)
failed=0
complain() { echo "layers: $1" >&2; failed=1; }
for member in $members; do
  # A line that starts with a space goes on with the one before it.
  allowed=$(awk -v member="$member" '/^[^ ]/ { found = ($1 == member); sub(/^[^:]*:/, "") } found' <<<"$table" | tr '\n' ' ')
  grep -q "^$member *:" <<<"$table" || { complain "$member is not in the table of scripts/lint/layers.sh"; continue; }
  for name in $(dependencies "$member/Cargo.toml"); do
    case " $allowed " in
    *" $name "*) ;;
    *" * "*) [ "$member" = tests ] || ! grep -qx "$name" <<<"$ours" || complain "$member must not depend on $name" ;;
    *) complain "$member must not depend on $name" ;;
    esac
  done
done
# Clock, disk, threads and the rest: the core has none of the standard library but in its tests.
if [ -d totpd/core/src ]; then
  grep -qx '#!\[no_std\]' totpd/core/src/lib.rs || complain "totpd/core/src/lib.rs is without #![no_std]"
  while read -r file; do
    # `extern crate std` is for tests.
    grep -n -B1 'extern crate std' "$file" | grep -q 'cfg(test)' || ! grep -q 'extern crate std' "$file" ||
      complain "$file takes the standard library"
    awk '/^#\[cfg\(test\)\]$/ { attribute = NR } /^mod tests \{/ && attribute == NR - 1 { exit }
         /(^|[^A-Za-z_])std::/ && !/^ *\/\// { print FILENAME ":" NR ": " $0; bad = 1 } END { exit bad }' "$file" >&2 ||
      complain "$file uses the standard library"
  done < <(find totpd/core/src -name '*.rs' -not -path '*/tests/*' -not -name tests.rs -not -name fixtures.rs)
fi
exit $failed
