//! A factor belongs to a name and a uid, and who that is NSS alone says.

use tests::{Machine, Seed, pam};

use crate::authority::every_method_for;

#[test]
fn an_account_that_was_made_again_inherits_nothing() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    machine.run("userdel alice && useradd -u 4321 -m alice 2>/dev/null; id -u alice").stdout_ok();
    let refused = machine.pam("totp", "alice", &seed.code()).run();
    assert_eq!(refused.rc, pam::AUTH_ERR, "{refused:#?}");
    assert!(machine.log().contains("another uid than at enrollment"), "{}", machine.log());
    machine.service(
        "nullok",
        "auth required pam_totp.so nodelay nullok\nauth required pam_permit.so\n",
    );
    assert_eq!(machine.pam("nullok", "alice", "").run().rc, pam::AUTH_ERR, "nor is it skipped");
    let own = machine.run_as("alice", "totpctl --json show").stdout_ok();
    assert!(own.contains("\"factors\":[]") && own.contains("\"uid\":4321"), "{own}");
    let seed = machine.enrolled("alice", 2);
    assert_eq!(machine.pam("totp", "alice", &seed.code()).run().rc, pam::SUCCESS);
    let state = machine.run("totpctl --json show alice").stdout_ok();
    assert!(state.contains("\"uid\":4321"), "{state}");
    assert_eq!(state.matches("\"factor\"").count(), 1, "{state}");
}

#[test]
fn a_user_that_is_gone_can_still_be_removed_from_the_store() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    machine.run("userdel alice").stdout_ok();
    assert_eq!(machine.pam("totp", "alice", &seed.code()).run().rc, pam::AUTH_ERR);
    assert!(machine.run("totpctl list").stdout_ok().contains("alice"));
    machine.run("totpctl remove alice").stdout_ok();
    assert!(!machine.run("totpctl list").stdout_ok().contains("alice"));
    let unknown = machine.run("totpctl enroll alice");
    assert_eq!(unknown.status, 1, "{unknown:#?}");
    assert!(unknown.stderr.contains("there is no user"), "{unknown:#?}");
}

#[test]
fn names_that_differ_by_case_are_different_users() {
    let machine = Machine::new();
    machine.run("useradd --badname Alice || useradd --badnames Alice").stdout_ok();
    let seed = machine.enrolled("alice", 1);
    assert_eq!(machine.pam("totp", "Alice", &seed.code()).run().rc, pam::AUTH_ERR);
    assert_eq!(machine.pam("totp", "alice", &seed.code()).run().rc, pam::SUCCESS);
}

