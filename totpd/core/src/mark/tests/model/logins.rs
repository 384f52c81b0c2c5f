//! Logins and what else uses codes up.

use crate::code::Code;
use crate::enrollment::{Confirmation, EnrollmentRules, confirm};
use crate::factor::{Factor, FactorId, Kind, Maker, Status};
use crate::fixtures::{THROTTLE_RULES, code_of};
use crate::mark::tests::model::disk::State;
use crate::mark::tests::model::history::Login;
use crate::mark::tests::model::host::{Halt, Host};
use crate::mark::tests::model::rules::Rule;
use crate::mark::tests::model::users::{Key, UID, USERS, factor_of};
use crate::mark::{Acceptance, Leant, UsedCode, Witness};
use crate::moment::Moment;
use crate::otp::time_step;
use crate::record::Record;
use crate::resync::{ResyncOutcome, resync};
use crate::seed::Seed;
use crate::source::Source;
use crate::throttle::ThrottleRules;
use crate::user_name::UserName;
use crate::verification::{Answer, Attempt, Rules, Verdict, verify};
use crate::void_windows::VoidWindows;

/// A login that is committed and not answered.
struct Judged {
    key: Key,
    position: u64,
    /// The failed flushes before the commit. After another one it gets an error.
    failures: u64,
    is_counted: bool,
    /// The factor after its code was used up.
    approved: Option<Factor>,
    answer: How,
}

/// What the answer waits for.
enum How {
    Flush,
    Leans(Leant),
    /// For nothing: a rule is left out.
    Nothing,
}

impl Host {
    pub(super) fn login(&mut self, login: Login) -> Result<(), Halt> {
        let judged = self.judge(login)?;
        judged.map_or(Ok(()), |judged| self.answer(judged))
    }

    pub(super) fn both(&mut self, one: Login, other: Login) -> Result<(), Halt> {
        let (one, other) = (self.judge(one)?, self.judge(other)?);
        let in_order = self.keeps(Rule::WitnessIsInOrder);
        let order = if in_order { [one, other] } else { [other, one] };
        order.into_iter().flatten().try_for_each(|judged| self.answer(judged))
    }

    /// Judges a login and commits its record. The windows are those of the transaction.
    fn judge(&mut self, login: Login) -> Result<Option<Judged>, Halt> {
        if !self.write_window()? {
            return Ok(None);
        }
        self.tick()?;
        let (key, mut state) = ((login.user, login.factor), self.disk.last().clone());
        let record = state.records[login.user].clone();
        let Some(before) = factor_of(&record, key).cloned() else { return Ok(None) };
        let counter = self.counter_of(&before, login.ahead);
        let attempt = Attempt {
            methods: crate::verification::Methods::ALL,
            answer: Answer::Code(self.code(&before, counter, login.is_wrong)),
            factor: Some(before.id.as_str().into()),
            service: None,
            source: Source::Nowhere,
            uid: UID,
            now: self.now,
        };
        let is_free = self.voids.wait(&record, self.now).is_none()
            && !self.voids.include(before.kind, counter);
        let is_good = !login.is_wrong
            && is_free
            && self.oracle.is_good(key, &before, counter, self.now, self.skew);
        let rules = Rules { skew: self.skew, throttle: throttle() };
        let (verdict, after) = verify(record, &attempt, &rules, &self.voids_of_login());
        let position = self.disk.next();
        let is_approved = matches!(verdict, Verdict::Approved { .. });
        if is_good && !is_approved {
            return Err(Halt::Found(std::format!("a right code is refused: {verdict:?}")));
        }
        let approved = factor_of(&after, key).filter(|_| is_approved).cloned();
        let answer = match &approved {
            Some(factor) => {
                self.oracle.touch(key, factor.last_accepted.unwrap(), position);
                self.lean(&before, factor, position)
            }
            None if self.keeps(Rule::WrongCodesWait) => How::Flush,
            None => How::Nothing,
        };
        let failures = |record: &Record| record.throttle.unknown_sources().failures();
        let is_counted = !is_approved && failures(&after) > failures(&state.records[login.user]);
        state.records[login.user] = after;
        self.disk.commit(state);
        self.tick()?;
        let failures = self.failures;
        Ok(Some(Judged { key, position, failures, is_counted, approved, answer }))
    }

