use std::cell::{Cell, RefCell};

use super::*;

/// A login that answers from a script and remembers what it was shown.
struct Login {
    user: Vec<u8>,
    user_afterwards: Vec<u8>,
    first_pass: Option<Typed>,
    answer: Result<Option<Typed>, Outcome>,
    shown: RefCell<Vec<String>>,
    waited: Cell<Duration>,
}

#[derive(Clone)]
struct Typed(Vec<u8>);

impl Answer for Typed {
    fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl Login {
    fn of(user: &str) -> Self {
        Self {
            user: user.into(),
            user_afterwards: user.into(),
            first_pass: None,
            answer: Ok(None),
            shown: RefCell::default(),
            waited: Cell::default(),
        }
    }

    fn typing(answer: impl AsRef<[u8]>) -> Self {
        Self { answer: Ok(Some(Typed(answer.as_ref().to_vec()))), ..Self::of("alice") }
    }

    fn was_delayed(&self) -> bool {
        (1500..=2500).contains(&self.waited.get().as_millis())
    }
}

impl Session for Login {
    type Answer = Typed;

    fn user(&mut self) -> Result<Vec<u8>, Outcome> {
        Ok(self.user.clone())
    }

    fn user_now(&self) -> Option<Vec<u8>> {
        Some(self.user_afterwards.clone())
    }

    fn context(&self) -> Vec<(&'static str, String)> {
        vec![("service", "sshd".into())]
    }

    fn first_pass(&self) -> Option<Typed> {
        self.first_pass.clone()
    }

    fn ask(&self, prompt: &str, _echo: bool) -> Result<Option<Typed>, Outcome> {
        self.shown.borrow_mut().push(prompt.into());
        self.answer.clone()
    }

    fn tell(&self, text: &str) {
        self.shown.borrow_mut().push(text.into());
    }

    fn wait(&self, time: Duration) {
        self.waited.set(time);
    }
}

/// A daemon that approves one code and remembers what it was asked.
struct Totpd {
    begun: Result<Begun, Outcome>,
    wrong: Verdict,
    asked: RefCell<Vec<String>>,
}

impl Totpd {
    fn new() -> Self {
        let begun = Ok(Begun::Prompt { text: "Verification code: ".into() });
        Self { begun, wrong: Verdict::Denied, asked: RefCell::default() }
    }
}

impl Verifier for Totpd {
    fn begin(&self, user: &str, context: &Context) -> Result<Begun, Outcome> {
        assert_eq!(context.items, [("service", "sshd".to_owned())]);
        self.asked.borrow_mut().push(format!("begin {user}"));
        self.begun.clone()
    }

