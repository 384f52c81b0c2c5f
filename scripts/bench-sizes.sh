#!/bin/bash
# bench-sizes.sh: the sizes of the module and of the package, as rows for bench-table.py. BUILT: the built files.
# Backquotes are those of the page.
# shellcheck disable=SC2016
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:$HOME/.cargo/bin BUILT=${BUILT:-target/tested}
crates=$(cargo tree --locked -p pam_totp -e normal --prefix none | cut -d' ' -f1 | sort -u | wc -l)
module=$(stat -c %s "$BUILT/libpam_totp.so")
package=$(OUT=target/tests.package scripts/deb.sh | sed -n 's/.*, \([0-9]*\) kB installed$/\1/p')
rm -r target/tests.package
printf 'row\tsizes\t%s\t%s\t%s\tat most\t%s\n' \
  '`pam_totp.so`, stripped' "$((module / 1000))" ' kB' 400 \
  'crates in the tree of `pam_totp`' "$crates" '' 12 \
  'installed size of the package' "$package" ' kB' 6500
