//! A small model of sshd's own rules, which plays logins, and a comparison with the ways in.

use super::effect::{Effect, effects};
use super::stack::of_text;
use super::way::{Way, Who, ways};
use crate::host::door::CodeNeed;
use crate::host::sshd::config::effective::Effective;

/// A configuration, in the words of `sshd -T`.
#[derive(Clone, Copy, Debug)]
struct Config {
    /// publickey, password, keyboard-interactive, gssapi-with-mic, hostbased.
    methods: [bool; 5],
    pam: bool,
    kerberos: bool,
    empty: bool,
    root: &'static str,
    lists: &'static str,
}

impl Config {
    fn text(&self) -> String {
        let word = |is_on: bool| if is_on { "yes" } else { "no" };
        let [key, password, ask, gssapi, host] = self.methods.map(word);
        let (pam, kerberos, empty) = (word(self.pam), word(self.kerberos), word(self.empty));
        format!(
            "usepam {pam}\npubkeyauthentication {key}\npasswordauthentication {password}\n\
             kbdinteractiveauthentication {ask}\ngssapiauthentication {gssapi}\n\
             hostbasedauthentication {host}\nkerberosauthentication {kerberos}\n\
             permitemptypasswords {empty}\npermitrootlogin {}\nauthenticationmethods {}\n",
            self.root, self.lists
        )
    }
}

/// A line of a stack.
#[derive(Clone, Copy, Debug)]
enum Line {
    Password,
    Code,
    /// Password and code in one answer.
    Both,
    /// Under `account`: a code was given.
    Guard,
}

const STACKS: [(&str, &[Line]); 6] = [
    ("auth requisite pam_unix.so\n", &[Line::Password]),
    ("auth requisite pam_unix.so\nauth required pam_totp.so\n", &[Line::Password, Line::Code]),
    ("auth required pam_totp.so\n", &[Line::Code]),
    (
        "auth required pam_totp.so forward_pass\nauth requisite pam_unix.so\n",
        &[Line::Both, Line::Password],
    ),
    (
        "auth requisite pam_unix.so\nauth required pam_totp.so\n\
         account required pam_totp.so guard\naccount required pam_unix.so\n",
        &[Line::Password, Line::Code, Line::Guard],
    ),
    (
        "auth requisite pam_unix.so\n\
         account required pam_totp.so guard\naccount required pam_unix.so\n",
        &[Line::Password, Line::Guard],
    ),
];

/// A person who has a key, a ticket, a trusted host and a password.
#[derive(Clone, Copy, Debug)]
struct Person {
    is_root: bool,
    has_code: bool,
    password: &'static str,
}

struct Sshd<'a> {
    config: &'a Config,
    stack: &'a [Line],
    person: Person,
}

impl Sshd<'_> {
    fn lets_in(&self) -> bool {
        if self.config.lists == "any" {
            return ALL.iter().any(|method| self.accepts(method) && self.is_let_by(&[*method]));
        }
        let lists: Vec<Vec<&str>> = self
            .config
            .lists
            .split(' ')
            .map(|list| list.split(',').collect::<Vec<_>>())
            .filter(|list| list.iter().all(|name| self.is_enabled(base(name))))
            .collect();
        self.completes(&lists, &[])
    }

    /// Tries every method that may come next.
    fn completes(&self, lists: &[Vec<&str>], passed: &[&str]) -> bool {
        ALL.iter().any(|method| {
            let is_next = |list: &Vec<&str>| {
                list.first().is_some_and(|name| {
                    base(name) == *method && (*name == *method || name.ends_with(":pam"))
                })
            };
            if !lists.iter().any(is_next) || !self.accepts(method) {
                return false;
            }
            let rest: Vec<Vec<&str>> = lists
                .iter()
                .map(|list| if is_next(list) { list[1..].to_vec() } else { list.clone() })
                .collect();
            let passed = &[passed, &[*method]].concat();
            let is_complete = rest.iter().any(Vec::is_empty);
            if is_complete { self.is_let_by(passed) } else { self.completes(&rest, passed) }
        })
    }

    /// The account phase, after these methods.
    fn is_let_by(&self, passed: &[&str]) -> bool {
        let has = |wanted: &[Line]| {
            self.stack
                .iter()
                .any(|line| wanted.iter().any(|other| format!("{other:?}") == format!("{line:?}")))
        };
        let asks = |method: &&str| match *method {
            "keyboard-interactive" => true,
            "password" | "none" => !self.config.kerberos,
            _ => false,
        };
        let gave_code = has(&[Line::Code, Line::Both]) && passed.iter().any(asks);
        !self.config.pam || !has(&[Line::Guard]) || gave_code
    }

    fn is_enabled(&self, method: &str) -> bool {
        let [key, password, ask, gssapi, host] = self.config.methods;
        match method {
            "publickey" => key,
            "password" => password,
            "keyboard-interactive" => ask,
            "gssapi-with-mic" => gssapi,
            "hostbased" => host,
            _ => true,
        }
    }

    fn accepts(&self, method: &str) -> bool {
        let Config { pam, kerberos, empty, root, lists, .. } = *self.config;
        let is_shut = self.person.is_root && root != "yes";
        let by_password = |answers: &[&str]| {
            answers.iter().any(|answer| {
                if is_shut || (answer.is_empty() && !empty) {
                    return false;
                }
                let is_right = *answer == self.person.password && !answer.is_empty();
                match (kerberos, pam) {
                    (true, _) => is_right,
                    (false, true) => self.pam(Some(answer)),
                    (false, false) => *answer == self.person.password,
                }
            })
        };
        let is_accepted = self.is_enabled(method)
            && match method {
                "password" => by_password(&["", "P", "C", "PC"]),
                "none" => empty && self.is_enabled("password") && by_password(&[""]),
                "keyboard-interactive" => {
                    // What the method none left in PAM.
                    let is_spoiled = empty && self.is_enabled("password") && lists == "any";
                    pam && !is_shut && !is_spoiled && self.pam(None)
                }
                _ => true,
            };
        let is_permitted = match root {
            _ if !self.person.is_root => true,
            "yes" => true,
            "without-password" => ["publickey", "hostbased", "gssapi-with-mic"].contains(&method),
            _ => false,
        };
        is_accepted && is_permitted
    }

    /// Runs the stack, with one answer for all prompts or with the best answer for each.
    fn pam(&self, only: Option<&str>) -> bool {
        let Person { has_code, password, .. } = self.person;
        let mut token = None;
        self.stack.iter().all(|line| {
            let best = match line {
                Line::Password => password,
                Line::Code => "C",
                Line::Both if password.is_empty() => "C",
                Line::Both => "PC",
                Line::Guard => return true,
            };
            let answer = only.unwrap_or(best);
            match line {
                Line::Password => {
                    let typed = token.unwrap_or(answer);
                    typed == password && (!typed.is_empty() || self.config.empty)
                }
                Line::Code => has_code && answer == "C",
                Line::Both => {
                    token = answer.strip_suffix('C');
                    has_code && token.is_some()
                }
                Line::Guard => true,
            }
        })
    }
}

