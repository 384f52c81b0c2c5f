#!/bin/bash
# demo-inside.sh alone|terminal: the part of the demo that runs in the copy of the machine.
set -euo pipefail
say() { printf '\ndemo: %s\n' "$*"; }

say "the line that gates sshd goes behind the password, as the README says:"
sed -i '/^@include common-auth/a auth    required    pam_totp.so' /etc/pam.d/sshd
grep -n -B1 'pam_totp' /etc/pam.d/sshd

if [ "$1" = terminal ]; then
  say "scan this with the app of your phone, and type the code that it shows"
  until totpctl enroll alice --name "demo phone"; do say "once more"; done
  cat <<WORDS

You are root in a disposable copy of this machine; nothing outside changes. Now try:

  ssh alice@localhost            password: alicepw, then the next code of your phone
  ssh alice@localhost            again with the same code: refused, it is used up
  totpctl show alice             what the daemon remembers
  totpctl list; totpctl unlock alice; totpctl remove alice
  tail -n 40 /run/log.txt        what was decided, and why

A second window into the same copy:

  nsenter -t $(cat /run/outside-pid) -m -u -i -n -p -r -w bash

"exit" ends it, and leaves no trace.
WORDS
  printf 'Host localhost\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n' >/etc/ssh/ssh_config.d/demo.conf
  bash --noprofile --norc -i || true
  exit 0
fi

say "alice enrolls; her phone is played by oathtool"
made=$(totpctl --json enroll alice --name "demo phone")
secret=$(sed -n 's/.*"secret":"\([A-Z2-7]*\)".*/\1/p' <<<"$made")
code_after() { oathtool --totp --base32 --now "@$(($(date +%s) + $1))" "$secret"; }
code_after 0 | totpctl confirm alice
totpctl show alice

login() { # login CODE: whether ssh gets in with alice's password and this code
  local words
  if words=$(PASSWORD=alicepw CODE=$1 PROMPTS=/run/prompts SSH_ASKPASS=/opt/tests/askpass \
    SSH_ASKPASS_REQUIRE=force ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -o LogLevel=ERROR -o NumberOfPasswordPrompts=1 alice@127.0.0.1 'echo "hello from $(id -un)"' 2>&1); then
    say "in: $words"
  else
    say "refused: $words"
    return 1
  fi
}

failed=0
right=$(code_after 30)
wrong=000000
while [ "$wrong" = "$(code_after 0)" ] || [ "$wrong" = "$right" ] || [ "$wrong" = "$(code_after -30)" ]; do
  wrong=$(printf '%06d' $((10#$wrong + 1)))
done
say "ssh with the right password and a wrong code, $wrong"
if login "$wrong"; then failed=1; fi
say "ssh with the right password and the right code, $right"
login "$right" || failed=1
say "ssh once more with the same code, which is used up"
if login "$right"; then failed=1; fi

say "what the person was asked:"
sort -u /run/prompts
say "what the daemon wrote to the journal:"
grep -a -o 'MESSAGE=.*' /run/log.txt | cut -d= -f2-

if [ $failed = 0 ]; then
  say "the demo succeeded: the right code got in once, the wrong and the used one did not"
else
  say "the demo FAILED"
fi
exit $failed
