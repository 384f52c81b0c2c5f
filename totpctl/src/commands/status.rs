//! `totpctl status`: the state of this host for root, and of the own factors for other users, on
//! one screen.

use serde_json::{Map, Value, json};

use super::{list, user_state};
use crate::client::account_uid::correct_one;
use crate::client::users::for_each_user;
use crate::client::{Client, details};
use crate::commands::next_step::next_step;
use crate::error::Error;
use crate::findings::rules::in_force::{Everybody, Reach, RulesInForce};
use crate::findings::users::admission::usable_count;
use crate::findings::users::asking::{Asking, LockedPasswords};
use crate::findings::users::factor_holder::{Holder, now};
use crate::host::local_time;
use crate::pam::asking_services::{AskingService, asking_services};
use crate::terminal::input::user_or_caller;
use crate::terminal::output;
use crate::trial::state::Trial;
use crate::trial::will_end;
use crate::unit;

pub(super) fn run(json: bool) -> Result<(), Error> {
    let services = asking_services();
    match nix::unistd::geteuid().is_root() {
        true => host(&services, json),
        false => user(&user_or_caller(None)?, &services, json),
    }
}

/// Shows the own factors, and where their codes are asked for.
fn user(user: &str, services: &[AskingService], json: bool) -> Result<(), Error> {
    let client = Client::connect()?;
    let mut state = details::object(&client.manager(async |totpd| totpd.get_user(user).await)?);
    correct_one(&mut state);
    if json {
        return output::json(&user_json(&state, services));
    }
    let mut text = String::new();
    for factor in details::objects(&state, "factors") {
        text.push_str(&user_state::factor(factor));
    }
    match details::flag(&state, "enrolled") {
        true => text.push_str(&user_state::recovery_codes(&state)),
        false => text.push_str("You have no verified factor. Next: totpctl enroll\n"),
    }
    text.push_str(&user_state::wrong_codes(&state));
    text.push_str(&format!("Services that ask for a code: {}.\n", names_with_options(services)));
    output::lines(&text)
}

fn user_json(state: &Map<String, Value>, services: &[AskingService]) -> Value {
    json!({ "user": state, "services": names(services) })
}

/// The users of the store, by their states.
#[derive(Default)]
struct Users {
    enrolled: u64,
    /// How many of them can log in with a code somewhere.
    usable: u64,
    pending: u64,
    waiting: Vec<String>,
    locked: Vec<String>,
    damaged: Vec<String>,
}

impl Users {
    fn count(client: &Client, services: &[AskingService]) -> Result<Self, Error> {
        let (mut users, mut holders) = (Self::default(), Vec::new());
        for_each_user(client, |user| {
            users.enrolled += u64::from(details::flag(&user, "enrolled"));
            holders.extend(Holder::from_user(&user));
            let name = details::escape_text(&user, "user");
            match list::state(&user) {
                "damaged" => users.damaged.push(name),
                "locked" => users.locked.push(name),
                "waiting" => users.waiting.push(name),
                "unverified" => users.pending += 1,
                _ => {}
            }
            Ok(())
        })?;
        let locked = LockedPasswords::of_host();
        let asking =
            services.iter().map(|other| Asking::of_host(&other.name, other.unenrolled, &locked));
        users.usable = usable_count(&asking.collect::<Vec<_>>(), &holders, now());
        Ok(users)
    }

    /// Returns the JSON object of the host.
    fn host_json(
        &self,
        services: &[AskingService],
        rules: &RulesInForce,
        trial: Option<Vec<String>>,
        version: &str,
        clock: Option<bool>,
        signer: Option<String>,
    ) -> Value {
        json!({
            "services": names(services), "exceptions": exceptions(services),
            "rules": rules_json(services, rules), "trial": trial,
            "totpd": version, "enrolled": self.enrolled, "usable": self.usable,
            "pending": self.pending, "waiting": self.waiting, "locked": self.locked,
            "damaged": self.damaged, "clock_synchronized": clock, "backup_signer": signer,
        })
    }

