#!/bin/bash
# links.sh: every file that the documents link to is there, and so is every source file that they name, every path that
# starts a workflow, and every test of renamed-tests.md.
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0
files=$(git ls-files)
# A name in backticks may be the end of a path, such as `backup/trust.rs`.
is_there() { grep -qE "(^|/)${1//./\\.}(/|$)" <<<"$files"; }
while read -r page; do
  folder=$(dirname "$page")
  while read -r target; do
    [ -e "$folder/$target" ] || { echo "$page: there is no $target" >&2; failed=1; }
  done < <(grep -oE '\]\([^)#]+' "$page" | sed 's/^](//' | grep -v '^https\?:' || true)
  # Decisions are of their day, and mutants.md names former files.
  case $page in docs/decisions/* | docs/development/mutants.md | CHANGELOG.md) continue ;; esac
  while read -r source; do
    is_there "$source" || { echo "$page: there is no $source" >&2; failed=1; }
  done < <(grep -oE '`(totpd|totpctl|pam_totp|tests|scripts|packaging)/[A-Za-z0-9_./-]+' "$page" | tr -d '`' | sed 's#/$##' || true)
done < <(git ls-files '*.md')
# The backticks are those of the page.
# shellcheck disable=SC2016
# A list of renamed tests names tests that exist.
while read -r name; do
  git grep -qw "fn $name" -- '*.rs' || { echo "renamed-tests.md: there is no test $name" >&2; failed=1; }
done < <(sed -n 's/^| `[^`]*` | `\([^`]*\)` |$/\1/p' docs/development/renamed-tests.md | sort -u)
# A pattern of `paths:` that matches nothing starts nothing, and GitHub does not say so.
while IFS=: read -r workflow pattern; do
  expression=$(sed -e 's/[.+]/\\&/g' -e 's/\*\*/\a/g' -e 's/\*/[^\/]*/g' -e 's/\a/.*/g' <<<"${pattern#!}")
  grep -qE "^$expression\$" <<<"$files" || { echo "$workflow: no file matches $pattern" >&2; failed=1; }
done < <(awk '/^ *paths(-ignore)?:/ { on = 1; next } on && /^ *- / { gsub(/[\x27"]/, ""); print FILENAME ":" $2; next } { on = 0 }' \
  .github/workflows/*.yml)
exit $failed
