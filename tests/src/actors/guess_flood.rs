//! `guess_flood RATE [USER CODE]` sends RATE wrong codes a second to the private socket. They are
//! for root or another user, from many addresses, until the program is ended. It prints each second
//! the number of answers. If one of the codes was right, it ends with an error.

use std::collections::HashMap;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use zbus::connection::Builder;
use zbus::{OwnedVariant, Variant};

const CLIENTS: u32 = 32;

pub fn run() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let rate: u32 = arguments[0].parse().unwrap();
    let (user, code) = match &arguments[1..] {
        [user, code] => (user.clone(), code.clone()),
        _ => ("root".to_owned(), "000000".to_owned()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let start = Instant::now();
        for second in 0.. {
            // The daemon closes a connection that stays for long.
            let mut clients = Vec::new();
            for _ in 0..CLIENTS {
                let stream = UnixStream::connect("/run/totpd/private").unwrap();
                clients.push(Builder::unix_stream(stream).p2p().build().await.unwrap());
            }
            let mut tasks = JoinSet::new();
            for (number, client) in clients.into_iter().enumerate() {
                let (user, code) = (user.clone(), code.clone());
                tasks.spawn(async move {
                    let mut answered = 0;
                    let until = start + Duration::from_secs(second + 1);
                    while answered < rate / CLIENTS && Instant::now() < until {
                        let host = format!("192.0.{number}.{}", answered % 250);
                        let context: HashMap<&str, Variant<'_>> =
                            [("rhost", Variant::from(host))].into();
                        let (path, interface) = ("/org/totpd/Totp1", Some("org.totpd.Totp1.Login"));
                        let body = (user.as_str(), code.as_str(), context);
                        let call =
                            client.call_method(None::<&str>, path, interface, "Verify", &body);
                        let answer = call.await.unwrap();
                        let (verdict, _): (String, HashMap<String, OwnedVariant>) =
                            answer.body().deserialize().unwrap();
                        assert_ne!(verdict, "approved");
                        answered += 1;
                    }
                    answered
                });
            }
            let mut answered = 0;
            while let Some(done) = tasks.join_next().await {
                answered += done.unwrap();
            }
            println!("{answered}");
            let next = start + Duration::from_secs(second + 1);
            tokio::time::sleep_until(next.into()).await;
        }
    });
}
