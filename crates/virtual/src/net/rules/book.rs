//! All rules with what was looked up under them: what they come to.

use super::RuleId;
use super::pins::Pins;
use super::rule::Rule;
use std::net::SocketAddr;
use wasi_host_core::net::SocketAddrUse;

#[derive(Debug, Default)]
pub(super) struct Book {
    rules: Vec<(RuleId, Verdict, Rule)>,
    count: u64,
    pub(super) pins: Pins,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Allow,
    Deny,
}

/// What may be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lookups {
    Denied,
    /// There is a rule for this name, so that it matters what it stands for.
    Pinned,
    /// Nothing depends on it.
    Free,
}

impl Book {
    pub(super) fn add(&mut self, verdict: Verdict, rule: Rule) -> RuleId {
        self.count += 1;
        let id = RuleId(self.count);
        self.rules.push((id, verdict, rule));
        self.forget_what_is_denied();
        id
    }

    pub(super) fn remove(&mut self, id: RuleId) -> bool {
        let before = self.rules.len();
        self.rules.retain(|(own, ..)| *own != id);
        self.forget_what_is_denied();
        self.rules.len() < before
    }

    fn forget_what_is_denied(&mut self) {
        let mut pins = std::mem::take(&mut self.pins);
        pins.retain(|name| self.lookups(name) == Lookups::Pinned);
        self.pins = pins;
    }

    fn any(&self, verdict: Verdict, holds: impl Fn(&Rule) -> bool) -> bool {
        self.rules.iter().any(|(_, own, rule)| *own == verdict && holds(rule))
    }

    /// Whether an address may be used in this way.
    pub(super) fn permits(&self, addr: SocketAddr, to: SocketAddrUse) -> bool {
        // All who are about to send have to be bound; that alone speaks to nobody.
        if to == SocketAddrUse::UdpBind && addr.ip().is_unspecified() && addr.port() == 0 {
            return true;
        }
        self.covers(Verdict::Allow, addr, Some(to)) && !self.covers(Verdict::Deny, addr, Some(to))
    }

    /// Whether what comes from an address is to be heard. None needs to be allowed for that.
    pub(super) fn hears(&self, from: SocketAddr) -> bool {
        !self.covers(Verdict::Deny, from, None)
    }

    fn covers(&self, verdict: Verdict, addr: SocketAddr, to: Option<SocketAddrUse>) -> bool {
        self.any(verdict, |rule| rule.covers(addr, to)) || {
            let by_name =
                |name: &str| self.any(verdict, |rule| rule.names(name) && rule.covers_port(addr.port(), to));
            self.pins.names(addr.ip()).any(by_name)
        }
    }

    /// Whether one more name can be pinned. For one that has a rule of its own there is room always: guests choose names
    /// beneath others, and shall not take it from one another.
    pub(super) fn has_room(&self, name: &str) -> bool {
        !self.pins.is_full() || self.rules.iter().any(|(_, _, rule)| rule.name() == Some(name))
    }

    /// Whether a name, in its canonical form, may be looked up.
    pub(super) fn lookups(&self, name: &str) -> Lookups {
        let means = |rule: &Rule| rule.names(name) || rule.is_for_any_host();
        if !self.any(Verdict::Allow, means) || self.any(Verdict::Deny, |rule| rule.is_whole() && means(rule))
        {
            Lookups::Denied
        } else if self.rules.iter().any(|(_, _, rule)| rule.names(name)) {
            Lookups::Pinned
        } else {
            Lookups::Free
        }
    }
}