    fn line(&self) -> String {
        let mut line = format!("Users: {} enrolled", self.enrolled);
        if self.usable != self.enrolled {
            line.push_str(&format!(" ({} of them can log in with a code)", self.usable));
        }
        if self.pending > 0 {
            line.push_str(&format!(", {} pending", self.pending));
        }
        for (names, state) in
            [(&self.waiting, "waiting"), (&self.locked, "locked"), (&self.damaged, "damaged")]
        {
            if !names.is_empty() {
                line.push_str(&format!(
                    ", {} {state} ({})",
                    names.len(),
                    output::first_names(names)
                ));
            }
        }
        line
    }
}

/// Shows the host.
fn host(services: &[AskingService], json: bool) -> Result<(), Error> {
    let trial = Trial::pending()?;
    let trial_line = match &trial {
        Some(trial) if will_end(trial) => {
            let left = trial.ends.saturating_sub(now());
            let services = trial.services.join(", ");
            let end = local_time::display_local_with_seconds(trial.ends);
            format!("{services} until {end} ({} left)", output::duration(left))
        }
        Some(trial) => {
            let services = trial.services.join(", ");
            format!("{services}, and nothing will revert it; run totpctl try --undo")
        }
        None => "none".into(),
    };
    if !json {
        let services = names_with_options(services);
        output::lines(&format!("Services that ask for a code: {services}\nTrial: {trial_line}\n"))?;
    }
    let client = Client::connect()?;
    let version = client.manager(async |totpd| totpd.version().await)?;
    let users = Users::count(&client, services)?;
    let names: Vec<_> = services.iter().map(|service| service.name.as_str()).collect();
    let rules = RulesInForce::read(&client, &names).unwrap_or_default();
    let clock = client.clock_is_synchronized();
    let signer = client.store("Asking", async |totpd| totpd.fingerprint().await).ok();
    if json {
        let trial = trial.map(|trial| trial.services);
        return output::json(&users.host_json(services, &rules, trial, &version, clock, signer));
    }
    let clock = match clock {
        Some(true) => "synchronized",
        Some(false) => "not synchronized",
        None if unit::has_systemd() => "unknown: systemd-timedated does not answer",
        None => "unknown: without systemd nothing here tells it",
    };
    let signer = signer.unwrap_or_else(|| "unknown".into());
    let next = match (users.enrolled, services.is_empty()) {
        (0, _) => "Next: totpctl enroll USER".to_owned(),
        (_, true) => format!("Next: {}", next_step()),
        (_, false) => "More: totpctl doctor, totpctl list".to_owned(),
    };
    let rules = rules_line(services, &rules);
    output::lines(&format!(
        "{rules}{}\nDaemon: totpd {version} answers\nClock: {clock}\nBackups: signed by {signer}\n{next}\n",
        users.line()
    ))
}

/// Returns the services, each with the option by which users without a factor get in.
fn names_with_options(services: &[AskingService]) -> String {
    let service = |service: &AskingService| match service.unenrolled.option() {
        Some(option) => format!("{} ({option})", service.name),
        None => service.name.clone(),
    };
    match services {
        [] => "none".into(),
        services => services.iter().map(service).collect::<Vec<_>>().join(", "),
    }
}

/// Returns the line on the rules, if there are any: what they come to at each service.
fn rules_line(services: &[AskingService], rules: &RulesInForce) -> String {
    let at = |service: &AskingService| {
        let told = match rules.at(&service.name) {
            Reach { everybody: Some(Everybody::LetBy), .. } => "nobody needs a code".to_owned(),
            Reach { everybody: Some(Everybody::Refused), .. } => "everybody is refused".to_owned(),
            Reach { lets_by, refuses, .. } => {
                let told = |some: &str, rules: &[String]| match rules {
                    [] => None,
                    rules => Some(format!("{some} ({})", output::first_names(rules))),
                };
                let told = told("some need no code", &lets_by)
                    .into_iter()
                    .chain(told("some are refused", &refuses));
                told.collect::<Vec<_>>().join(", ")
            }
        };
        (!told.is_empty()).then(|| format!("; {}: {told}", service.name))
    };
    match rules.rules.len() {
        0 => String::new(),
        count => {
            let at: String = services.iter().filter_map(at).collect();
            format!("Rules: {count} in force{at}\n")
        }
    }
}

