#!/bin/bash
# links.sh: every file that the documents link to is there, and so is every source file that they name, also by the end
# of its path, every test that they name with its file, every path that starts a workflow, and every test of
# renamed-tests.md.
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0
files=$(git ls-files)
# A name in backticks may be the end of a path, such as `backup/trust.rs`.
is_there() { grep -qE "(^|/)${1//./\\.}(/|$)" <<<"$files"; }
# The backticks are those of the page.
# shellcheck disable=SC2016
while read -r page; do
  folder=$(dirname "$page")
  while read -r target; do
    [ -e "$folder/$target" ] || { echo "$page: there is no $target" >&2; failed=1; }
  done < <(grep -oE '\]\([^)#]+' "$page" | sed 's/^](//' | grep -v '^https\?:' || true)
  # Decisions are of their day, and mutants.md names former files.
  case $page in docs/decisions/* | docs/development/mutants.md | CHANGELOG.md) continue ;; esac
  while read -r source; do
    is_there "$source" || { echo "$page: there is no $source" >&2; failed=1; }
  done < <(grep -oE '`(totpd|totpctl|pam_totp|tests|scripts|packaging)/[A-Za-z0-9_./-]+|`[A-Za-z0-9_./-]+\.rs\b' "$page" | tr -d '`' | sed 's#/$##' | grep -vx 'mod\.rs' || true)
  # A test of `tests/x.rs` may be in a file of `tests/x`. A name may end in an ellipsis.
  while IFS=: read -r source name; do
    git grep -qE "fn ${name/%…/[a-z0-9_]*}\\b" -- "*${source%.rs}.rs" "*${source%.rs}/*.rs" ||
      { echo "$page: there is no test $name in $source" >&2; failed=1; }
  done < <(tr -s '\n ' ' ' <"$page" | grep -oE '`[a-z0-9_/]+\.rs: [a-z0-9_]+…?`' | tr -d '` ' || true)
done < <(git ls-files '*.md')
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