fn base(name: &str) -> &str {
    name.split(':').next().unwrap()
}

const ALL: [&str; 6] =
    ["publickey", "password", "keyboard-interactive", "gssapi-with-mic", "hostbased", "none"];
const LISTS: [&str; 17] = [
    "any",
    "publickey",
    "password",
    "keyboard-interactive",
    "publickey,keyboard-interactive",
    "publickey,password",
    "keyboard-interactive,publickey",
    "password,keyboard-interactive",
    "gssapi-with-mic,keyboard-interactive",
    "hostbased,password",
    "publickey,publickey",
    "publickey,keyboard-interactive:pam",
    "keyboard-interactive:bsdauth",
    "none",
    "publickey,keyboard-interactive publickey",
    "publickey,password keyboard-interactive",
    "publickey hostbased,keyboard-interactive",
];
const ROOT: [&str; 4] = ["yes", "without-password", "forced-commands-only", "no"];

#[test]
fn the_ways_in_are_those_of_the_model() {
    let mut count = 0;
    let stacks = STACKS.map(|(text, stack)| (of_text(text), stack));
    let bit = |bits: usize, at: usize| bits >> at & 1 == 1;
    for bits in 0..256 {
        let methods = [0, 1, 2, 3, 4].map(|at| bit(bits, at));
        let (pam, kerberos, empty) = (bit(bits, 5), bit(bits, 6), bit(bits, 7));
        for (lists, root) in LISTS.iter().flat_map(|lists| ROOT.map(|root| (*lists, root))) {
            let config = Config { methods, pam, kerberos, empty, root, lists };
            let effective = Effective::parse(&config.text());
            for ((facts, stack), is_root) in
                stacks.iter().flat_map(|stack| [(stack, false), (stack, true)])
            {
                let lets_in = |has_code| {
                    ["P", ""].into_iter().any(|password| {
                        let person = Person { is_root, has_code, password };
                        Sshd { config: &config, stack, person }.lets_in()
                    })
                };
                let who = if is_root { Who::Root } else { Who::Anybody };
                let ways = ways(&effective, facts, who, None);
                let usable = ways.iter().any(Way::is_usable);
                assert_eq!(usable, lets_in(true), "{config:?} {stack:?} {who:?} {ways:#?}");
                let unasked = ways.iter().any(|way| way.code == CodeNeed::NotAsked);
                assert_eq!(unasked, lets_in(false), "{config:?} {stack:?} {who:?} {ways:#?}");
                if pam && facts.asks && !is_root {
                    let effects = effects(&effective, facts, None);
                    let is_nobody = |effect: &Effect| matches!(effect, Effect::NobodyCanLogIn(_));
                    // A rule may let users by the guard.
                    let is_guarded = effects.contains(&Effect::GuardEndsLogins);
                    let found = effects.iter().any(is_nobody);
                    assert_eq!(
                        found,
                        !lets_in(true) && !is_guarded,
                        "{config:?} {stack:?} {effects:?}"
                    );
                    let has_guard = facts.guard.is_some();
                    assert!(!is_guarded || has_guard, "{config:?} {stack:?} {effects:?}");
                }
                count += 1;
            }
        }
    }
    assert_eq!(count, 256 * 6 * 17 * 4 * 2);
}
