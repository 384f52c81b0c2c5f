//! What others depend on to the letter: the bus and the installed files.

use tests::Machine;

#[test]
fn the_interfaces_are_as_they_were() {
    let machine = Machine::new();
    let xml = machine.call("carol", "org.freedesktop.DBus.Introspectable.Introspect", "").ok();
    // gdbus prints a tuple with one string.
    let xml = xml
        .trim()
        .trim_start_matches("('")
        .trim_end_matches("',)")
        .replace("\\n", "\n")
        .replace("\\'", "'");
    let mut ours: Vec<_> = xml
        .split("<interface ")
        .skip(1)
        .filter(|part| part.starts_with("name=\"org.totpd."))
        .map(|part| format!("<interface {}", part.split("</interface>").next().unwrap().trim_end()))
        .collect();
    // The server has them in no order.
    ours.sort();
    let found = format!("{}\n", ours.join("\n</interface>\n"));
    let golden = include_str!("contract/introspection.xml");
    assert!(
        found == golden,
        "the contract changed; if that is meant, this is the new one:\n{found}"
    );
    let version = machine.call(
        "carol",
        "org.freedesktop.DBus.Properties.Get",
        "org.totpd.Totp1.Manager Version",
    );
    assert!(version.ok().contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn install_lays_out_these_files_with_these_modes() {
    let machine = Machine::new();
    let multiarch = machine.run("cc -print-multiarch").ok();
    let library = match multiarch.trim() {
        "" => "lib64".to_owned(),
        multiarch => format!("lib/{multiarch}"),
    };
    for (path, mode) in [
        (format!("/usr/{library}/security/pam_totp.so"), "644"),
        ("/usr/libexec/totpd".into(), "755"),
        ("/usr/bin/totpctl".into(), "755"),
        ("/usr/lib/systemd/system/totpd.service".into(), "644"),
        ("/usr/share/dbus-1/system.d/org.totpd.Totp1.conf".into(), "644"),
        ("/usr/share/dbus-1/system-services/org.totpd.Totp1.service".into(), "644"),
        ("/etc/totpd/totpd.toml".into(), "644"),
        ("/etc/totpd/totpd.toml.d".into(), "755"),
        ("/usr/share/bash-completion/completions/totpctl".into(), "644"),
        ("/var/lib/totpd".into(), "700"),
    ] {
        let found = machine.run(&format!("stat -c '%a %U:%G' {path}")).ok();
        assert_eq!(found.trim(), format!("{mode} root:root"), "{path}");
    }
    machine.run("totpctl list").ok();
    let made = machine.run("stat -c '%n %a' /var/lib/totpd/*").ok();
    for name in ["store.db", "store.key"] {
        assert!(made.contains(&format!("/var/lib/totpd/{name} 600")), "{made}");
    }
}
