//! The interface `org.totpd.Totp1.Manager`.

use totpd_interface::arguments::Arguments;
use zbus::OwnedFd;

use crate::dispatch::call::{Answer, Call, Refusal};
use crate::manage::Manager;

/// Calls the method of the name `member`, and writes its reply.
pub(crate) async fn dispatch(manager: &Manager, call: &Call<'_>, member: &str) -> Answer {
    let origin = call.origin;
    match member {
        "Enroll" => {
            let (user, Arguments(options)) = call.arguments("sa{sv}")?;
            call.reply(&manager.enroll(origin, user, &options).await?)
        }
        "Confirm" => {
            let (user, factor, code) = call.arguments("sss")?;
            call.reply(&manager.confirm(origin, user, factor, code).await?)
        }
        "RecoveryCodes" => {
            let (user, code) = call.arguments("ss")?;
            call.reply(&manager.recovery_codes(origin, user, code).await?)
        }
        "SetFactor" => {
            let (user, factor, Arguments(changes), code) = call.arguments("ssa{sv}s")?;
            call.reply(&manager.set_factor(origin, user, factor, &changes, code).await?)
        }
        "Remove" => {
            let (user, factor, code) = call.arguments("sss")?;
            call.reply(&manager.remove(origin, user, factor, code).await?)
        }
        "Import" => {
            let (user, factors, Arguments(options)): (_, Vec<Arguments>, _) =
                call.arguments("saa{sv}a{sv}")?;
            let factors: Vec<_> = factors.into_iter().map(|Arguments(factor)| factor).collect();
            call.reply(&manager.import(origin, user, &factors, &options).await?)
        }
        "Export" => {
            let (user,) = call.arguments("s")?;
            call.reply(&manager.export(origin, user).await?)
        }
        "Unlock" => {
            let (user,) = call.arguments("s")?;
            call.reply(&manager.unlock(origin, user).await?)
        }
        "Resync" => {
            let (user, factor, codes) = call.arguments("ssas")?;
            call.reply(&manager.resync(origin, user, factor, codes).await?)
        }
        "GetUser" => {
            let (user,) = call.arguments("s")?;
            call.reply(&manager.get_user(origin, user).await?)
        }
        "ListUsers" => {
            let (after, limit) = call.arguments("su")?;
            call.reply(&manager.list_users(origin, after, limit).await?)
        }
        "ListTrust" => {
            let (user,) = call.arguments("s")?;
            call.reply(&manager.list_trust(origin, user).await?)
        }
        "RevokeTrust" => {
            let (user,) = call.arguments("s")?;
            call.reply(&manager.revoke_trust(origin, user).await?)
        }
        "Explain" => {
            let (user, Arguments(login)) = call.arguments("sa{sv}")?;
            call.reply(&manager.explain(origin, user, &login).await?)
        }
        "CheckRules" => {
            let (path, content): (String, OwnedFd) = call.arguments("sh")?;
            call.reply(&manager.check_rules(origin, path, content.into()).await?)
        }
        "ListRules" => {
            call.no_arguments()?;
            call.reply(&manager.list_rules(origin).await?)
        }
        "RulesAt" => {
            let (services,) = call.arguments("as")?;
            call.reply(&manager.rules_at(origin, services).await?)
        }
        "Reload" => {
            call.no_arguments()?;
            call.reply(&manager.reload(origin).await?)
        }
        "Subscribe" => {
            call.no_arguments()?;
            call.reply(&manager.subscribe(origin).await?)
        }
        _ => Err(Refusal::NO_METHOD),
    }
}
