#!/bin/bash
# Runs inside a machine of machine.sh. Prints "NAME COUNT" for each figure of bench-instructions.sh.
set -euo pipefail
profiles=$(mktemp -d)
few=10 many=60

# passwd_with NAME UID: writes the file of users, with that user last. What a lookup costs depends on the lines before.
passwd_with() {
  printf '%s\n' "$base" "$1:x:$2:$2::/home/$1:/bin/bash" >/etc/passwd.new
  mv /etc/passwd.new /etc/passwd
}
base=$(
  getent passwd root daemon bin sys messagebus sshd
  for number in $(seq 20); do echo "service$number:x:$((900 + number)):65534::/nonexistent:/usr/sbin/nologin"; done
)
printf 'passwd: files\ngroup: files\nshadow: files\n' >/etc/nsswitch.conf
# No wrong code here makes the next one wait.
printf '[throttle]\nfree_failures = 100\nlock_after = 100\n' >/etc/totpd/totpd.toml.d/10-bench.toml
echo 'auth required pam_totp.so nodelay' >/etc/pam.d/bench
echo 'auth required pam_permit.so' >/etc/pam.d/bench-permit
# refused ARGUMENT...: logins that the daemon refuses, each with its question. Without it, less would be counted.
refused() {
  local result
  # The harness fails as its last login does.
  result=$(/opt/tests/pam "$@" || true)
  case $result in
  *rc=7\ * | *rc=11\ * | *rc=19\ *) ;; # PAM_AUTH_ERR, PAM_MAXTRIES, PAM_CONV_ERR
  *) echo "bench-instructions: pam $* was not refused by the daemon: $result" >&2; exit 1 ;;
  esac
}
enroll() {
  totpctl enroll "$1" --no-confirm --secret-stdin --qr none <<<GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ >/dev/null 2>&1
}
passwd_with carol 2003
enroll carol
refused -n 101 bench carol 000000
totpctl show carol | grep -q locked || { echo "bench-instructions: carol is not locked" >&2; exit 1; }
passwd_with alice 2001
enroll alice
pid=$(pidof totpd)
kill "$pid"
tail --pid="$pid" -f /dev/null

# instructions FILE: of all threads of that profile.
instructions() {
  awk '/^(summary|totals):/ { print $2; exit }' "$1"
}

# daemon USER LOGINS MODE...: what totpd needs from its start to its end, with so many logins in between.
daemon() {
  local user=$1 logins=$2 number best=
  shift 2
  # Which thread gets a connection is chance, so the least of three counts.
  for number in 1 2 3; do
    [ "$user" != alice ] || totpctl unlock alice >/dev/null 2>&1
    pidof totpd | xargs -r kill
    while pidof totpd >/dev/null; do sleep 0.05; done
    rm -f /run/totpd/private
    setarch -R valgrind --tool=callgrind --callgrind-out-file="$profiles/daemon" -q /usr/libexec/totpd 2>/dev/null &
    local valgrind=$!
    until [ -S /run/totpd/private ]; do sleep 0.05; done
    refused -n "$logins" "$@" bench "$user" 000000
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

# one USER MODE...: what totpd needs for one login.
one() {
  local user=$1
  shift
  echo $((($(daemon "$user" $many "$@") - $(daemon "$user" $few "$@")) / (many - few)))
}

begin=$(one alice -c cancel)
login=$(one alice)
echo "begin $begin"
echo "verify $((login - begin))"
echo "begin_unknown $(one nouser -c cancel)"
passwd_with bobby 2002
echo "begin_unenrolled $(one bobby -c cancel)"
passwd_with carol 2003
echo "begin_throttled $(one carol -c cancel)"
passwd_with alice 2001
totpctl unlock alice >/dev/null 2>&1
module bench >/dev/null
echo "module $(($(module bench) - $(module bench-permit)))"
