#!/bin/bash
# test.sh [FILTER]: all tests, or the end-to-end tests whose names contain FILTER.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:/usr/sbin:/sbin:$HOME/.cargo/bin
[ "$(id -u)" = 0 ] || { echo "test.sh: the tests need root: they make disposable copies of the machine" >&2; exit 1; }

make build
mkdir -p target/tests
cc -O2 -Wall -Wextra -Werror -o target/tests/pam tests/harness/pam.c -lpam
cc -O2 -Wall -Wextra -Werror -shared -fPIC -o target/tests/libnss_trouble.so.2 tests/harness/nss_trouble.c
cp tests/harness/askpass target/tests/
cargo build --locked -p tests --bin false_totpd
cp target/debug/false_totpd target/tests/
# The module with a way to make it panic, for the test that shows what happens then.
cargo build --locked -p pam_totp --features panic-on-demand --target-dir target/panicking
cp target/panicking/debug/libpam_totp.so target/tests/pam_totp_panicking.so

[ $# -gt 0 ] || cargo test --locked --workspace --exclude tests
cargo test --locked --no-fail-fast -p tests -- --test-threads 2 "$@"
