use std::cell::RefCell;
use std::time::Duration;

use super::*;
use crate::authenticate::Answer;
use crate::credentials::Token;

/// A login whose items are fields.
struct Login {
    user: Result<Vec<u8>, Outcome>,
    answer: Result<Typed, Outcome>,
    authtok: Option<Vec<u8>>,
    kept: Option<Option<Vec<u8>>>,
    nonce: Option<Nonce>,
    prompts: Vec<String>,
}

#[derive(Clone)]
struct Typed(Vec<u8>);

impl Answer for Typed {
    fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Login {
    fn typing(answer: &[u8]) -> Self {
        Self {
            user: Ok(b"alice".to_vec()),
            answer: Ok(Typed(answer.to_vec())),
            authtok: Some(b"secret".to_vec()),
            kept: None,
            nonce: None,
            prompts: Vec::new(),
        }
    }
}

impl Session for Login {
    type Answer = Typed;

    fn user(&mut self) -> Result<Vec<u8>, Outcome> {
        self.user.clone()
    }

    fn current_user(&self) -> Option<Vec<u8>> {
        self.user.clone().ok()
    }

    fn context(&self) -> LoginContext {
        LoginContext { service: Some("sshd".into()), ..LoginContext::default() }
    }

    fn first_pass(&self) -> Option<Typed> {
        self.authtok.clone().map(Typed)
    }

    fn ask(&mut self, prompt: &str, _: bool) -> Result<Typed, Outcome> {
        self.prompts.push(prompt.into());
        self.answer.clone()
    }

    fn set_authtok(&mut self, _: &[u8]) -> Result<(), Outcome> {
        unreachable!("hand_on sets it")
    }

    fn note_app_code(&mut self) {
        unreachable!("nothing in shadow mode keeps a trial")
    }

    fn show_error(&self, text: &str) {
        unreachable!("{text}")
    }

    fn show_info(&self, text: &str) {
        unreachable!("{text}")
    }

    fn store_token(&mut self, _: &str) -> Result<(), Outcome> {
        unreachable!("it makes no factor")
    }

    fn delay_failure(&mut self, _: Duration) {
        unreachable!("it refuses nothing")
    }
}

impl Stack for Login {
    fn hand_on(&mut self, answer: &[u8]) {
        self.kept = Some(self.authtok.replace(answer.to_vec()));
    }

    fn put_back(&mut self) {
        if let Some(password) = self.kept.take() {
            self.authtok = password;
        }
    }

    fn forget_password(&mut self) {
        self.kept = None;
    }

    fn store_nonce(&mut self, nonce: Nonce) {
        self.nonce = Some(nonce);
    }

    fn take_nonce(&mut self) -> Option<Nonce> {
        self.nonce.take()
    }
}

impl LoginEnd for Login {
    fn take_token(&mut self) -> Token {
        Token::None
    }

    fn context(&self) -> LoginContext {
        Session::context(self)
    }

    fn inform(&self, text: &str) {
        unreachable!("{text}")
    }
}

/// What a daemon was told. It is dead if it cannot answer.
#[derive(Default)]
struct Totpd {
    is_dead: bool,
    told: RefCell<Vec<(String, Option<Nonce>)>>,
}

impl Totpd {
    fn tell(&self, what: String, context: &LoginContext) -> Result<(), Outcome> {
        assert_eq!(context.service.as_deref(), Some("sshd"));
        self.told.borrow_mut().push((what, context.nonce));
        if self.is_dead { Err(Outcome::Unavailable("no answer".into())) } else { Ok(()) }
    }
}

impl Notary for Totpd {
    fn note(&self, user: &str, code: &str, context: &LoginContext) -> Result<(), Outcome> {
        self.tell(format!("{user} {code}"), context)
    }

