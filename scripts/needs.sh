#!/bin/bash
# needs.sh NAME: the targets of tests/harness.mk for the tests of tests/NAME.rs, or if there is no such file for all tests
# that scripts/test.sh NAME may find.
set -euo pipefail
cd "$(dirname "$0")/.."
words=$(sed -n "/^\[needs\]/,/^$/s/^$1 = \"\(.*\)\"/\1/p" tests/needs.toml)
for word in ${words:-machine packages programs hosts}; do echo "need-$word"; done
