//! The contract that others depend on to the letter: the bus and the installed files.

use tests::Machine;

#[test]
fn the_interfaces_are_as_they_were() {
    let machine = Machine::new();
    let xml =
        machine.call("carol", "org.freedesktop.DBus.Introspectable.Introspect", "").stdout_ok();
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
    ours.sort();
    let interfaces = format!("{}\n", ours.join("\n</interface>\n"));
    let golden = include_str!("contract/introspection.xml");
    assert!(
        interfaces == golden,
        "the contract changed; if that is meant, this is the new one:\n{interfaces}"
    );
    let version = machine.call(
        "carol",
        "org.freedesktop.DBus.Properties.Get",
        "org.totpd.Totp1.Manager Version",
    );
    assert!(version.stdout_ok().contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn install_lays_out_these_files_with_these_modes() {
    let machine = Machine::new();
    let multiarch = machine.run("cc -print-multiarch").stdout_ok();
    let library = match multiarch.trim() {
        "" => "lib64".to_owned(),
        multiarch => format!("lib/{multiarch}"),
    };
    for (path, mode) in [
        (format!("/usr/{library}/security/pam_totp.so"), "644"),
        ("/usr/libexec/totpd".into(), "755"),
        ("/usr/libexec/totp-import".into(), "755"),
        ("/usr/bin/totpctl".into(), "755"),
        ("/usr/lib/systemd/system/totpd.service".into(), "644"),
        ("/usr/share/dbus-1/system.d/org.totpd.Totp1.conf".into(), "644"),
        ("/usr/share/dbus-1/system-services/org.totpd.Totp1.service".into(), "644"),
        ("/usr/share/polkit-1/actions/org.totpd.Totp1.policy".into(), "644"),
        ("/etc/totpd/totpd.toml".into(), "644"),
        ("/etc/totpd/totpd.toml.d".into(), "755"),
        ("/usr/share/bash-completion/completions/totpctl".into(), "644"),
        ("/var/lib/totpd".into(), "700"),
    ] {
        let attributes = machine.run(&format!("stat -c '%a %U:%G' {path}")).stdout_ok();
        assert_eq!(attributes.trim(), format!("{mode} root:root"), "{path}");
    }
    machine.run("totpctl list").stdout_ok();
    let modes = machine.run("stat -c '%n %a' /var/lib/totpd/*").stdout_ok();
    for name in ["store.db", "store.key"] {
        assert!(modes.contains(&format!("/var/lib/totpd/{name} 600")), "{modes}");
    }
}

/// A page must not name a test that is gone. Such a page claims a proof that does not exist.
#[test]
fn the_tests_that_the_threat_model_names_exist() {
    let page = include_str!("../docs/reference/threat-model.md");
    let (_, findings) = page.split_once("## What an attacker found").unwrap();
    let (findings, vulnerabilities) =
        findings.split_once("## Known vulnerabilities of this class").unwrap();
    let rows = |table: &'static str| table.lines().filter(|line| line.starts_with("| ")).skip(1);
    assert_eq!((rows(findings).count(), rows(vulnerabilities).count()), (20, 32));
    let repository = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut sources = String::new();
    let mut folders =
        ["tests", "totpd", "totpctl", "pam_totp"].map(|name| repository.join(name)).to_vec();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension().and_then(|extension| extension.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("rs") => sources.push_str(&std::fs::read_to_string(path).unwrap()),
                _ => {}
            }
        }
    }
    for row in rows(findings).chain(rows(vulnerabilities)) {
        let proof = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let quotations = proof.split('`').skip(1).step_by(2);
        // Others are programs.
        let names: Vec<_> = quotations.filter(|name| name.contains('_')).collect();
        assert!(!names.is_empty() || proof.starts_with("cannot arise"), "{row}");
        for name in names {
            let at = sources.find(&format!("fn {name}("));
            let at = at.unwrap_or_else(|| panic!("there is no test {name}"));
            let is_test = sources[..at].lines().rev().take(3).any(|line| line.trim() == "#[test]");
            assert!(is_test, "{name} is no test");
        }
    }
}
