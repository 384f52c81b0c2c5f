#!/bin/bash
# headings.sh [ROOT]: fails if a heading of a doc comment has its text on the same line, since all of that becomes the heading.
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"
if grep -rnE '^ *//[/!] # (Errors|Panics|Safety|Examples) .' --include='*.rs' --exclude-dir=target --exclude-dir=vendor .; then
  echo "headings: write the text of these headings on the next line" >&2
  exit 1
fi
