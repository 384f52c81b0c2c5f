//! `fake_totpd ADDRESS FILE [ACTION VERDICT]` answers everything with these words, or says yes to
//! everything. It creates FILE when a program asks it.

use std::collections::HashMap;

use zbus::OwnedVariant;

struct Login {
    file: String,
    action: String,
    verdict: String,
}

type Answer = (String, HashMap<String, OwnedVariant>);

#[zbus::interface(name = "org.totpd.Totp1.Login")]
impl Login {
    fn begin(&self, _user: String, _context: HashMap<String, OwnedVariant>) -> Answer {
        std::fs::write(&self.file, "begin").unwrap();
        let prompt = zbus::Variant::from("Code: ").try_into_owned().unwrap();
        (self.action.clone(), [("prompt".to_owned(), prompt)].into())
    }

    fn verify(
        &self,
        _user: String,
        _code: String,
        _context: HashMap<String, OwnedVariant>,
    ) -> Answer {
        std::fs::write(&self.file, "verify").unwrap();
        (self.verdict.clone(), HashMap::new())
    }
}

pub fn run() {
    let arguments: Vec<_> = std::env::args().collect();
    let word =
        |n: usize, default: &str| arguments.get(n).map_or(default, String::as_str).to_owned();
    let login =
        Login { file: arguments[2].clone(), action: word(3, "skip"), verdict: word(4, "approved") };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let _connection = zbus::connection::Builder::address(arguments[1].as_str())
            .serve_at("/org/totpd/Totp1", login)
            .name("org.totpd.Totp1")
            .build()
            .await
            .unwrap();
        std::future::pending::<()>().await;
    });
}