/// Returns what the rules come to, by the names of the services at which they count.
fn rules_json(services: &[AskingService], rules: &RulesInForce) -> Map<String, Value> {
    let of = |service: &AskingService| {
        let Reach { lets_by, refuses, everybody, .. } = rules.at(&service.name);
        let everybody = everybody.map(|everybody| match everybody {
            Everybody::LetBy => "skipped",
            Everybody::Refused => "refused",
        });
        let is_told = !(lets_by.is_empty() && refuses.is_empty());
        let object = json!({ "lets_by": lets_by, "refuses": refuses, "everybody": everybody });
        is_told.then(|| (service.name.clone(), object))
    };
    services.iter().filter_map(of).collect()
}

fn names(services: &[AskingService]) -> Vec<&str> {
    services.iter().map(|service| service.name.as_str()).collect()
}

/// Returns the options `nullok` and `enroll` by the names of their services.
fn exceptions(services: &[AskingService]) -> Map<String, Value> {
    let exception = |service: &AskingService| {
        service.unenrolled.option().map(|option| (service.name.clone(), option.into()))
    };
    services.iter().filter_map(exception).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pam::unenrolled_users::Unenrolled;

    #[test]
    fn both_shapes_are_objects_of_the_schema() {
        let rules = RulesInForce::default();
        let host = Users::default().host_json(&[], &rules, None, "0.1.0", None, None);
        assert_eq!(output::undescribed_keys("status", &host), Vec::<String>::new());
        let user = user_json(&Map::new(), &[]);
        assert_eq!(output::undescribed_keys("status_of_user", &user), Vec::<String>::new());
    }

    #[test]
    fn an_exception_for_users_without_a_factor_is_named() {
        let service = |name: &str, unenrolled| AskingService { name: name.into(), unenrolled };
        let services = [
            service("sshd", Unenrolled::Skipped),
            service("su", Unenrolled::Denied),
            service("sudo", Unenrolled::Enrolls),
        ];
        assert_eq!(names_with_options(&services), "sshd (nullok), su, sudo (enroll)");
        assert_eq!(names_with_options(&[]), "none");
        assert_eq!(
            Value::from(exceptions(&services)),
            json!({ "sshd": "nullok", "sudo": "enroll" })
        );
    }

    #[test]
    fn rules_have_a_line_with_what_they_come_to() {
        let service =
            |name: &str| AskingService { name: name.into(), unenrolled: Unenrolled::Denied };
        let services = ["login", "sshd", "su", "sudo"].map(service);
        assert_eq!(rules_line(&services, &RulesInForce::default()), "");
        let entry = |value: Value| value.as_object().unwrap().clone();
        let reach = |service: &str, lets_by: &[&str], refuses: &[&str], everybody: &str| {
            entry(json!({
                "service": service, "lets_by": lets_by, "refuses": refuses, "everybody": everybody,
            }))
        };
        let rules = vec![entry(json!({ "name": "office" })), entry(json!({ "name": "gone" }))];
        let reaches = [
            reach("sshd", &["office"], &["gone"], ""),
            reach("sudo", &["office"], &[], "skipped"),
            reach("login", &[], &["gone"], "refused"),
            reach("su", &[], &[], ""),
        ];
        let rules = RulesInForce::new(rules, Vec::new(), &reaches);
        assert_eq!(
            rules_line(&services, &rules),
            "Rules: 2 in force; login: everybody is refused; sshd: some need no code (office), some are refused \
             (gone); sudo: nobody needs a code\n"
        );
        let object = rules_json(&services, &rules);
        assert_eq!(object.keys().collect::<Vec<_>>(), ["login", "sshd", "sudo"]);
        assert_eq!(object["login"]["everybody"], "refused");
    }

    #[test]
    fn users_are_counted_by_their_states() {
        let quiet = Users { enrolled: 12, usable: 12, ..Users::default() };
        assert_eq!(quiet.line(), "Users: 12 enrolled");
        let useless = Users { enrolled: 5, ..Users::default() };
        assert_eq!(useless.line(), "Users: 5 enrolled (0 of them can log in with a code)");
        let names = |count: usize| (0..count).map(|n| format!("u{n}")).collect::<Vec<_>>();
        let busy = Users {
            enrolled: 12,
            usable: 12,
            pending: 1,
            waiting: names(1),
            locked: names(12),
            damaged: Vec::new(),
        };
        assert_eq!(
            busy.line(),
            "Users: 12 enrolled, 1 pending, 1 waiting (u0), 12 locked (u0, u1, u2, u3, u4, u5, u6, u7, u8, \
             u9, and 2 more)"
        );
    }
}
