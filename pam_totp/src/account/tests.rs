use std::cell::RefCell;
use std::time::Duration;

use super::*;
use crate::authenticate::Answer;

/// A login in the account phase, which shows what it was told.
struct Login {
    user: Option<&'static str>,
    user_afterwards: Option<&'static str>,
    let_in: Option<&'static str>,
    service: &'static str,
    is_roots: bool,
    shown: RefCell<Vec<String>>,
}

struct Nothing;

impl Answer for Nothing {
    fn bytes(&self) -> &[u8] {
        &[]
    }
}

impl Login {
    fn of(user: &'static str) -> Self {
        Self {
            user: Some(user),
            user_afterwards: Some(user),
            let_in: None,
            service: "sshd",
            is_roots: true,
            shown: RefCell::default(),
        }
    }
}

impl Session for Login {
    type Answer = Nothing;

    fn user(&mut self) -> Result<Vec<u8>, Outcome> {
        panic!("the account phase asks for no name")
    }

    fn current_user(&self) -> Option<Vec<u8>> {
        let user = if self.shown.borrow().is_empty() { self.user } else { self.user_afterwards };
        user.map(Into::into)
    }

    fn context(&self) -> LoginContext {
        LoginContext { service: Some(self.service.into()), ..LoginContext::default() }
    }

    fn first_pass(&self) -> Option<Nothing> {
        panic!("the account phase looks at no password")
    }

    fn ask(&mut self, _: &str, _: bool) -> Result<Nothing, Outcome> {
        panic!("the account phase asks for nothing")
    }

    fn set_authtok(&mut self, _: &[u8]) -> Result<(), Outcome> {
        panic!("the account phase sets no password")
    }

    fn show_error(&self, text: &str) {
        self.shown.borrow_mut().push(format!("error: {text}"));
    }

    fn show_info(&self, text: &str) {
        self.shown.borrow_mut().push(format!("info: {text}"));
    }

    fn note_app_code(&mut self) {
        panic!("the account phase takes no code")
    }

    fn store_token(&mut self, _: &str) -> Result<(), Outcome> {
        panic!("the account phase makes no factor")
    }

    fn delay_failure(&mut self, _: Duration) {
        panic!("libpam delays no account phase")
    }
}

impl Entrance for Login {
    fn let_in_user(&self) -> Option<Vec<u8>> {
        self.let_in.map(Into::into)
    }

    fn is_roots(&self) -> bool {
        self.is_roots
    }
}

/// A daemon that answers always the same, and remembers what it was asked.
struct Totpd(Result<GuardReply, Outcome>, RefCell<Vec<String>>);

impl Totpd {
    fn answering(is_let_by: bool, message: Option<&str>) -> Self {
        let message = message.map(ToOwned::to_owned);
        Self(Ok(GuardReply { is_let_by, message }), RefCell::default())
    }
}

impl Guardian for Totpd {
    fn guard(&self, user: &str, context: &LoginContext) -> Result<GuardReply, Outcome> {
        let service = context.service.as_deref().unwrap_or_default();
        let nullok = if context.nullok { " nullok" } else { "" };
        self.1.borrow_mut().push(format!("{user} at {service}{nullok}"));
        self.0.clone()
    }
}

#[test]
fn a_code_of_this_user_in_this_handle_is_enough() {
    let totpd = Totpd::answering(false, None);
    let login = Login { let_in: Some("alice"), ..Login::of("alice") };
    assert_eq!(check(&login, &totpd, &Options::default()), Outcome::Skipped);
    assert!(totpd.1.borrow().is_empty());
    for let_in in [None, Some("bob"), Some("alice2"), Some("")] {
        let login = Login { let_in, ..Login::of("alice") };
        assert_eq!(check(&login, &totpd, &Options::default()), Outcome::Barred, "{let_in:?}");
    }
    assert_eq!(*totpd.1.borrow(), ["alice at sshd"; 4]);
}

#[test]
fn the_daemon_decides_and_its_reason_is_shown_unless_quiet() {
    for (is_let_by, outcome, kind) in
        [(true, Outcome::Skipped, "info"), (false, Outcome::Barred, "error")]
    {
        for quiet in [false, true] {
            let totpd = Totpd::answering(is_let_by, Some("why"));
            let login = Login::of("alice");
            let options = Options { quiet, nullok: true, ..Options::default() };
            assert_eq!(check(&login, &totpd, &options), outcome);
            assert_eq!(*totpd.1.borrow(), ["alice at sshd nullok"]);
            let shown = if quiet { Vec::new() } else { vec![format!("{kind}: why")] };
            assert_eq!(*login.shown.borrow(), shown);
        }
    }
}

#[test]
fn without_an_answer_nobody_gets_in() {
    let unavailable = Outcome::Unavailable("no answer".into());
    let totpd = Totpd(Err(unavailable.clone()), RefCell::default());
    let login = Login::of("alice");
    assert_eq!(check(&login, &totpd, &Options::default()), unavailable);
    assert_eq!(login.shown.borrow().len(), 1);
    let nobody = Login { user: None, ..Login::of("alice") };
    let totpd = Totpd::answering(true, None);
    let outcome = check(&nobody, &totpd, &Options::default());
    assert!(matches!(outcome, Outcome::Internal(_)), "{outcome:?}");
}

#[test]
fn a_message_that_changes_the_user_is_refused() {
    let totpd = Totpd::answering(true, Some("why"));
    let login = Login { user_afterwards: Some("bob"), ..Login::of("alice") };
    let outcome = check(&login, &totpd, &Options::default());
    assert!(matches!(outcome, Outcome::Internal(_)), "{outcome:?}");
}

#[test]
fn nobody_is_asked_about_cron_and_root_s_su() {
    let totpd = Totpd::answering(false, None);
    for (service, is_roots, outcome) in [
        ("cron", false, Outcome::Skipped),
        ("systemd-user", true, Outcome::Skipped),
        ("su", true, Outcome::Skipped),
        ("su-l", true, Outcome::Skipped),
        ("su", false, Outcome::Barred),
        ("sudo", true, Outcome::Barred),
    ] {
        let login = Login { service, is_roots, ..Login::of("alice") };
        assert_eq!(check(&login, &totpd, &Options::default()), outcome, "{service}");
    }
}