    fn verify(&self, user: &str, code: &str, _context: &Context) -> Result<Verdict, Outcome> {
        self.asked.borrow_mut().push(format!("verify {user} {code}"));
        Ok(if code == "123456" { Verdict::Approved } else { self.wrong.clone() })
    }
}

#[test]
fn a_right_code_gets_in_without_delay() {
    let (mut login, totpd) = (Login::typing("123456"), Totpd::new());
    let outcome = authenticate(&mut login, &totpd, &Options::default());
    assert_eq!(outcome, Outcome::Approved);
    assert_eq!(*login.shown.borrow(), ["Verification code: "]);
    assert_eq!(*totpd.asked.borrow(), ["begin alice", "verify alice 123456"]);
    assert!(login.waited.get().is_zero());
}

#[test]
fn whatever_else_is_typed_is_asked_about_and_denied_after_a_delay() {
    let megabyte = "1".repeat(1 << 20);
    for (answer, asked) in [
        ("".as_bytes(), ""),
        (b"000000", "000000"),
        (b"\x08\n\r\x7fINCORRECT", "\u{8}\n\r\u{7f}INCORRECT"),
        (b"\xff\xfe123456", ""),
        (megabyte.as_bytes(), ""),
    ] {
        let (mut login, totpd) = (Login::typing(answer), Totpd::new());
        let outcome = authenticate(&mut login, &totpd, &Options::default());
        assert_eq!(outcome, Outcome::Denied);
        assert_eq!(totpd.asked.borrow()[1], format!("verify alice {asked}"));
        assert!(login.was_delayed());
    }
    let (mut login, totpd) = (Login::of("alice"), Totpd::new());
    assert_eq!(authenticate(&mut login, &totpd, &Options::default()), Outcome::Denied);
    assert_eq!(totpd.asked.borrow()[1], "verify alice ", "no answer at all");
}

#[test]
fn nodelay_tells_at_once() {
    let options = Options { nodelay: true, ..Options::default() };
    let mut login = Login::typing("000000");
    assert_eq!(authenticate(&mut login, &Totpd::new(), &options), Outcome::Denied);
    assert!(login.waited.get().is_zero());
}

#[test]
fn a_conversation_that_fails_refuses() {
    let mut login = Login { answer: Err(Outcome::ConversationFailed), ..Login::of("alice") };
    let totpd = Totpd::new();
    let outcome = authenticate(&mut login, &totpd, &Options::default());
    assert_eq!(outcome, Outcome::ConversationFailed);
    assert_eq!(totpd.asked.borrow().len(), 1);
}

#[test]
fn a_user_name_that_changes_refuses() {
    let mut login = Login { user_afterwards: b"root".to_vec(), ..Login::typing("123456") };
    let totpd = Totpd::new();
    let outcome = authenticate(&mut login, &totpd, &Options::default());
    assert!(matches!(outcome, Outcome::Misused(_)), "{outcome:?}");
    assert_eq!(totpd.asked.borrow().len(), 1, "no code of alice is spent for root");
}

#[test]
fn a_name_that_is_not_utf_8_is_asked_like_any_other() {
    let mut login = Login::typing("000000");
    login.user = b"al\xffce".to_vec();
    login.user_afterwards = login.user.clone();
    let totpd = Totpd::new();
    assert_eq!(authenticate(&mut login, &totpd, &Options::default()), Outcome::Denied);
    assert_eq!(totpd.asked.borrow()[0], "begin al\u{fffd}ce");
}

#[test]
fn only_the_word_of_the_daemon_skips() {
    let totpd = Totpd { begun: Ok(Begun::Skip), ..Totpd::new() };
    let mut login = Login::typing("123456");
    let options = Options { nullok: true, ..Options::default() };
    assert_eq!(authenticate(&mut login, &totpd, &options), Outcome::Skipped);
    assert!(login.shown.borrow().is_empty());
}

#[test]
fn an_absent_daemon_is_told_unless_quiet() {
    for (quiet, shown) in [(false, vec![UNAVAILABLE.to_owned()]), (true, vec![])] {
        let begun = Err(Outcome::Unavailable("no bus".into()));
        let totpd = Totpd { begun, ..Totpd::new() };
        let mut login = Login::typing("123456");
        let options = Options { quiet, ..Options::default() };
        let outcome = authenticate(&mut login, &totpd, &options);
        assert_eq!(outcome, Outcome::Unavailable("no bus".into()));
        assert_eq!(*login.shown.borrow(), shown);
        assert!(login.waited.get().is_zero(), "at once");
    }
}

#[test]
fn a_throttled_code_is_told_and_delayed_like_a_wrong_one() {
    for (quiet, shown) in [(false, 2), (true, 1)] {
        let message = Some("Try again in 28 s.".to_owned());
        let totpd = Totpd { wrong: Verdict::Throttled { message }, ..Totpd::new() };
        let mut login = Login::typing("000000");
        let options = Options { quiet, ..Options::default() };
        assert_eq!(authenticate(&mut login, &totpd, &options), Outcome::Throttled);
        assert_eq!(login.shown.borrow().len(), shown);
        assert!(login.was_delayed());
    }
}

#[test]
fn an_earlier_answer_is_tried_only_if_it_may_be_a_code() {
    let typed = |text: &str| Some(Typed(text.into()));
    for (mode, first, outcome, asked) in [
        (FirstPass::Only, typed("123456"), Outcome::Approved, 2),
        (FirstPass::Only, typed("000000"), Outcome::Denied, 2),
        (FirstPass::Only, typed("my password"), Outcome::Denied, 1),
        (FirstPass::Only, None, Outcome::Denied, 1),
        (FirstPass::Try, typed("123456"), Outcome::Approved, 2),
        (FirstPass::Try, typed("000000"), Outcome::Approved, 3),
        (FirstPass::Try, typed("my password"), Outcome::Approved, 2),
        (FirstPass::Try, None, Outcome::Approved, 2),
    ] {
        let mut login = Login { first_pass: first, ..Login::typing("123456") };
        let totpd = Totpd::new();
        let options = Options { first_pass: mode, ..Options::default() };
        assert_eq!(authenticate(&mut login, &totpd, &options), outcome, "{mode:?}");
        assert_eq!(totpd.asked.borrow().len(), asked, "{mode:?} {:?}", totpd.asked);
        assert!(!totpd.asked.borrow().iter().any(|asked| asked.contains("password")));
    }
}
