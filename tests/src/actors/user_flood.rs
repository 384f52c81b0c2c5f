//! `user_flood ATTEMPTS USER` sends that many attempts at a time, with wrong codes. At the same
//! time it asks for the prompt and the state of USER again and again. It prints the results of the
//! attempts. It also prints the longest times in milliseconds that the questions took.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use zbus::{Connection, OwnedVariant, Proxy};

/// dbus-daemon lets a connection wait for 128 answers.
const ON_ONE_CONNECTION: usize = 100;

async fn connect() -> Connection {
    zbus::connection::Builder::address("unix:path=/run/dbus/system_bus_socket")
        .build()
        .await
        .unwrap()
}

async fn proxy<'a>(connection: &'a Connection, interface: &'a str) -> Proxy<'a> {
    Proxy::new(connection, "org.totpd.Totp1", "/org/totpd/Totp1", interface).await.unwrap()
}

/// Checks that a failed call exceeds the limit of calls at a time, and has no other error.
fn answered<T>(answer: zbus::Result<T>) {
    if let Err(error) = answer {
        assert!(error.to_string().contains("LimitsExceeded"), "{error}");
    }
}

pub fn run() {
    let arguments: Vec<_> = std::env::args().collect();
    let attempts: usize = arguments[1].parse().unwrap();
    let user = arguments[2].clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let context: HashMap<String, OwnedVariant> = HashMap::new();
        let mut waiting = Vec::new();
        for number in 0..attempts.div_ceil(ON_ONE_CONNECTION) {
            let connection = connect().await;
            // The daemon learns whose connection it is: until then ten calls may wait.
            let (totpd, path) = ("org.totpd.Totp1", "/org/totpd/Totp1");
            let peer = Some("org.freedesktop.DBus.Peer");
            connection.call_method(Some(totpd), path, peer, "Ping", &()).await.unwrap();
            for attempt in 0..ON_ONE_CONNECTION.min(attempts - number * ON_ONE_CONNECTION) {
                let (connection, context) = (connection.clone(), context.clone());
                let name = format!("nobody{number}x{attempt}");
                waiting.push(tokio::spawn(async move {
                    let login = proxy(&connection, "org.totpd.Totp1.Login").await;
                    let answer: zbus::Result<(String, HashMap<String, OwnedVariant>)> =
                        login.call("Verify", &(name.as_str(), "123456", &context)).await;
                    match answer {
                        Ok((verdict, _)) => verdict,
                        Err(error) if error.to_string().contains("StoreUnavailable") => {
                            "StoreUnavailable".into()
                        }
                        // An ordinary user has ten calls under way at most.
                        Err(error) if error.to_string().contains("LimitsExceeded") => {
                            "LimitsExceeded".into()
                        }
                        Err(error) => format!("lost: {error}"),
                    }
                }));
            }
        }
        let connection = connect().await;
        let (login, manager) = (
            proxy(&connection, "org.totpd.Totp1.Login").await,
            proxy(&connection, "org.totpd.Totp1.Manager").await,
        );
        let (mut begin, mut get_user) = (Vec::new(), Vec::new());
        while !waiting.iter().all(tokio::task::JoinHandle::is_finished) {
            let start = Instant::now();
            let reply: zbus::Result<(String, HashMap<String, OwnedVariant>)> =
                login.call("Begin", &(user.as_str(), &context)).await;
            answered(reply);
            begin.push(start.elapsed());
            let start = Instant::now();
            let state: zbus::Result<HashMap<String, OwnedVariant>> =
                manager.call("GetUser", &(user.as_str(),)).await;
            answered(state);
            get_user.push(start.elapsed());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut answers: BTreeMap<String, u32> = BTreeMap::new();
        for answer in waiting {
            *answers.entry(answer.await.unwrap()).or_default() += 1;
        }
        for (answer, count) in answers {
            println!("{answer}: {count}");
        }
        for (name, mut times) in [("Begin", begin), ("GetUser", get_user)] {
            times.sort_unstable();
            let at = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1000.0;
            println!(
                "{name}: {} times, median {:.1} ms, 99 of 100 below {:.1} ms, longest {:.1} ms",
                times.len(),
                at(50),
                at(99),
                at(100)
            );
        }
    });
}
