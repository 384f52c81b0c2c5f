//! `peer_call SOCKET INTERFACE.METHOD TEXT...`: one call to the private socket by a client that
//! shares nothing with the module. The texts are followed by an empty context.

use std::collections::HashMap;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use zbus::connection::Builder;
use zbus::{Connection, Message, Variant};

type Context<'a> = HashMap<&'a str, Variant<'a>>;

pub fn run() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let stream = UnixStream::connect(&arguments[0]).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = runtime.block_on(async {
        let connection = Builder::unix_stream(stream).p2p().build().await?;
        call(&connection, &arguments[1], &arguments[2..]).await
    });
    match answer {
        Ok(answer) => {
            let body = answer.body();
            let (word, details): (&str, Context<'_>) = body.deserialize().unwrap();
            println!("{word} {details:?}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

async fn call(connection: &Connection, what: &str, texts: &[String]) -> zbus::Result<Message> {
    let (interface, method) = what.split_once('.').unwrap();
    let (path, interface) = ("/org/totpd/Totp1", format!("org.totpd.Totp1.{interface}"));
    let (nobody, interface, context) = (None::<&str>, Some(interface.as_str()), Context::new());
    match texts {
        [one] => connection.call_method(nobody, path, interface, method, &(one, context)).await,
        [one, two] => {
            connection.call_method(nobody, path, interface, method, &(one, two, context)).await
        }
        _ => panic!("one text or two"),
    }
}
