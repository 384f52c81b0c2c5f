//! The settings of sudoers that count on this host, in the order in which sudo applies them.

use super::Sudoers;
use super::setting::{Reach, Scope, Setting};

impl Sudoers {
    /// Returns the scope of a setting, as the line says.
    pub(crate) fn scope(&self, setting: &Setting) -> Scope {
        setting.scope_of(&self.aliases)
    }

    pub(super) fn reach(&self, setting: &Setting) -> Reach {
        setting.reach(&self.aliases, &self.hosts)
    }

    /// Returns the last setting of this name for everybody on this host.
    pub(crate) fn global(&self, name: &str) -> Option<&Setting> {
        let mut named = self.settings_of_name(name).into_iter();
        named.rfind(|setting| self.reach(setting) == Reach::Everybody)
    }

    /// Returns the settings of this name that are not for every host and user, without those for
    /// other hosts.
    pub(crate) fn scoped(&self, name: &str) -> impl Iterator<Item = &Setting> {
        self.scoped_or_global(name).filter(|setting| setting.scope.is_some())
    }

    /// Returns the settings of this name, without those for other hosts.
    pub(super) fn scoped_or_global(&self, name: &str) -> impl Iterator<Item = &Setting> {
        let named = self.settings_of_name(name).into_iter();
        named.filter(|setting| self.reach(setting) != Reach::Nobody)
    }

    /// Returns the settings of this name that turn it on, or off, on this host, and that no later
    /// line takes back.
    pub(crate) fn in_force(&self, name: &str, is_negated: bool) -> Vec<(Reach, &Setting)> {
        self.in_force_if(name, &|setting| setting.is_negated == is_negated)
    }

    /// Returns the settings of this name with a value that is meant, on this host, which no later
    /// line replaces.
    pub(crate) fn in_force_if(
        &self,
        name: &str,
        is_meant: &dyn Fn(&Setting) -> bool,
    ) -> Vec<(Reach, &Setting)> {
        let named: Vec<_> = self
            .settings_of_name(name)
            .into_iter()
            .map(|setting| (self.reach(setting), setting))
            .collect();
        let is_taken_back = |at: usize, (reach, setting): (Reach, &Setting)| {
            let later = named.iter().skip(at + 1);
            let mut opposite = later.filter(|(_, other)| !is_meant(other));
            opposite.any(|(of, other)| match of {
                Reach::Nobody => false,
                Reach::Everybody => true,
                Reach::Some => reach == Reach::Some && other.scope == setting.scope,
            })
        };
        let is_found =
            |(reach, setting): (Reach, &Setting)| reach != Reach::Nobody && is_meant(setting);
        let all = named.iter().copied().enumerate();
        all.filter(|(at, found)| is_found(*found) && !is_taken_back(*at, *found))
            .map(|(_, found)| found)
            .collect()
    }

    /// Returns the settings of this name in the order in which sudo applies them.
    fn settings_of_name(&self, name: &str) -> Vec<&Setting> {
        let mut named: Vec<_> =
            self.settings.iter().filter(|setting| setting.name == name).collect();
        named.sort_by_key(|setting| setting.stage());
        named
    }
}
