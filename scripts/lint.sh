#!/bin/bash
# lint.sh: everything that a machine can say of the code without running it.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:$HOME/.cargo/bin
if command -v rustup >/dev/null; then rustup component add rustfmt clippy 2>/dev/null || true; fi
# What the scripts of scripts/lint find; first, that they find it.
scripts/lint/self-test.sh
scripts/lint/layers.sh
scripts/lint/orphan-files.py
scripts/lint/circles.py
scripts/lint/circles.py --rooms
scripts/lint/words.py
scripts/lint/sentences.py
scripts/messages-sample.py --check
scripts/lint/sizes.sh
scripts/lint/headings.sh
scripts/lint/unsafe.sh
scripts/lint/module-crates.sh
# Each change that leaves out a rule of the mark fits the source of now.
scripts/leave-outs.py --check
cargo fmt --all --check
cargo clippy --locked --workspace --all-targets -- -D warnings
# Nothing else compiles the fuzz targets but make fuzz.
cargo check --locked --manifest-path fuzz/Cargo.toml --target-dir target/fuzz
RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items
shellcheck scripts/*.sh scripts/lint/*.sh tests/harness/askpass .ci/run packaging/deb/{preinst,postinst,prerm,postrm,config} packaging/sysvinit/* packaging/openrc/*
# How much of the machine the daemon could reach, at most 1.0 of 10.
systemd-analyze security --no-pager --offline=true --threshold=10 packaging/systemd/totpd.service >/dev/null ||
  { echo "lint: the unit gives the daemon more than it needs: systemd-analyze security" >&2; exit 1; }
systemd-analyze verify --man=no docs/examples/*.service docs/examples/*.timer
if mandoc -T lint -W warning packaging/man/* | grep -v "mandoc.db"; then
  echo "lint: mandoc finds a fault in a page of the manual" >&2
  exit 1
fi
apparmor_parser --skip-kernel-load --skip-cache packaging/apparmor/usr.libexec.totpd
# The module of SELinux, with the reference policy of this system.
built=$(mktemp -d)
scripts/selinux.sh "$built"
rm -r "$built"
# The package, where `make deb` made one.
for package in target/deb/*.deb; do
  [ ! -e "$package" ] || lintian --allow-root --fail-on error,warning "$package"
done
for package in target/rpm/*.rpm; do
  [ ! -e "$package" ] || rpmlint --strict --config packaging/rpm/rpmlint.toml "$package"
done
# A license or a source that deny.toml does not know; where cargo-deny is installed.
if cargo deny --version >/dev/null 2>&1; then cargo deny --locked check bans licenses sources; fi