#[test]
fn two_accounts_of_one_name_own_nothing_of_each_other() {
    let machine = Machine::with_programs();
    machine.with_trouble_in_nss();
    machine.self_service();
    let namesake = "20001";
    assert_eq!(machine.run_as(namesake, "id -un").stdout_ok(), "alice\n");
    assert_ne!(machine.run("id -u alice").stdout_ok().trim(), namesake, "the name leads to files");
    // No method does or says more than for another user.
    let learns_nothing = || {
        let call = |(method, arguments): (String, String)| {
            let ran = machine.call(namesake, &method, &arguments);
            let refused = ran.stderr.contains(".Error.NotAuthorized: ");
            (method, refused, ran.text())
        };
        let [for_alice, for_bob] =
            ["alice", "bob"].map(|user| every_method_for(user).into_iter().map(call));
        let differ = |(alice, bob): &((_, bool, _), _)| !alice.1 || alice != bob;
        let more: Vec<_> = for_alice.zip(for_bob).filter(differ).collect();
        assert!(more.is_empty(), "{more:#?}");
    };
    let refuses = |method: &str, arguments: &str| {
        let ran = machine.call(namesake, &format!("org.totpd.Totp1.{method}"), arguments);
        assert!(ran.stderr.contains(".Error.NotAuthorized: "), "{method} {arguments}: {ran:#?}");
    };
    let own = |method: &str, arguments: &str| {
        machine.call("alice", &format!("org.totpd.Totp1.Manager.{method}"), arguments).stdout_ok()
    };
    let state = || machine.run("totpctl --json show alice").stdout_ok();

    // The namesake cannot make a factor for alice, who has none.
    let before = state();
    assert!(before.contains("\"factors\":[]"), "{before}");
    learns_nothing();
    assert_eq!(state(), before);

    // Nor confirm or drop the factor that alice is about to confirm.
    let made = own("Enroll", "alice '@a{sv} {}'");
    let factor = made.split('\'').nth(1).unwrap();
    let secret = made.split("secret=").nth(1).unwrap();
    let seed = Seed(secret.chars().take_while(char::is_ascii_alphanumeric).collect());
    let before = state();
    assert!(before.contains("\"unverified\""), "{before}");
    refuses("Manager.Confirm", &format!("alice {factor} {}", seed.code()));
    for _ in 0..5 {
        refuses("Manager.Confirm", &format!("alice {factor} {}", seed.wrong_code()));
    }
    learns_nothing();
    assert_eq!(state(), before);
    let confirmed = own("Confirm", &format!("alice {factor} {}", seed.code()));
    let recovery_code = confirmed.split('\'').nth(1).unwrap();

    // Nor use, read or remove a verified one, even with a right code.
    let before = state();
    assert!(before.contains("\"verified\""), "{before}");
    learns_nothing();
    for code in [&seed.next_code(), recovery_code] {
        refuses("Login.Verify", &format!("alice {code} '@a{{sv}} {{}}'"));
        refuses("Manager.Remove", &format!("alice '' {code}"));
    }
    let shown = machine.run_as(namesake, "totpctl show");
    assert_eq!((shown.status, &shown.stdout[..]), (4, ""), "{shown:#?}");
    assert_eq!(state(), before);

    // Alice uses and manages it.
    assert!(own("GetUser", "alice").contains(factor));
    assert_eq!(machine.pam("totp", "alice", &seed.next_code()).run().rc, pam::SUCCESS);
    own("Remove", &format!("alice '' {recovery_code}"));
    assert!(state().contains("\"factors\":[]"), "{}", state());
}

