#!/bin/bash
# test.sh [FILTER...]: all tests but those of confinement, or the end-to-end tests whose names contain a FILTER.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:/usr/sbin:/sbin:$HOME/.cargo/bin
[ "$(id -u)" = 0 ] || { echo "test.sh: the tests need root: they make disposable copies of the machine" >&2; exit 1; }

make build
scripts/harness.sh
# The packages of what was built.
scripts/deb.sh
cp target/deb/libpam-totp_*.deb target/tests/libpam-totp.deb
scripts/rpm.sh
cp target/rpm/pam-totp-*.rpm target/tests/pam-totp.rpm
scripts/programs.sh
if [ $# -eq 0 ]; then
  # Everything but the end-to-end tests, which are of this package and are not compiled for it anew.
  cargo test --locked --workspace --lib --bins --test oathtool -- --skip campaign
  # These say how much they tried.
  cargo test --locked --workspace --lib campaign -- --nocapture
fi
# Hosts with systemd, where this machine can boot them.
booted=(); cannot=""
if cannot=$(scripts/host.sh --possible); then
  scripts/roots.sh bookworm trixie
else
  booted=(--skip booted)
fi
# Kernels with AppArmor and SELinux take minutes to boot without hardware for it: only where they are asked for.
confined=(--skip confined)
case " $* " in *" confined "*)
  scripts/prepare.sh kernel
  scripts/roots.sh bookworm-kernel noble-kernel
  scripts/selinux.sh target/tests
  confined=()
  ;;
esac
failed=0
log=target/test.log
: >"$log"
suites() { cargo test --locked --workspace --no-fail-fast "$@" 2>&1 | tee -a "$log" || failed=1; }
if [ $# -eq 0 ]; then
  # Most of these wait for something most of the time. But a program on a screen takes keys only when it is ready,
  # and what stands in the last two says how long something took, or wants the whole machine.
  suites --test machines -- --test-threads 4 "${booted[@]}" "${confined[@]}" --skip programs::screens \
    --skip floods::floods_over
  suites --test machines -- --test-threads 2 programs::screens
  # Three users flood the bus, and how long logins take meanwhile is counted.
  suites --test machines -- --test-threads 1 floods::floods_over
  suites --test recovery --test storm -- --test-threads 2
else
  suites --test machines --test recovery --test storm -- --test-threads 2 "${booted[@]}" "${confined[@]}" "$@"
fi
[ -z "$cannot" ] || echo "test: hosts with systemd were NOT tried: $cannot"
[ $# -gt 0 ] || echo "test: AppArmor and SELinux in force are tried by: make test-machines"
# Why a test failed is said again where it is found: what CI keeps of this output may be its end alone.
[ $failed = 0 ] || sed -n '/panicked at/,+12{/^ *[0-9]*: \|^ *at /!p}' "$log"
exit $failed
