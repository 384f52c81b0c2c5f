//! `false_totpd ADDRESS FILE`: says yes to everything on a bus of an attacker's choice, and makes
//! FILE when it was asked.

use std::collections::HashMap;

use zbus::OwnedVariant;

struct Login {
    file: String,
}

type Answer = (String, HashMap<String, OwnedVariant>);

#[zbus::interface(name = "org.totpd.Totp1.Login")]
impl Login {
    fn begin(&self, _user: String, _context: HashMap<String, OwnedVariant>) -> Answer {
        std::fs::write(&self.file, "begin").unwrap();
        ("skip".into(), HashMap::new())
    }

    fn verify(
        &self,
        _user: String,
        _code: String,
        _context: HashMap<String, OwnedVariant>,
    ) -> Answer {
        std::fs::write(&self.file, "verify").unwrap();
        ("approved".into(), HashMap::new())
    }
}

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    let login = Login { file: arguments[2].clone() };
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
