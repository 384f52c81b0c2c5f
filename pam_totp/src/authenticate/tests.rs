use std::cell::{Cell, RefCell};

use totpd_interface::login::Nonce;

use super::*;

mod first_login;
mod passwords;
mod skipped;

/// A login that answers from a script and remembers what it was shown.
struct Login {
    user: Vec<u8>,
    user_afterwards: Vec<u8>,
    first_pass: Option<Typed>,
    answer: Result<Typed, Outcome>,
    /// The answers before that, one after the other.
    earlier: Vec<Typed>,
    authtok: Option<Vec<u8>>,
    /// The token of a new factor.
    token: Option<String>,
    shown: RefCell<Vec<String>>,
    /// How often a code of an app was noted.
    app_codes: u32,
    /// The delay that it asked libpam for.
    delay: Duration,
}

#[derive(Clone)]
struct Typed(Vec<u8>);

impl Answer for Typed {
    fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Login {
    fn new(user: &str) -> Self {
        Self {
            user: user.into(),
            user_afterwards: user.into(),
            first_pass: None,
            answer: Err(Outcome::ConversationFailed),
            earlier: Vec::new(),
            authtok: None,
            token: None,
            shown: RefCell::default(),
            app_codes: 0,
            delay: Duration::ZERO,
        }
    }

    fn typing(answer: impl AsRef<[u8]>) -> Self {
        Self { answer: Ok(Typed(answer.as_ref().to_vec())), ..Self::new("alice") }
    }

    fn was_delayed(&self) -> bool {
        self.delay == Duration::from_secs(2)
    }
}

impl Session for Login {
    type Answer = Typed;

    fn user(&mut self) -> Result<Vec<u8>, Outcome> {
        Ok(self.user.clone())
    }

    fn current_user(&self) -> Option<Vec<u8>> {
        Some(self.user_afterwards.clone())
    }

    fn context(&self) -> LoginContext {
        LoginContext { service: Some("sshd".into()), ..LoginContext::default() }
    }

    fn first_pass(&self) -> Option<Typed> {
        self.first_pass.clone()
    }

    fn ask(&mut self, prompt: &str, _echo: bool) -> Result<Typed, Outcome> {
        self.shown.borrow_mut().push(prompt.into());
        if self.earlier.is_empty() { self.answer.clone() } else { Ok(self.earlier.remove(0)) }
    }

    fn set_authtok(&mut self, password: &[u8]) -> Result<(), Outcome> {
        self.authtok = Some(password.to_vec());
        Ok(())
    }

    fn show_error(&self, text: &str) {
        self.shown.borrow_mut().push(text.into());
    }

    fn show_info(&self, text: &str) {
        self.shown.borrow_mut().push(format!("info: {text}"));
    }

    fn store_token(&mut self, token: &str) -> Result<(), Outcome> {
        self.token = Some(token.to_owned());
        Ok(())
    }

    fn note_app_code(&mut self) {
        self.app_codes += 1;
    }

    fn delay_failure(&mut self, time: Duration) {
        self.delay = time;
    }
}

/// A daemon that approves one code and remembers what it was asked.
struct Totpd {
    reply: Result<BeginReply, Outcome>,
    wrong: VerifyReply,
    asked: RefCell<Vec<String>>,
    /// Answers to `Verify` that get lost.
    lost: Cell<u32>,
    /// The token that comes with a right code.
    token: Option<String>,
    /// The method that comes with a right code.
    method: Option<Method>,
    /// The nonces that it was told.
    nonces: RefCell<Vec<Option<Nonce>>>,
}

impl Totpd {
    fn new() -> Self {
        let reply = Ok(BeginReply::Prompt { text: "Verification code: ".into(), digits: 6 });
        let wrong = VerifyReply::Denied { message: None };
        Self {
            reply,
            wrong,
            asked: RefCell::default(),
            lost: Cell::new(0),
            token: None,
            method: Some(Method::Totp),
            nonces: RefCell::default(),
        }
    }
}

impl Verifier for Totpd {
    fn begin(&self, user: &str, context: &LoginContext) -> Result<BeginReply, Outcome> {
        assert_eq!(context.service.as_deref(), Some("sshd"));
        self.nonces.borrow_mut().push(context.nonce);
        self.asked.borrow_mut().push(format!("begin {user}"));
        self.reply.clone()
    }

