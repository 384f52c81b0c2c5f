#!/bin/bash
# documentation.sh FOLDER: installs the pages of docs/ as they are in a package: their folders, the index and the README
# are side by side there.
set -euo pipefail
cd "$(dirname "$0")/.."
to=$1
for folder in admin reference development decisions; do
  install -D -m 0644 -t "$to/$folder" docs/$folder/*.md
done
for page in README.md SECURITY.md; do
  sed -e 's#](docs/README\.md)#](index.md)#g' -e 's#](docs/#](#g' $page >"$to/$page"
  chmod 0644 "$to/$page"
done
install -m 0644 docs/README.md "$to/index.md"
