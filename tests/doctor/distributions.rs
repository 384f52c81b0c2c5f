//! `totpctl doctor` on hosts that other distributions and administrators configure otherwise.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tests::{JsonSchema, Machine, pam};

use super::doctor;

/// Returns the findings of a run that have this id.
fn findings(machine: &Machine, services: &str, id: &str) -> Vec<Value> {
    let told = machine.run(&format!("totpctl --json doctor {services}")).stdout;
    let object = JsonSchema::of_totpctl().check("doctor", &told).remove(0);
    let services = object["services"].as_object().into_iter().flat_map(|all| all.values());
    let parts = services.chain([&object["host"]]);
    let lists = parts.flat_map(|part| ["problems", "notes"].map(|key| part[key].as_array()));
    lists.flatten().flatten().filter(|finding| finding["id"] == id).cloned().collect()
}

/// openSUSE builds libpam with /usr/etc/pam.d. A file of /etc/pam.d hides the one there.
#[test]
fn the_folders_are_those_of_libpam() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    machine
        .run(
            "library=$(readlink -f $(find /usr/lib -name libpam.so.0)); cp $library /root/libpam
             sed -i 's|/usr/lib/pam.d|/usr/etc/pam.d|g' $library; ! cmp -s $library /root/libpam
             mkdir -p /usr/etc/pam.d /usr/lib/pam.d",
        )
        .stdout_ok();
    let code = "auth required pam_totp.so nodelay\n";
    machine.write("/usr/etc/pam.d/vendor", code);
    assert_eq!(machine.pam("vendor", "alice", "000000").run().rc, pam::AUTH_ERR);
    assert_eq!(machine.pam("vendor", "alice", &seed.code()).run().rc, pam::SUCCESS);
    for arguments in ["vendor", ""] {
        let told = doctor(&machine, arguments).stdout;
        assert!(told.lines().any(|line| line == "vendor: asks for a code"), "{told}");
    }
    // This libpam reads no other folder.
    machine.write("/usr/lib/pam.d/elsewhere", code);
    let told = doctor(&machine, "").stdout;
    assert!(!told.contains("elsewhere"), "{told}");

    // The copy is whole, and its removal restores the file of the distribution.
    let stack = "auth requisite pam_unix.so\naccount required pam_unix.so\n";
    machine.write("/usr/etc/pam.d/plain", stack);
    machine.run("totpctl enable plain").stdout_ok();
    let copy = machine.run("cat /etc/pam.d/plain").stdout_ok();
    let others = copy.lines().filter(|line| !line.contains("pam_totp.so"));
    assert_eq!(others.collect::<Vec<_>>(), stack.lines().collect::<Vec<_>>());
    assert_ne!(machine.pam("plain", "alice", "alicepw").run().rc, pam::SUCCESS);
    machine.run("totpctl disable plain && test ! -e /etc/pam.d/plain").stdout_ok();
    assert_eq!(machine.pam("plain", "alice", "alicepw").run().rc, pam::SUCCESS);
}

/// A finger is enough where its service has no line. Here a module that accepts stands for it.
#[test]
fn other_services_of_one_greeter_are_named() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.service("gdm-password", "auth requisite pam_unix.so\nauth required pam_totp.so\n");
    machine.service("gdm-fingerprint", "auth required pam_permit.so\n");
    assert_eq!(machine.pam("gdm-fingerprint", "alice", "").run().rc, pam::SUCCESS);
    let named = findings(&machine, "gdm-password", "sibling-without-code");
    assert_eq!(named.len(), 1, "{named:?}");
    let message = named[0]["message"].as_str().unwrap();
    assert!(
        message.starts_with("gdm-fingerprint of the same program asks for no code"),
        "{message}"
    );
    assert_eq!(named[0]["fix"], "run totpctl enable gdm-fingerprint");

    machine
        .run("echo 'auth required pam_totp.so nodelay' >> /etc/pam.d/gdm-fingerprint")
        .stdout_ok();
    assert_ne!(machine.pam("gdm-fingerprint", "alice", "").run().rc, pam::SUCCESS);
    assert!(findings(&machine, "gdm-password", "sibling-without-code").is_empty());
}

