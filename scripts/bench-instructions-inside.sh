#!/bin/bash
# Runs inside a machine of machine.sh. Prints "NAME COUNT" for each figure of bench-instructions.sh.
set -euo pipefail
profiles=$(mktemp -d)
few=10 many=60

# What a lookup of a name costs depends on the lines before it.
{
  getent passwd root daemon bin sys messagebus sshd
  for number in $(seq 20); do echo "service$number:x:$((900 + number)):65534::/nonexistent:/usr/sbin/nologin"; done
  getent passwd alice
} >/etc/passwd.new
mv /etc/passwd.new /etc/passwd
printf 'passwd: files\ngroup: files\nshadow: files\n' >/etc/nsswitch.conf
# No wrong code here makes the next one wait.
printf '[throttle]\nfree_failures = 100\nlock_after = 100\n' >/etc/totpd/totpd.toml.d/10-bench.toml
echo 'auth required pam_totp.so nodelay' >/etc/pam.d/bench
echo 'auth required pam_permit.so' >/etc/pam.d/bench-permit
totpctl enroll alice --no-confirm --secret-stdin --qr none <<<GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ >/dev/null 2>&1
pid=$(pidof totpd)
kill "$pid"
tail --pid="$pid" -f /dev/null

# instructions FILE: of all threads of that profile.
instructions() {
  awk '/^(summary|totals):/ { print $2; exit }' "$1"
}

# daemon LOGINS MODE...: what totpd needs from its start to its end, with so many logins in between.
daemon() {
  local logins=$1 number best=
  shift
  # Which thread gets a connection is chance, so the least of three counts.
  for number in 1 2 3; do
    totpctl unlock alice >/dev/null 2>&1
    pidof totpd | xargs -r kill
    while pidof totpd >/dev/null; do sleep 0.05; done
    rm -f /run/totpd/private
    setarch -R valgrind --tool=callgrind --callgrind-out-file="$profiles/daemon" -q /usr/libexec/totpd 2>/dev/null &
    local valgrind=$!
    until [ -S /run/totpd/private ]; do sleep 0.05; done
    /opt/tests/pam -n "$logins" "$@" bench alice 000000 >/dev/null || true
    kill "$valgrind"
    wait "$valgrind" || true
    local count
    count=$(instructions "$profiles/daemon")
    [ -n "$best" ] && [ "$best" -le "$count" ] || best=$count
  done
  echo "$best"
}

# module SERVICE: what one authentication in a fresh process needs.
module() {
  setarch -R valgrind --tool=callgrind --callgrind-out-file="$profiles/module" -q \
    /opt/tests/pam "$1" alice 000000 >/dev/null 2>&1 || true
  instructions "$profiles/module"
}

begin=$((($(daemon $many -c cancel) - $(daemon $few -c cancel)) / (many - few)))
login=$((($(daemon $many) - $(daemon $few)) / (many - few)))
echo "begin $begin"
echo "verify $((login - begin))"
totpctl unlock alice >/dev/null 2>&1
module bench >/dev/null
echo "module $(($(module bench) - $(module bench-permit)))"
