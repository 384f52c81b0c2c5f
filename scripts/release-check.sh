#!/bin/bash
# release-check.sh: what has to hold before a release is tagged (docs/development/releasing.md). Each step says what it
# could not do; such a step fails the check.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
export PATH=$PATH:$HOME/.cargo/bin
failed=0
ok() { echo "ok:       $*"; }
problem() { echo "problem:  $*" >&2; failed=1; }
not_done() { echo "NOT DONE: $*" >&2; failed=1; }

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n1)
echo "release-check: version $version"

# 1. One version everywhere.
others=$(git grep -hE '^version = ' -- '*/Cargo.toml' ':!fuzz' | sort -u)
if [ -z "$others" ]; then ok "all crates inherit the version of the workspace"; else problem "crates with a version of their own: $others"; fi
for crate in $(cargo metadata --format-version 1 --no-deps --locked 2>/dev/null | grep -oE '"name":"[^"]*","version":"[^"]*"' | sort -u | tr -d '"' | sed 's/name://; s/,version:/=/'); do
  [ "${crate#*=}" = "$version" ] || problem "Cargo.lock: ${crate%=*} is ${crate#*=}"
done
debian=$(sed -n '1s/.*(\(.*\)-[^-]*).*/\1/p' packaging/deb/changelog)
if [ "$debian" = "$version" ]; then ok "packaging/deb/changelog is of $version"; else problem "packaging/deb/changelog is of $debian"; fi
if grep -q '^Version: *@VERSION@$' packaging/rpm/pam-totp.spec; then
  ok "the spec takes its version from Cargo.toml"
else
  problem "packaging/rpm/pam-totp.spec has a version of its own"
fi
released=$(LC_ALL=C date -u -d "$(sed -n 's/^ -- .*>  //p' packaging/deb/changelog | head -n1)" '+%B %-d, %Y')
pages=ok
for page in packaging/man/*; do
  dated=$(sed -n 's/^\.Dd //p' "$page")
  if [ "$(date -d "$dated" +%s)" -gt "$(date -d "$released" +%s)" ]; then
    problem "$page is of $dated, the release of $released: set the date of packaging/deb/changelog"
    pages=
  fi
  numbers=$(grep -oE '\b[0-9]+\.[0-9]+\.[0-9]+\b' "$page" | sort -u | grep -vx "$version" || true)
  [ -z "$numbers" ] || problem "$page names the version $numbers"
done
[ -z "$pages" ] || ok "no man page is younger than the release"
if grep -q "version $version\b" README.md; then ok "the README names $version"; else problem "the README does not name version $version"; fi

# 2. The changelog is cut.
if grep -qE "^## \[?$version\]? - [0-9]{4}-[0-9]{2}-[0-9]{2}$" CHANGELOG.md; then
  ok "CHANGELOG.md has a section of $version"
else
  problem "CHANGELOG.md has no section \"## $version - YYYY-MM-DD\""
fi
if sed -n '/^## Unreleased/,/^## [^U]/p' CHANGELOG.md | grep -q '^[-*] '; then
  problem "CHANGELOG.md still has entries under Unreleased"
fi

# 3. The tree.
[ -z "$(git status --porcelain)" ] || problem "the tree has changes that are not committed"
if scripts/links.sh; then ok "links and paths in the documents are there"; else problem "documents name what is not there"; fi
if scripts/deny.sh; then ok "cargo-deny"; else not_done "cargo-deny, or it found something"; fi

# 4. Packages.
if scripts/reproducible.sh; then ok "two builds made the same packages"; else problem "the packages differ, or could not be made"; fi

# 5. The bill of materials, beside the packages.
if cargo cyclonedx --version >/dev/null 2>&1; then
  mkdir -p target/release-check
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
  export SOURCE_DATE_EPOCH
  # It writes one beside the manifest of each crate.
  cargo cyclonedx --quiet --format json --spec-version 1.5 --target x86_64-unknown-linux-gnu --override-filename bom
  boms=0
  for crate in pam_totp totp_import totpctl totpd; do
    mv "$crate/bom.json" "target/release-check/$crate-$version.cdx.json" && boms=$((boms + 1))
  done
  git ls-files --others --exclude-standard -- '*bom.json' | xargs -r rm --
  if [ $boms = 4 ]; then ok "target/release-check has four bills of materials"; else problem "cargo-cyclonedx failed"; fi
else
  not_done "a bill of materials: cargo install --locked cargo-cyclonedx"
fi

[ $failed = 0 ] && echo "release-check: $version can be tagged"
exit $failed
