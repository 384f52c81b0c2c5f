#!/bin/bash
# reproducible.sh: makes the packages of the last commit twice, each time from nothing, and compares them byte by byte. Both
# builds are in the same folder with the same toolchain; other folders and toolchains are not tried.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:$HOME/.cargo/bin
[ -z "$(git status --porcelain --untracked-files=no)" ] ||
  echo "reproducible: what is not committed is left out" >&2
commit=$(git rev-parse HEAD)
out=$PWD/target/reproducible
kinds=()
if command -v dpkg-shlibdeps >/dev/null; then kinds+=(deb); else echo "reproducible: NOT tried: deb (no dpkg-dev)" >&2; fi
if command -v rpmbuild >/dev/null; then kinds+=(rpm); else echo "reproducible: NOT tried: rpm (no rpmbuild)" >&2; fi
[ ${#kinds[@]} -gt 0 ] || exit 1
rm -rf "$out"
for build in first second; do
  mkdir -p "$out/tree" "$out/$build"
  git archive "$commit" | tar -x -C "$out/tree"
  make -s -C "$out/tree" "${kinds[@]}"
  for kind in "${kinds[@]}"; do cp "$out/tree/target/$kind"/*."$kind" "$out/$build/"; done
  rm -rf "$out/tree"
done
failed=0
for package in "$out"/first/*; do
  name=${package##*/}
  if cmp -s "$package" "$out/second/$name"; then
    echo "reproducible: $name: $(sha256sum <"$package" | cut -d' ' -f1)"
  else
    echo "reproducible: $name differs between two builds (diffoscope $package $out/second/$name)" >&2
    failed=1
  fi
done
exit $failed
