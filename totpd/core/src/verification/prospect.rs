//! The prospect of a login: whose codes would be accepted.

use alloc::vec::Vec;

use crate::record::Record;
use crate::verification::best_match::may_be_used;
use crate::verification::methods::Methods;
use crate::verification::refusal::refusal_of_any;
use crate::verification::verdict::{Method, Reason};

/// Returns the methods of the codes that [`verify`](super::verify) would accept at a login, none of
/// them twice. `uid` is that of the account. `methods` are those that count at the login.
///
/// # Errors
/// The [`Reason`] why no code would be accepted.
pub fn prospect(
    record: &Record,
    uid: u32,
    methods: Methods,
    service: Option<&str>,
    now: u64,
) -> Result<Vec<Method>, Reason> {
    if let Some(reason) = refusal_of_any(record, uid) {
        return Err(reason);
    }
    let verified = record.factors.iter().filter(|factor| factor.is_verified());
    let usable = verified.filter(|factor| may_be_used(factor, methods, service, now));
    let mut found: Vec<Method> = Vec::new();
    for method in usable.map(|factor| factor.kind.into()) {
        if !found.contains(&method) {
            found.push(method);
        }
    }
    if methods.include(Method::Recovery) && record.recovery.left() > 0 {
        found.push(Method::Recovery);
    }
    match found.is_empty() {
        false => Ok(found),
        true if record.verified().next().is_none() => Err(Reason::Unsynchronized),
        true => Err(Reason::Restricted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factor::{Kind, Status};
    use crate::fixtures::{enrolled, recovery_codes, verified};

    #[test]
    fn a_prospect_names_each_method_that_counts_once() {
        let of = |record: &Record, methods| prospect(record, 1000, methods, Some("sshd"), 5);
        let mut record = enrolled(1000);
        record.factors.push(verified(Kind::Hotp, None));
        record.factors.push(verified(Kind::Hotp, None));
        assert_eq!(of(&record, Methods::ALL), Ok([Method::Totp, Method::Hotp].to_vec()));
        let paper = Methods::of(&[Method::Recovery]).unwrap();
        assert_eq!(of(&record, paper), Err(Reason::Restricted));
        record.recovery = recovery_codes(1, 1).1;
        assert_eq!(of(&record, paper), Ok([Method::Recovery].to_vec()));
        assert_eq!(of(&record, Methods::NONE), Err(Reason::Restricted));
        assert_eq!(prospect(&record, 1001, paper, None, 5), Err(Reason::UidChanged));
        assert_eq!(of(&Record::new(1000), Methods::ALL), Err(Reason::NotEnrolled));
        for factor in &mut record.factors {
            factor.restrictions.services = [alloc::string::String::from("sudo")].to_vec();
        }
        let apps = Methods::of(&[Method::Totp, Method::Hotp]).unwrap();
        assert_eq!(of(&record, apps), Err(Reason::Restricted));
        for (status, reason) in
            [(Status::Disabled, Reason::Disabled), (Status::Unsynchronized, Reason::Unsynchronized)]
        {
            for factor in &mut record.factors {
                factor.status = status;
            }
            assert_eq!(of(&record, apps), Err(reason), "{status:?}");
        }
    }
}
