//! `clients64 ATTEMPTS CODE` opens 64 connections to the private socket. Each verifies CODE for one
//! user after another (crowd0, crowd1, …). It prints the number of approved codes a second.

use std::collections::HashMap;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use tokio::task::JoinSet;
use zbus::Variant;
use zbus::connection::Builder;

pub fn run() {
    let arguments: Vec<_> = std::env::args().collect();
    let attempts: usize = arguments[1].parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rate = runtime.block_on(async {
        let mut clients = Vec::new();
        for _ in 0..64 {
            let stream = UnixStream::connect("/run/totpd/private").unwrap();
            clients.push(Builder::unix_stream(stream).p2p().build().await.unwrap());
        }
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for (first, client) in clients.into_iter().enumerate() {
            let code = arguments[2].clone();
            tasks.spawn(async move {
                for number in (first..attempts).step_by(64) {
                    let user = format!("crowd{number}");
                    let context: HashMap<&str, Variant<'_>> = HashMap::new();
                    let (path, interface) = ("/org/totpd/Totp1", Some("org.totpd.Totp1.Login"));
                    let body = (user, code.as_str(), context);
                    let answer =
                        client.call_method(None::<&str>, path, interface, "Verify", &body).await;
                    let answer = answer.unwrap();
                    let body = answer.body();
                    let (word, _): (&str, HashMap<&str, Variant<'_>>) = body.deserialize().unwrap();
                    assert_eq!(word, "approved", "{number}");
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        attempts as f64 / start.elapsed().as_secs_f64()
    });
    println!("{rate:.0}");
}