    /// Asks whether a login may lean. A rule is left out by a lie about what it looks at.
    fn lean(&mut self, before: &Factor, after: &Factor, position: u64) -> How {
        let Some(mut used) = UsedCode::last_of(after, before.drift) else { return How::Flush };
        let mut now = self.now;
        let present = time_step(now, used.kind.period().unwrap_or(30));
        if !self.keeps(Rule::OnlyTimeBased) && used.kind == Kind::Hotp {
            (used.kind, used.counter) = (Kind::Totp { period: 30 }, present);
        }
        if !self.keeps(Rule::OnlyShortPeriods) && used.kind != Kind::Hotp {
            (used.kind, used.counter) = (Kind::Totp { period: 30 }, time_step(now, 30));
        }
        if !self.keeps(Rule::NotAheadOfTheClock) {
            used.counter = used.counter.min(present);
        }
        if !self.keeps(Rule::NoDrift) || !self.keeps(Rule::NoDriftBefore) {
            used.before = Default::default();
        }
        if !self.keeps(Rule::NoDrift) || !self.keeps(Rule::NoDriftAfter) {
            used.after = Default::default();
        }
        if !self.keeps(Rule::OnlyInTheMark)
            && used.counter <= present
            && let Some(mark) = self.leaning.mark()
        {
            (now, used.counter) = (mark.void_window().from(), 0);
        }
        self.leaning.lean(&used, now, position).map_or(How::Flush, How::Leans)
    }

    fn answer(&mut self, judged: Judged) -> Result<(), Halt> {
        let Judged { key, position, failures, is_counted, approved, answer } = judged;
        let counter = approved.as_ref().and_then(|factor| factor.last_accepted);
        let is_answered = match answer {
            How::Flush => self.failures == failures && self.flush(None)?,
            How::Nothing => true,
            How::Leans(leant) => {
                let is_early = !self.keeps(Rule::FailureReachesThoseInFlight);
                let factor = approved.as_ref().map(|factor| factor.id.clone()).unwrap();
                (is_early || self.leaning.begin_answer(leant))
                    && self.witness_of(key, factor, counter.unwrap())?
            }
        };
        self.tick()?;
        if !is_answered {
            return Ok(());
        }
        if let (Some(factor), Some(counter)) = (&approved, counter) {
            self.oracle.accept(key, counter).map_err(Halt::Found)?;
            self.oracle.learn(key, position, factor.drift.steps());
        }
        if is_counted {
            self.oracle.count(key.0, position);
        }
        Ok(())
    }

    /// Names a login in the witness. If that fails, the login waits for a flush.
    fn witness_of(&mut self, key: Key, factor: FactorId, step: u64) -> Result<bool, Halt> {
        if !self.keeps(Rule::WitnessComesBeforeTheAnswer) {
            return Ok(true);
        }
        let user = UserName::parse(USERS[key.0]).unwrap();
        let acceptance = Acceptance { user, factor, step };
        if self.write_witness(Witness::Last { run: self.run, acceptance }) {
            return Ok(true);
        }
        if !self.keeps(Rule::FailedWitnessStops) {
            return Ok(true);
        }
        self.leaning.witness_failed();
        self.tick()?;
        self.flush(None)
    }

    fn voids_of_login(&self) -> VoidWindows {
        let holds = |window: crate::void_windows::VoidWindow| {
            (window.from()..=window.until()).contains(&self.now)
        };
        match self.keeps(Rule::TheStepDecides) || self.voids.iter().any(holds) {
            true => self.voids.clone(),
            false => VoidWindows::NONE,
        }
    }

