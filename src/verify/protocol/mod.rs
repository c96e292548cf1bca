//! The verifiers that are code: request signing and login protocols. One file each, and one line
//! in [`PROTOCOLS`].

mod aws;
mod azure;
mod basic;
mod gcp;
mod kubernetes;
mod registry;
mod web;

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
pub(crate) const PROTOCOLS: &[&dyn Protocol] = &[
    &aws::Sts,
    &azure::AccountKey,
    &azure::Signature,
    &azure::Service::Messaging,
    &azure::Service::Configuration,
    &azure::Service::Cosmos,
    &azure::Service::Batch,
    &basic::Basic,
    &gcp::ServiceAccount,
    &gcp::RefreshToken,
    &kubernetes::Token::Kubeconfig,
    &kubernetes::Token::ServiceAccount,
    &kubernetes::ClientKey,
    &registry::Registry,
];

/// The revocation by code of secrets of `detector`, and what it does.
pub(crate) fn revocation(_detector: &str) -> Option<(Box<dyn Verifier>, String)> {
    None
}

/// The protocol for secrets of `detector`, or for passwords of addresses with `scheme`. One that is
/// for a kind of secret and no scheme has it whatever address stands beside.
pub(crate) fn of(detector: &str, scheme: Option<&str>) -> Option<&'static dyn Verifier> {
    let mut all = PROTOCOLS.iter();
    let serves = |it: &&&dyn Protocol| it.serves().contains(&detector);
    let bound = all.find(|it| it.schemes().is_empty() && serves(it));
    let found = bound.or_else(|| {
        let mut all = PROTOCOLS.iter();
        match scheme {
            Some(scheme) => all.find(|it| it.schemes().contains(&scheme)),
            None => all.find(serves),
        }
    });
    found.map(|it| *it as &dyn Verifier)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_secret_goes_before_the_address_beside_it() {
        let name = |detector, scheme| of(detector, scheme).map(|it| it.name());
        for scheme in [None, Some("https"), Some("nonsense")] {
            let registry = name("docker-config-auth", scheme);
            assert_eq!(registry.as_deref(), Some("container-registry@1"));
        }
        let basic = name("generic-password", Some("https"));
        assert_eq!(basic.as_deref(), Some("http-basic@1"));
        let header = name("http-basic-auth-header", None);
        assert_eq!(header.as_deref(), Some("http-basic@1"));
        assert_eq!(name("generic-password", None), None);
    }
}
