//! The verifiers that are code: request signing and login protocols. One file each, and one line
//! in [`PROTOCOLS`].

use super::Verifier;

/// A verifier that is code.
pub(crate) trait Protocol: Verifier {
    /// Ids of the detectors whose secrets it asks about.
    fn serves(&self) -> &'static [&'static str];

    /// Schemes of addresses whose passwords it asks about: `postgres`.
    fn schemes(&self) -> &'static [&'static str] {
        &[]
    }
}

/// All of them.
pub(crate) const PROTOCOLS: &[&dyn Protocol] = &[];

/// The revocation by code of secrets of `detector`, and what it does.
pub(crate) fn revocation(_detector: &str) -> Option<(Box<dyn Verifier>, String)> {
    None
}

/// The protocol for secrets of `detector`, or for passwords of addresses with `scheme`.
pub(crate) fn of(detector: &str, scheme: Option<&str>) -> Option<&'static dyn Verifier> {
    let mut all = PROTOCOLS.iter();
    let found = match scheme {
        Some(scheme) => all.find(|it| it.schemes().contains(&scheme)),
        None => all.find(|it| it.serves().contains(&detector)),
    };
    found.map(|it| *it as &dyn Verifier)
}
