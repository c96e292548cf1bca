//! Traps: credentials that report whoever uses them. They are told without being used, and their
//! hosts are not even looked up.

/// AWS accounts whose keys are traps of Thinkst, and those that other traps were seen in, as
/// TruffleHog's AWS detector lists them.
const ACCOUNTS: &[&str] = &[
    "052310077262",
    "171436882533",
    "534261010715",
    "595918472158",
    "717712589309",
    "819147034852",
    "992382622183",
    "730335385048",
    "266735846894",
    "893192397702",
    "044858866125",
    "251535659677",
    "344043088457",
    "351906852752",
    "390477818340",
    "426127672474",
    "427150556519",
    "439872796651",
    "445142720921",
    "465867158099",
    "637958123769",
    "693412236332",
    "732624840810",
    "735421457923",
    "959235150393",
    "982842642351",
];

/// Domains of trap services.
const DOMAINS: &[&str] = &[
    "canarytokens.com",
    "canarytokens.net",
    "canarytokens.org",
    "canary.tools",
];

/// Whether keys of the AWS account with this number are traps.
pub(crate) fn is_account(number: &str) -> bool {
    ACCOUNTS.contains(&number)
}

/// Whether `host`, in any case, belongs to a trap service.
pub(crate) fn is_host(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let below = |domain: &&str| {
        host.strip_suffix(*domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    DOMAINS.iter().any(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_compared_by_label() {
        assert!(is_host("CanaryTokens.com"));
        assert!(is_host("x.y.canarytokens.org."));
        assert!(!is_host("notcanarytokens.com"));
        assert!(!is_host("canarytokens.com.example"));
    }

    #[test]
    fn accounts_have_twelve_digits() {
        for account in ACCOUNTS {
            assert!(
                account.len() == 12 && account.bytes().all(|c| c.is_ascii_digit()),
                "{account}"
            );
        }
        assert!(is_account("052310077262") && !is_account("123456789012"));
    }
}
