//! `bus_latency` asks the system bus for its id, again and again. It prints the milliseconds that
//! each answer took. A user who has nothing to do with logins notices these times.

use std::time::Instant;

pub fn run() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let connection =
            zbus::connection::Builder::address("unix:path=/run/dbus/system_bus_socket")
                .build()
                .await
                .unwrap();
        let bus = zbus::fdo::DBusProxy::new(&connection).await.unwrap();
        loop {
            let start = Instant::now();
            bus.get_id().await.unwrap();
            println!("{}", start.elapsed().as_millis());
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
}
