#!/bin/bash
# sizes.sh [ROOT]: fails if a Rust file has more than 350 lines, or a line of comment more than 100 columns, which rustfmt
# leaves as it is.
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"
export LC_ALL=C.UTF-8
failed=0
while read -r file; do
  [ "$(wc -l <"$file")" -le 350 ] || { echo "sizes: $file has $(wc -l <"$file") lines, more than 350" >&2; failed=1; }
  awk 'length($0) > 100 && /^ *\/\// { print "sizes: " FILENAME ":" NR ": a comment of " length($0) " columns"; bad = 1 }
       END { exit bad }' "$file" >&2 || failed=1
done < <(find . -name '*.rs' -not -path './target/*' -not -path './vendor/*' -not -path './fuzz/target/*')
exit $failed
