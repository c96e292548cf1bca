//! Tokens that name whose they are in plain text. Any random text of the shape names somebody, so
//! this informs and does not tell real from fake.

use super::{Candidate, Verdict, find};

/// `<number of the bot>:<secret>` (Telegram's Bot API, "Authorizing your bot").
pub(super) fn telegram_bot(candidate: Candidate<'_>) -> Verdict {
    named("Telegram bot ", candidate.secret(), u8::is_ascii_digit)
}

/// Workspaces in addresses of webhooks, and apps in app-level tokens: Slack's ids begin with a
/// letter for what they name, `T` and `A`.
pub(super) fn slack_ids(candidate: Candidate<'_>) -> Verdict {
    let secret = candidate.secret();
    let id = |c: &u8| c.is_ascii_uppercase() || c.is_ascii_digit();
    for (before, name) in [
        (&b"/services/T"[..], "Slack workspace "),
        (b"/workflows/T", "Slack workspace "),
        (b"/triggers/T", "Slack workspace "),
        (b"xapp-1-A", "Slack app "),
    ] {
        if let Some(at) = find(secret, before) {
            return named(name, &secret[at + before.len() - 1..], id);
        }
    }
    Verdict::Open
}

/// The mode of a Stripe key, which its prefix tells (Stripe's documentation, "API keys").
pub(super) fn stripe_mode(candidate: Candidate<'_>) -> Verdict {
    let secret = candidate.secret();
    let has = |word| find(&secret[..secret.len().min(16)], word).is_some();
    match (has(b"_live_"), has(b"_test_")) {
        (true, _) => Verdict::structure("Stripe, live mode", None),
        (_, true) => Verdict::structure("Stripe, test mode: it moves no money", None),
        _ => Verdict::Open,
    }
}

fn named(name: &str, text: &[u8], is_part: fn(&u8) -> bool) -> Verdict {
    let length = text.iter().take(24).take_while(|c| is_part(c)).count();
    match std::str::from_utf8(&text[..length]) {
        Ok(id) if length > 1 => Verdict::structure(format!("{name}{id}"), None),
        _ => Verdict::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::says;
    use super::*;

    #[test]
    fn plain_ids_are_read() {
        let is = |what: &str| Verdict::structure(what, None);
        says(
            "telegram-bot",
            "1234567890:AAH{{alnum:32}}",
            &is("Telegram bot 1234567890"),
        );
        says("telegram-bot", ":AAH{{alnum:32}}", &Verdict::Open);
        says(
            "slack-ids",
            "xapp-1-A012ABCDEF3-{{digits:13}}-{{hex:64}}",
            &is("Slack app A012ABCDEF3"),
        );
        says(
            "slack-ids",
            "https://hooks.slack.com/services/T012ABCDE/B{{digits:9}}/{{alnum:24}}",
            &is("Slack workspace T012ABCDE"),
        );
        says(
            "slack-ids",
            "xoxb-{{digits:11}}-{{alnum:24}}",
            &Verdict::Open,
        );
        says(
            "stripe-mode",
            "sk_live_{{alnum:24}}",
            &is("Stripe, live mode"),
        );
        says(
            "stripe-mode",
            "rk_test_{{alnum:24}}",
            &is("Stripe, test mode: it moves no money"),
        );
        says("stripe-mode", "sk_org_{{alnum:24}}", &Verdict::Open);
    }
}