    fn note_let_in(&self, user: &str, context: &LoginContext) -> Result<(), Outcome> {
        self.tell(format!("{user} is in"), context)
    }
}

fn told(totpd: &Totpd) -> Vec<String> {
    totpd.told.borrow().iter().map(|(what, _)| what.clone()).collect()
}

#[test]
fn the_answer_is_handed_on_and_the_password_comes_back() {
    for password in [Some(b"secret".to_vec()), None] {
        let totpd = Totpd::default();
        let mut login = Login { authtok: password.clone(), ..Login::typing(b"123456") };
        assert_eq!(ask(&mut login, &totpd, &Options::default()), Outcome::Skipped);
        assert_eq!(login.authtok.as_deref(), Some(&b"123456"[..]));
        assert_eq!(login.prompts, ["Verification code: "]);
        assert_eq!(end(&mut login), Outcome::Skipped);
        assert_eq!(login.authtok, password);
        let_in(&mut login, &totpd);
        let_in(&mut login, &totpd);
        assert_eq!(told(&totpd), ["alice 123456", "alice is in"]);
        let nonces: Vec<_> = totpd.told.borrow().iter().map(|(_, nonce)| *nonce).collect();
        assert!(nonces[0].is_some() && nonces[0] == nonces[1]);
    }
}

#[test]
fn a_dead_daemon_is_no_matter() {
    let totpd = Totpd { is_dead: true, ..Totpd::default() };
    let mut login = Login::typing(b"123456");
    assert_eq!(ask(&mut login, &totpd, &Options::default()), Outcome::Skipped);
    assert_eq!(login.authtok.as_deref(), Some(&b"123456"[..]));
    let_in(&mut login, &totpd);
    assert_eq!(told(&totpd), ["alice 123456"], "nothing is known of this login");
}

#[test]
fn without_an_answer_the_password_is_not_handed_on_as_one() {
    let totpd = Totpd::default();
    let mut login = Login { answer: Err(Outcome::ConversationFailed), ..Login::typing(b"") };
    assert_eq!(ask(&mut login, &totpd, &Options::default()), Outcome::Skipped);
    assert_eq!(login.authtok.as_deref(), Some(&b""[..]));
    // The next attempt in this handle has a password of its own.
    login.authtok = Some(b"newer".to_vec());
    login.answer = Ok(Typed(b"123456".to_vec()));
    let _ = ask(&mut login, &totpd, &Options::default());
    let _ = end(&mut login);
    assert_eq!(login.authtok.as_deref(), Some(&b"newer"[..]));
    let _ = ask(&mut login, &totpd, &Options::default());
    login.authtok = Some(b"newest".to_vec());
    login.user = Err(Outcome::ConversationFailed);
    let _ = ask(&mut login, &totpd, &Options::default());
    let _ = end(&mut login);
    assert_eq!(login.authtok.as_deref(), Some(&b"newest"[..]));
}

#[test]
fn what_sshd_sends_in_place_of_an_answer_is_handed_on_and_not_judged() {
    let totpd = Totpd::default();
    let mut login = Login::typing(b"\x08\n\r\x7fINCORRECT");
    let _ = ask(&mut login, &totpd, &Options::default());
    assert_eq!(login.authtok.as_deref(), Some(&b"\x08\n\r\x7fINCORRECT"[..]));
    assert_eq!(told(&totpd), Vec::<String>::new());
}

#[test]
fn an_answer_that_is_no_code_is_judged_as_none_and_handed_on_whole() {
    let totpd = Totpd::default();
    let long = "1".repeat(100);
    for answer in [b"\xff123456".as_slice(), long.as_bytes()] {
        let mut login = Login::typing(answer);
        let options = Options { prompt: Some("Code: ".into()), ..Options::default() };
        let _ = ask(&mut login, &totpd, &options);
        assert_eq!(
            (login.authtok.as_deref(), &*login.prompts),
            (Some(answer), &["Code: ".into()][..])
        );
    }
    assert_eq!(told(&totpd), ["alice ", "alice "]);
    let mut nobody = Login { user: Err(Outcome::ConversationFailed), ..Login::typing(b"123456") };
    let _ = ask(&mut nobody, &totpd, &Options::default());
    assert_eq!((nobody.authtok.as_deref(), nobody.prompts.len()), (Some(&b"secret"[..]), 0));
}
