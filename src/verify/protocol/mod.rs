//! The verifiers that are code: request signing and login protocols. One file each, and one line
//! in [`PROTOCOLS`].

mod amqp;
mod assertion;
mod atlas;
mod aws;
mod azure;
mod basic;
mod bson;
mod by_port;
mod der;
mod digest;
mod ftp;
mod gcp;
mod github_app;
mod imap;
mod jwt;
mod kubernetes;
mod ldap;
mod login;
mod mongodb;
mod mysql;
mod postgres;
mod redis;
mod registry;
mod replies;
mod rsa;
mod scram;
mod smtp;
mod ssh;
mod ssh_key;
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

    /// Whether an address beside the secret says better how to ask.
    fn yields(&self) -> bool {
        false
    }
}

/// All of them.
pub(crate) const PROTOCOLS: &[&dyn Protocol] = &[
    &amqp::LOGIN,
    &atlas::Atlas,
    &aws::Sts,
    &azure::AccountKey,
    &azure::Service::Batch,
    &azure::Service::Configuration,
    &azure::Service::Cosmos,
    &azure::Service::Messaging,
    &azure::Signature,
    &basic::Basic,
    &by_port::ByPort,
    &ftp::LOGIN,
    &gcp::RefreshToken,
    &gcp::ServiceAccount,
    &github_app::App,
    &imap::LOGIN,
    &jwt::Issuer,
    &kubernetes::ClientKey,
    &kubernetes::Token::Kubeconfig,
    &kubernetes::Token::ServiceAccount,
    &ldap::LOGIN,
    &mongodb::LOGIN,
    &mysql::LOGIN,
    &postgres::LOGIN,
    &redis::LOGIN,
    &registry::Registry,
    &smtp::LOGIN,
    &ssh::Offer,
];

/// A revocation that is code: a verifier whose live says that it is done.
pub(crate) struct Revocation {
    /// Ids of the detectors whose secrets it ends.
    pub(crate) serves: &'static [&'static str],
    /// What it does, in a sentence.
    pub(crate) effect: &'static str,
    pub(crate) who: &'static dyn Verifier,
}

/// All of them.
pub(crate) const REVOCATIONS: &[Revocation] = &[aws::DEACTIVATION];

/// The revocation by code of secrets of `detector`.
pub(crate) fn revocation(detector: &str) -> Option<&'static Revocation> {
    REVOCATIONS.iter().find(|it| it.serves.contains(&detector))
}

/// The protocol for secrets of `detector`, or for passwords of addresses with `scheme`. One that is
/// for a kind of secret and no scheme has it whatever address stands beside.
pub(crate) fn of(detector: &str, scheme: Option<&str>) -> Option<&'static dyn Verifier> {
    let bound = PROTOCOLS.iter().find(|it| {
        let has_none = it.schemes().is_empty() && !(it.yields() && scheme.is_some());
        has_none && it.serves().contains(&detector)
    });
    let found = bound.or_else(|| match scheme {
        Some(scheme) => by_scheme(scheme),
        None => PROTOCOLS.iter().find(|it| it.serves().contains(&detector)),
    });
    found.map(|it| *it as &dyn Verifier)
}

/// The protocol of addresses with `scheme`, behind which a driver may stand: `mysql+pymysql`.
fn by_scheme(scheme: &str) -> Option<&'static &'static dyn Protocol> {
    let of = |scheme: &str| {
        let mut all = PROTOCOLS.iter();
        all.find(|it| it.schemes().contains(&scheme))
    };
    of(scheme).or_else(|| of(login::plain(scheme)))
}

/// Whether `url` says where a server is that such a protocol is spoken with: `ldap://dir.example`.
pub(crate) fn is_place(url: &str) -> bool {
    login::Place::of(url).is_ok_and(|place| place.is_of_protocol())
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
        let port = name("generic-password", None);
        assert_eq!(port.as_deref(), Some("login-by-port@1"));
        let address = name("generic-password", Some("postgresql+psycopg2"));
        assert_eq!(address.as_deref(), Some("postgres-login@1"));
        assert_eq!(name("stripe-access-token", None), None);
    }
}
