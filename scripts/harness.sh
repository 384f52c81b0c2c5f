#!/bin/bash
# harness.sh: builds what the end-to-end tests and benchmarks act with, into target/tests.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p target/tests
cc -O2 -Wall -Wextra -Werror -o target/tests/pam tests/harness/pam.c -lpam -ldl
cc -O2 -Wall -Wextra -Werror -shared -fPIC -o target/tests/libnss_trouble.so.2 tests/harness/nss_trouble.c
cc -O2 -Wall -Wextra -Werror -shared -fPIC -o target/tests/faults.so tests/harness/faults.c -ldl
cc -O2 -Wall -Wextra -Werror -shared -fPIC -o target/tests/unconfined.so tests/harness/unconfined.c
cc -O2 -Wall -Wextra -Werror -o target/tests/prisoner tests/harness/prisoner.c -lsystemd
rm -rf target/tests/ansible
cp -r packaging/ansible target/tests/
cp tests/harness/{askpass,bus_flood.py,clients.py,cockpit-login,i3lock-try,lightdm-try,newcomer,person,two-logins} target/tests/
cp tests/harness/{pkexec-at-a-terminal,xscreensaver-try} target/tests/
# All at once: cargo builds a crate anew for each set of features, and what tests are run is chosen later.
cargo test --locked --workspace --no-run
cp target/debug/examples/generate_store target/tests/
cp target/debug/{bystander,clients64,false_totpd,find_seeds,flood,peer_call,wrong_codes} target/tests/
# sudo-rs, which Debian 12 does not have.
[ -x target/sudo-rs/bin/sudo ] ||
  cargo install sudo-rs --version 0.2.15 --locked --root target/sudo-rs --target-dir target/sudo-rs/build --no-track
cp target/sudo-rs/bin/sudo target/tests/sudo-rs
# The module with a way to make it panic, for the test that shows what happens then.
cargo build --locked --workspace --lib --features pam_totp/panic-on-demand
cp target/debug/libpam_totp.so target/tests/pam_totp_panicking.so
