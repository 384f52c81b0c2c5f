#!/bin/bash
# unsafe.sh [ROOT]: fails if a Rust file outside pam_totp/libpam has unsafe code, if another crate does not forbid it, or if that one crate has more than 180 lines.
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"
only=pam_totp/libpam
failed=0
complain() { echo "unsafe: $1" >&2; failed=1; }
while read -r file; do
  case $file in "./$only/"*) continue ;; esac
  # What stands in a comment or a string is no code.
  found=$(sed -E 's/"([^"\\]|\\.)*"//g; s|//.*||' "$file" | grep -nE '(^|[^_[:alnum:]])unsafe([^_[:alnum:]]|$)' || true)
  [ -z "$found" ] || complain "$file has unsafe code, which is for $only alone: $found"
done < <(find . -name '*.rs' -not -path './target/*' -not -path './vendor/*' -not -path './fuzz/target/*')
[ ! -f Cargo.toml ] || grep -qx 'unsafe_code = "forbid"' Cargo.toml || complain "Cargo.toml does not forbid unsafe code"
for member in $(sed -n 's/^members = \[\(.*\)\]/\1/p' Cargo.toml | tr -d '",'); do
  [ "$member" = "$only" ] || grep -qzP '(^|\n)\[lints\]\nworkspace = true\n' "$member/Cargo.toml" ||
    grep -qx 'unsafe_code = "forbid"' "$member/Cargo.toml" || complain "$member/Cargo.toml does not forbid unsafe code"
done
if [ -d "$only/src" ]; then
  lines=$(cat "$only"/src/*.rs | wc -l)
  [ "$lines" -le 180 ] || complain "$only has $lines lines, more than 180"
fi
exit $failed