    /// Removes a factor, imports its seed again, and tries its first code.
    pub(super) fn first_code(&mut self, login: Login) -> Result<(), Halt> {
        if !self.write_window()? {
            return Ok(());
        }
        self.tick()?;
        let (key, mut state) = ((login.user, login.factor), self.disk.last().clone());
        let record = &mut state.records[login.user];
        let Some(old) = factor_of(record, key).cloned() else { return Ok(()) };
        record.retire(self.now, |factor| factor.id != old.id);
        self.imports = self.imports.wrapping_add(1);
        let status = Status::Unverified { expires: self.now + 600, wrong_codes: 0 };
        let id = FactorId::from_random([9, 9, 9, 9, self.imports]);
        let (last_accepted, is_imported) = (None, true);
        record.factors.push(Factor {
            id: id.clone(),
            status,
            created: self.now,
            last_accepted,
            last_used: None,
            is_imported,
            drift: Default::default(),
            ..old
        });
        let counter = self.counter_of(factor_of(record, key).unwrap(), login.ahead);
        let code = self.code(factor_of(record, key).unwrap(), counter, login.is_wrong);
        let none = VoidWindows::NONE;
        let voids = if self.keeps(Rule::FirstCodesAsk) { &self.voids } else { &none };
        let time = Moment { now: self.now, voids };
        let rules = enrollment_rules(self.skew);
        let outcome = confirm(record, Maker::Root, id.as_str(), &code, time, &rules, &throttle());
        let used = factor_of(record, key).and_then(|factor| factor.last_accepted);
        self.oracle.forget_drift(key);
        self.commit_change(
            state,
            key,
            match outcome {
                Confirmation::Verified => used.map(|used| (used, used)),
                _ => None,
            },
        )
    }

    /// Resynchronizes a factor by a code and the next one.
    pub(super) fn resync(&mut self, login: Login) -> Result<(), Halt> {
        if !self.write_window()? {
            return Ok(());
        }
        self.tick()?;
        let (key, mut state) = ((login.user, login.factor), self.disk.last().clone());
        let record = &mut state.records[login.user];
        let Some(factor) = factor_of(record, key).cloned() else { return Ok(()) };
        let counter = self.counter_of(&factor, login.ahead);
        let codes = (code_of(&factor, counter), code_of(&factor, counter + 1));
        let none = VoidWindows::NONE;
        let voids = if self.keeps(Rule::ResyncAsks) { &self.voids } else { &none };
        let (by, codes) = ((Maker::Root, factor.id.as_str()), (&codes.0, &codes.1));
        let rules = enrollment_rules(self.skew);
        let outcome = resync(record, by, codes, Moment { now: self.now, voids }, &rules);
        let is_done = outcome == ResyncOutcome::Done;
        self.oracle.forget_drift(key);
        self.commit_change(state, key, is_done.then_some((counter, counter + 1)))
    }

    /// Commits what waits for its flush in any case, and uses up the codes of these counters.
    fn commit_change(
        &mut self,
        state: State,
        key: Key,
        used: Option<(u64, u64)>,
    ) -> Result<(), Halt> {
        // A daemon that is killed here finds the factor gone that the witness names.
        self.oracle.is_tainted = true;
        let position = self.disk.commit(state);
        if let Some((_, last)) = used {
            self.oracle.touch(key, last, position);
            self.oracle.forget_drift(key);
        }
        self.tick()?;
        if !self.flush(None)? {
            return Ok(());
        }
        self.tick()?;
        let Some((first, last)) = used else { return Ok(()) };
        (first..=last).try_for_each(|used| self.oracle.accept(key, used)).map_err(Halt::Found)
    }

    fn counter_of(&self, factor: &Factor, ahead: i64) -> u64 {
        let base = match factor.kind {
            Kind::Hotp => factor.last_accepted.map_or(0, |last| last + 1),
            Kind::Totp { period } => factor.drift.apply(time_step(self.now, period)),
        };
        base.saturating_add_signed(ahead)
    }

    fn code(&self, factor: &Factor, counter: u64, is_wrong: bool) -> Code {
        // A code of a seed that nobody has.
        let seed =
            if is_wrong { Seed::new(std::vec![99; 20]).unwrap() } else { factor.seed.clone() };
        code_of(&Factor { seed, ..factor.clone() }, counter)
    }
}

/// Nothing waits, because other tests try throttling.
fn throttle() -> ThrottleRules {
    ThrottleRules { free_failures: u32::MAX, lock_after: u32::MAX, ..THROTTLE_RULES }
}

fn enrollment_rules(skew: u64) -> EnrollmentRules {
    EnrollmentRules { unverified_lifetime: 600, max_factors: 9, skew }
}
