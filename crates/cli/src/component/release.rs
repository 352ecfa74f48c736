//! The releases of WASI for components, as the names of interfaces tell them.

use crate::options::RunOptions;

/// A release of WASI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Release {
    /// 0.2
    P2,
    /// 0.3
    P3,
}

/// What to do with a component that needs 0.3 where that is off.
pub(super) const P3_OFF: &str = "WASI 0.3 is switched off: leave out -S p3=n";

/// What of WASI is here: `wasi:PACKAGE/`.
const PACKAGES: [&str; 6] = ["cli", "clocks", "filesystem", "io", "random", "sockets"];

impl Release {
    /// That of an interface, known or not, of a package that is here. Drafts are of none.
    pub(super) fn of(name: &str) -> Option<Self> {
        let (interface, version) = name.split_once('@')?;
        if !is_ours(interface) || version.contains('-') {
            return None;
        }
        [Self::P2, Self::P3].into_iter().find(|release| version.starts_with(release.prefix()))
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::P2 => "0.2.",
            Self::P3 => "0.3.",
        }
    }

    /// An interface with the version that the linker knows it by; it serves every other of the release with it.
    pub(super) fn known_as(self, interface: &str) -> String {
        let interface = interface.split('@').next().unwrap_or_default();
        let version = match self {
            Self::P2 => "0.2.12",
            Self::P3 => "0.3.2",
        };
        format!("{interface}@{version}")
    }

    /// Whether the options leave it on.
    pub(super) fn is_on(self, options: &RunOptions) -> bool {
        self == Self::P2 || options.common.wasi.p3 != Some(false)
    }
}

/// Whether an interface, without or with a version, is of a package that is here.
pub(super) fn is_ours(interface: &str) -> bool {
    let package = interface.strip_prefix("wasi:").and_then(|rest| rest.split_once('/'));
    package.is_some_and(|(package, _)| PACKAGES.contains(&package))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_release() {
        for (name, release) in [
            ("wasi:cli/run@0.2.0", Some(Release::P2)),
            ("wasi:io/no-such-thing@0.2.99", Some(Release::P2)),
            ("wasi:clocks/types@0.3.0", Some(Release::P3)),
            ("wasi:clocks/types@0.3.2", Some(Release::P3)),
            ("wasi:clocks/types@0.3.0-rc-2025-09-16", None),
            ("wasi:clocks/types@0.4.0", None),
            ("wasi:clocks/types", None),
            ("wasi:http/types@0.3.0", None),
            ("my:clocks/types@0.3.0", None),
        ] {
            assert_eq!(Release::of(name), release, "{name}");
        }
        assert_eq!(Release::P3.known_as("wasi:cli/run@0.3.0"), "wasi:cli/run@0.3.2");
    }
}