/// The unit of totpd has no network, and doctor cannot list the users of a directory.
#[test]
fn sources_of_users_over_the_network_are_named() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.run("mkdir -p /run/systemd/system").stdout_ok();
    for (passwd, line, remote, uncounted) in [
        ("files", "", None, None),
        ("compat", "", None, None),
        (
            "files cache_oslogin oslogin",
            "",
            Some("from oslogin "),
            Some("cache_oslogin and oslogin"),
        ),
        ("compat", "+::::::\n", Some("from nis "), Some("nis")),
        ("files sss", "", None, Some("sss")),
    ] {
        machine.write("/root/line", line);
        machine
            .run(&format!(
                "sed -i 's/^passwd:.*/passwd: {passwd}/' /etc/nsswitch.conf
                 sed -i /^+/d /etc/passwd; cat /root/line >> /etc/passwd"
            ))
            .stdout_ok();
        let found = findings(&machine, "totp", "directory-unreachable");
        let messages: Vec<_> = found.iter().map(|note| note["message"].as_str().unwrap()).collect();
        assert_eq!(messages.len(), usize::from(remote.is_some()), "{passwd}: {messages:?}");
        assert!(remote.is_none_or(|part| messages[0].contains(part)), "{passwd}: {messages:?}");
        let told = doctor(&machine, "totp").stdout;
        let expected = uncounted.map(|sources| format!("users of {sources} are not counted"));
        assert!(expected.is_none_or(|part| told.contains(&part)), "{passwd}: {told}");
        assert_eq!(told.contains("not counted"), uncounted.is_some(), "{passwd}: {told}");
    }
}

/// With a locked root, rescue mode lets nobody in unless the kernel command line says more.
#[test]
fn a_locked_root_is_named_with_a_way_that_works() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    for (change, is_locked) in [
        ("usermod -p '*' root", true),
        ("echo root:rootpw | chpasswd", false),
        ("passwd -l root", true),
    ] {
        machine.run(change).stdout_ok();
        let found = findings(&machine, "totp", "root-locked");
        assert_eq!(found.len(), usize::from(is_locked), "{change}: {found:?}");
        if let Some(finding) = found.first() {
            let fix = finding["fix"].as_str().unwrap();
            assert!(finding["message"].as_str().unwrap().contains("single-user mode"), "{finding}");
            assert!(fix.contains("\"init=/bin/sh\"") && !fix.contains("systemd"), "{fix}");
            // As on a host with systemd.
            machine.run("mkdir -p /run/systemd/system").stdout_ok();
            let found = findings(&machine, "totp", "root-locked");
            machine.run("rmdir /run/systemd/system").stdout_ok();
            let fix = found[0]["fix"].as_str().unwrap();
            assert!(found[0]["message"].as_str().unwrap().contains("rescue mode"), "{found:?}");
            for parameter in PARAMETERS {
                assert!(fix.contains(&format!("\"{parameter}\"")), "{parameter}: {fix}");
            }
        }
    }
}

/// What doctor says to add to the kernel command line.
const PARAMETERS: [&str; 2] =
    ["systemd.unit=rescue.target systemd.setenv=SYSTEMD_SULOGIN_FORCE=1", "init=/bin/sh"];

#[test]
fn no_document_sends_anybody_to_a_rescue_mode_that_is_closed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut pages = vec![root.join("README.md")];
    for folder in ["docs", "packaging/man"] {
        pages.extend(files_below(&root.join(folder)));
    }
    let mut named = Vec::new();
    for page in pages {
        let Ok(text) = fs::read_to_string(&page) else { continue };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for (at, _) in text.match_indices("rescue.target") {
            let whole: String = text[at..].chars().take(80).collect();
            assert!(whole.contains("SYSTEMD_SULOGIN_FORCE=1"), "{}: {whole}", page.display());
        }
        if text.contains("init=/bin/sh") {
            // The root file system is read-only then, unless the page that it links has that.
            let says_more = text.contains("remount,rw /") || text.contains("break-glass");
            assert!(says_more, "{}", page.display());
            named.push(page.strip_prefix(root).unwrap().display().to_string());
        }
    }
    for page in ["README.md", "docs/admin/deploy.md", "docs/admin/locked-out.md"] {
        assert!(named.iter().any(|name| name == page), "{page}: {named:?}");
    }
    let deploy = fs::read_to_string(root.join("docs/admin/deploy.md")).unwrap();
    let break_glass = deploy.split("Break glass").nth(1).expect("docs/admin/deploy.md");
    for parameter in PARAMETERS {
        assert!(break_glass.contains(parameter), "{parameter}");
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}