#[test]
fn a_name_that_nss_spells_otherwise_has_one_record() {
    let machine = Machine::new();
    machine.with_trouble_in_nss();
    assert_eq!(machine.run("id -un ALICE; id -un Alice").stdout_ok(), "alice\nalice\n");
    let services = [
        ("nullok", "auth required pam_totp.so nodelay nullok\n"),
        ("names", "auth required pam_totp.so nodelay show_names\n"),
        (
            "both",
            "auth required pam_totp.so forward_pass nodelay\n\
             auth required pam_exec.so quiet expose_authtok /usr/bin/dd of=/run/password\n",
        ),
    ];
    for (service, stack) in services {
        machine.service(service, stack);
    }
    let enroll = "totpctl --json enroll ALICE --digits 8 --no-confirm --qr none --name";
    let made = machine.run(&format!("{enroll} Pixel")).stdout_ok();
    assert!(made.contains("otpauth://totp/totp-test:alice?"), "{made}");
    let secret = made.split("secret=").nth(1).unwrap().split(['&', '"']).next().unwrap();
    let code = |when: &str| {
        let oathtool = format!("oathtool --totp -d 8 -N '{when}' -b {secret}");
        machine.run(&oathtool).stdout_ok().trim().to_owned()
    };
    let state = |user: &str| machine.run(&format!("totpctl --json show {user}")).stdout_ok();
    assert_eq!(state("ALICE"), state("alice"));
    let listed = machine.run("totpctl list").stdout_ok();
    assert_eq!(listed.to_lowercase().matches("alice").count(), 1, "{listed}");

    // Eight digits are the code, and the rest is the password.
    let now = code("now");
    let both = machine.pam("both", "ALICE", &format!("alicepw{now}")).run();
    assert_eq!(both.rc, pam::SUCCESS, "{both:#?}");
    assert_eq!(machine.run("tr -d '\\0' < /run/password").stdout_ok(), "alicepw");
    // A code that one spelling used is used for all.
    let next = code("now + 30 seconds");
    assert_eq!(machine.pam("totp", "alice", &now).run().rc, pam::AUTH_ERR);
    assert_eq!(machine.pam("totp", "alice", &next).run().rc, pam::SUCCESS);
    assert_eq!(machine.pam("totp", "Alice", &next).run().rc, pam::AUTH_ERR);
    assert_eq!(machine.log().matches("TOTP_REASON=code-replayed").count(), 2, "{}", machine.log());
    // A wait is shared too, for any spelling of the wrong codes.
    let prompts = || -> Vec<String> {
        let login = |(service, user)| machine.pam(service, user, "").run();
        let spelled = ["alice", "ALICE", "Alice"].map(|user| [("totp", user), ("nullok", user)]);
        spelled.concat().into_iter().map(login).map(|login| login.shown[0].clone()).collect()
    };
    assert_eq!(prompts(), ["Verification code: "; 6]);
    for spelling in ["alice", "ALICE"] {
        let wrong = machine.pam("totp", spelling, "00000000").repeat(20).run();
        assert_eq!(wrong.rc, pam::MAXTRIES, "{wrong:#?}");
        let waits = |prompt: &String| prompt.starts_with("Verification code (wait ");
        assert!(prompts().iter().all(waits), "{spelling}: {:#?}", prompts());
        machine.run("totpctl unlock Alice").stdout_ok();
        assert_eq!(prompts(), ["Verification code: "; 6]);
    }
    // The prompt names the factors.
    machine.write("/etc/totpd/totpd.toml.d/10-two.toml", "[enrollment]\nmax_factors = 2\n");
    machine.kill_daemon("TERM");
    machine.run(&format!("{enroll} Spare")).stdout_ok();
    for spelling in ["alice", "ALICE", "Alice"] {
        let asked = machine.pam("names", spelling, "").run();
        assert_eq!(asked.shown[0], "Verification code (Pixel, Spare): ", "{spelling}");
    }
    // A user may manage others, and itself only with a code. Every spelling of its name is the same
    // user.
    machine.write(
        "/etc/polkit-1/rules.d/10-manage.rules",
        "polkit.addRule(function(action, subject) {\n\
         if (action.id == \"org.totpd.totp1.manage\") return polkit.Result.YES;\n\
         });\n",
    );
    for user in ["ALICE", "Alice", "alice"] {
        let refused = machine.run_as("alice", &format!("totpctl remove {user} < /dev/null"));
        assert_eq!(refused.status, 1, "{user}: {refused:#?}");
        assert!(state("alice").contains("\"enrolled\":true"), "{user}: {refused:#?}");
    }
}

#[test]
fn a_failing_user_database_is_no_absent_user() {
    let machine = Machine::new();
    machine.with_trouble_in_nss();
    machine.kill_daemon("TERM");
    machine.service(
        "nullok",
        "auth required pam_totp.so nodelay nullok\nauth required pam_permit.so\n",
    );
    let seeds = ["alice", "bob", "carol"].map(|user| (user, machine.enrolled(user, 1)));
    let broken = machine.pam("nullok", "broken1", "").run();
    assert_eq!(broken.rc, pam::AUTHINFO_UNAVAIL, "{broken:#?}");
    assert!(machine.log().contains("user database (NSS) does not answer"), "{}", machine.log());

    let threads = || machine.run("ls /proc/$(pidof totpd)/task | wc -l").stdout_ok();
    let twenty_hang = || threads().trim().parse::<u32>().unwrap() >= 20;
    // On a busy machine the lookups may end while somebody logs in, which then shows nothing.
    let passed_by = seeds.iter().any(|(user, seed)| {
        let hanging: Vec<_> = (0..20)
            .map(|n| machine.start(&format!("/opt/tests/pam totp hang-{user}{n} 123456")))
            .collect();
        tests::eventually("twenty lookups hang", twenty_hang);
        assert_eq!(machine.pam("totp", user, &seed.code()).run().rc, pam::SUCCESS);
        let passed_by = twenty_hang();
        for login in hanging {
            let out = login.wait_with_output().unwrap();
            let text = String::from_utf8_lossy(&out.stdout).into_owned();
            assert!(text.contains(&format!("rc={} ", pam::AUTHINFO_UNAVAIL)), "{text}");
        }
        passed_by
    });
    assert!(passed_by, "three logins waited for lookups of others");
}
