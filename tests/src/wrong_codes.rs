//! `wrong_codes RATE`: sends so many wrong codes a second to the private socket, for root from many
//! addresses, until it is ended. Prints each second how many were answered.

use std::collections::HashMap;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use zbus::Variant;
use zbus::connection::Builder;

const CLIENTS: u32 = 32;

fn main() {
    let rate: u32 = std::env::args().nth(1).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            let stream = UnixStream::connect("/run/totpd/private").unwrap();
            clients.push(Builder::unix_stream(stream).p2p().build().await.unwrap());
        }
        let start = Instant::now();
        for second in 0.. {
            let mut tasks = JoinSet::new();
            for (number, client) in clients.iter().cloned().enumerate() {
                tasks.spawn(async move {
                    let mut answered = 0;
                    let until = start + Duration::from_secs(second + 1);
                    while answered < rate / CLIENTS && Instant::now() < until {
                        let host = format!("192.0.{number}.{}", answered % 250);
                        let context: HashMap<&str, Variant<'_>> =
                            [("rhost", Variant::from(host))].into();
                        let (path, interface) = ("/org/totpd/Totp1", Some("org.totpd.Totp1.Login"));
                        let body = ("root", "000000", context);
                        let call =
                            client.call_method(None::<&str>, path, interface, "Verify", &body);
                        call.await.unwrap();
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