    fn verify(
        &self,
        user: &str,
        code: &str,
        context: &LoginContext,
    ) -> Result<Option<VerifyReply>, Outcome> {
        self.nonces.borrow_mut().push(context.nonce);
        self.asked.borrow_mut().push(format!("verify {user} {code}"));
        if self.lost.get() > 0 {
            self.lost.set(self.lost.get() - 1);
            return Ok(None);
        }
        let token = self.token.clone();
        let right = VerifyReply::Approved { method: self.method, message: None, token };
        Ok(Some(if code == "123456" { right } else { self.wrong.clone() }))
    }
}

#[test]
fn a_right_code_gets_in_without_delay() {
    let (mut login, totpd) = (Login::typing("123456"), Totpd::new());
    let outcome = authenticate(&mut login, &totpd, &Options::default());
    assert_eq!(outcome, Outcome::Approved);
    assert_eq!(*login.shown.borrow(), ["Verification code: "]);
    assert_eq!(*totpd.asked.borrow(), ["begin alice", "verify alice 123456"]);
    assert!(login.delay.is_zero());
}

/// A trial counts logins with the code of an app alone.
#[test]
fn a_right_code_of_an_app_is_noted_once() {
    for (typed, method, count) in [
        ("123456", Some(Method::Totp), 1),
        ("123456", Some(Method::Hotp), 1),
        ("123456", Some(Method::Recovery), 0),
        ("123456", None, 0),
        ("000000", Some(Method::Totp), 0),
    ] {
        let (mut login, totpd) = (Login::typing(typed), Totpd { method, ..Totpd::new() });
        authenticate(&mut login, &totpd, &Options::default());
        assert_eq!(login.app_codes, count, "{typed} {method:?}");
    }
}

#[test]
fn any_other_answer_is_sent_to_the_daemon_and_denied_late() {
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
}

#[test]
fn nodelay_denies_at_once() {
    let options = Options { nodelay: true, ..Options::default() };
    let mut login = Login::typing("000000");
    assert_eq!(authenticate(&mut login, &Totpd::new(), &options), Outcome::Denied);
    assert!(login.delay.is_zero());
}

#[test]
fn a_failed_conversation_denies() {
    let mut login = Login::new("alice");
    let totpd = Totpd::new();
    let outcome = authenticate(&mut login, &totpd, &Options::default());
    assert_eq!(outcome, Outcome::ConversationFailed);
    assert_eq!(totpd.asked.borrow().len(), 1);
}

#[test]
fn a_changed_user_name_denies() {
    let mut login = Login { user_afterwards: b"root".to_vec(), ..Login::typing("123456") };
    let totpd = Totpd::new();
    let outcome = authenticate(&mut login, &totpd, &Options::default());
    assert!(matches!(outcome, Outcome::Internal(_)), "{outcome:?}");
    assert_eq!(totpd.asked.borrow().len(), 1, "no code of alice is spent for root");
}

#[test]
fn a_name_that_is_not_utf_8_is_asked_for_a_code() {
    let mut login = Login::typing("000000");
    login.user = b"al\xffce".to_vec();
    login.user_afterwards = login.user.clone();
    let totpd = Totpd::new();
    assert_eq!(authenticate(&mut login, &totpd, &Options::default()), Outcome::Denied);
    assert_eq!(totpd.asked.borrow()[0], "begin al\u{fffd}ce");
}

#[test]
fn an_unavailable_daemon_is_reported_unless_quiet() {
    for (quiet, messages) in [(false, vec![UNAVAILABLE_MESSAGE.to_owned()]), (true, vec![])] {
        let reply = Err(Outcome::Unavailable("no bus".into()));
        let totpd = Totpd { reply, ..Totpd::new() };
        let mut login = Login::typing("123456");
        let options = Options { quiet, ..Options::default() };
        let outcome = authenticate(&mut login, &totpd, &options);
        assert_eq!(outcome, Outcome::Unavailable("no bus".into()));
        assert_eq!(*login.shown.borrow(), messages);
        assert!(login.delay.is_zero(), "at once");
    }
}

#[test]
fn a_throttled_code_is_reported_and_delayed() {
    for (quiet, count) in [(false, 2), (true, 1)] {
        let message = Some("Try again in 28 s.".to_owned());
        let totpd = Totpd {
            wrong: VerifyReply::Throttled { message, retry_after: Some(28) },
            ..Totpd::new()
        };
        let mut login = Login::typing("000000");
        let options = Options { quiet, ..Options::default() };
        assert_eq!(authenticate(&mut login, &totpd, &options), Outcome::Throttled);
        assert_eq!(login.shown.borrow().len(), count);
        assert!(login.was_delayed());
    }
}

#[test]
fn after_a_lost_reply_the_person_is_asked_once_more() {
    for (lost, outcome, prompts) in [
        (1, Outcome::Approved, vec!["Verification code: ", RETRY_PROMPT]),
        (
            2,
            Outcome::Unavailable("the reply was lost".into()),
            vec!["Verification code: ", RETRY_PROMPT, UNAVAILABLE_MESSAGE],
        ),
    ] {
        let mut login = Login::typing("123456");
        let totpd = Totpd { lost: Cell::new(lost), ..Totpd::new() };
        assert_eq!(authenticate(&mut login, &totpd, &Options::default()), outcome);
        assert_eq!(*login.shown.borrow(), prompts);
        assert_eq!(totpd.asked.borrow().len(), 3, "as often as the person, and once to begin");
    }
    let mut login = Login { first_pass: Some(Typed("123456".into())), ..Login::typing("123456") };
    let totpd = Totpd { lost: Cell::new(1), ..Totpd::new() };
    let options = Options { first_pass: FirstPass::Try, ..Options::default() };
    assert_eq!(authenticate(&mut login, &totpd, &options), Outcome::Approved);
    assert_eq!(*login.shown.borrow(), [RETRY_PROMPT]);
}

#[test]
fn the_message_of_an_approval_is_shown_unless_quiet() {
    for (quiet, count) in [(false, 1), (true, 0)] {
        let mut login = Login::new("alice");
        let options = Options { quiet, ..Options::default() };
        let message = Some("News.".into());
        let reply = VerifyReply::Approved { method: None, message, token: None };
        assert_eq!(show_and_map(&mut login, Some(reply), &options), Ok(Outcome::Approved));
        assert_eq!(login.shown.borrow().len(), count);
    }
}

#[test]
fn the_log_never_contains_a_key() {
    let reply = BeginReply::Enroll { text: "JBSWY3DP".into(), factor: "f-x".into(), uri: None };
    assert_eq!(log_text(&reply), "new factor f-x");
}

#[test]
fn a_name_of_a_megabyte_is_denied_like_an_unknown_one() {
    let mut login = Login { user: vec![b'x'; 1 << 20], ..Login::typing("000000") };
    login.user_afterwards = login.user.clone();
    let totpd = Totpd::new();
    assert_eq!(authenticate(&mut login, &totpd, &Options::default()), Outcome::Denied);
    assert!(totpd.asked.borrow()[0].len() < 1100);
}

#[test]
fn every_text_is_short_and_in_messages_md() {
    let page = include_str!("../../../docs/reference/messages.md");
    for text in [
        COMBINED_PROMPT,
        RETRY_PROMPT,
        COMBINED_RETRY_PROMPT,
        UNAVAILABLE_MESSAGE,
        FIRST_CODE_PROMPT,
    ] {
        assert!(page.contains(&format!("`{text}`")), "{text}");
        assert!(text.len() < 60, "{text}");
    }
}
