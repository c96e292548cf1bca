//! Who is asked about a password of a scanned text, and that nobody is who was not named. Real
//! servers are asked in `tests/live/logins.py`.

use std::collections::BTreeMap;
use std::sync::Arc;

use straykey::detector::template::expand;
use straykey::detector::{DetectorSet, VerifierClass};
use straykey::model::{Outcome, Reason};
use straykey::verify::{self, Settings};

use super::findings;

fn settings(hosts: &[&str]) -> Settings {
    Settings {
        classes: VerifierClass::ALL.into(),
        hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
        ..Settings::default()
    }
}

/// What would be asked about the secrets of `template`: verifiers and addresses, or outcomes.
fn plan(template: &str, settings: &Settings) -> Vec<String> {
    let set = Arc::new(DetectorSet::builtin());
    let text = expand(template, 5).expect("a template").text;
    let found = findings(&set, &text);
    let plan = verify::plan(&found, &set, settings);
    let planned = plan.findings.iter().map(|it| match it.calls.as_slice() {
        [] => it.outcome.expect("no call, an outcome").to_string(),
        calls => {
            let verifier = it.verifier.as_deref().unwrap_or_default();
            let urls: Vec<_> = calls.iter().map(|call| call.url.as_str()).collect();
            format!("{verifier} {}", urls.join(" "))
        }
    });
    planned.collect()
}

#[test]
fn an_address_says_in_which_protocol_its_server_is_asked() {
    let named = settings(&["*.acme.example"]);
    for (template, expected) in [
        (
            "postgres://app:{{alnum:16}}@db.acme.example/shop?sslmode=disable",
            "postgres-login@1 postgres://db.acme.example:5432",
        ),
        (
            "postgresql+psycopg2://app:{{alnum:16}}@db.acme.example:6543/shop",
            "postgres-login@1 postgres://db.acme.example:6543",
        ),
        (
            "mysql+pymysql://app:{{alnum:16}}@db.acme.example/shop",
            "mysql-login@1 mysql://db.acme.example:3306",
        ),
        (
            "dsn := \"app:{{alnum:16}}@tcp(db.acme.example:3307)/shop\"",
            "mysql-login@1 mysql://db.acme.example:3307",
        ),
        (
            "mongodb://app:{{alnum:16}}@db.acme.example/shop",
            "mongodb-login@1 mongodb://db.acme.example:27017",
        ),
        (
            "rediss://:{{alnum:24}}@cache.acme.example",
            "redis-login@1 redis://cache.acme.example:6379",
        ),
        (
            "amqps://app:{{alnum:16}}@mq.acme.example/app",
            "amqp-login@1 amqp://mq.acme.example:5671",
        ),
        (
            "ldaps://cn=reader:{{alnum:16}}@dir.acme.example",
            "ldap-login@1 ldap://dir.acme.example:636",
        ),
        (
            "smtps://robot%40acme.example:{{alnum:20}}@mail.acme.example",
            "smtp-login@1 smtp://mail.acme.example:465",
        ),
        (
            "imap://robot:{{alnum:20}}@mail.acme.example",
            "imap-login@1 imap://mail.acme.example:143",
        ),
        (
            "wget ftp://deploy:{{alnum:14}}@files.acme.example/build.zip",
            "ftp-login@1 ftp://files.acme.example:21",
        ),
        (
            "jdbc:postgresql://db.acme.example:5432/shop?user=app&password={{alnum:16}}",
            "postgres-login@1 postgres://db.acme.example:5432",
        ),
        (
            "Driver={MySQL ODBC 8.0 Driver};Server=db.acme.example;Database=shop;Uid=app;Pwd={{alnum:12}};",
            "mysql-login@1 mysql://db.acme.example:3306",
        ),
        (
            "db.acme.example:5432:shop:app:{{alnum:16}}\n",
            "postgres-login@1 postgres://db.acme.example:5432",
        ),
        (
            "host=db.acme.example port=5433 user=app password={{alnum:12}} dbname=shop",
            "postgres-login@1 postgres://db.acme.example:5433",
        ),
        (
            "mysqldump -h db.acme.example -ushop -p{{alnum:12}} shop > shop.sql",
            "mysql-login@1 mysql://db.acme.example:3306",
        ),
        (
            "redis-cli -h cache.acme.example -a {{alnum:24}} ping",
            "redis-login@1 redis://cache.acme.example:6379",
        ),
        (
            "DB_HOST=db.acme.example\nDB_PORT=3306\nDB_USER=app\nDB_PASSWORD={{alnum:14}}\n",
            "login-by-port@1 mysql://db.acme.example:3306",
        ),
    ] {
        assert!(
            plan(template, &named).contains(&expected.to_owned()),
            "{template}: {:?}",
            plan(template, &named)
        );
    }
}

#[test]
fn who_was_not_named_is_not_asked() {
    let url = "postgres://app:{{alnum:16}}@db.acme.example/shop";
    let skipped = |reason| vec![Outcome::Skipped(reason).to_string()];
    for hosts in [
        &[][..],
        &["acme.example"],
        &["db.acme.example.evil"],
        &["*.db.acme.example"],
    ] {
        assert_eq!(
            plan(url, &settings(hosts)),
            skipped(Reason::HostNotAllowed),
            "{hosts:?}"
        );
    }
    let mild = Settings {
        hosts: vec!["*.acme.example".into()],
        ..Settings::default()
    };
    assert_eq!(plan(url, &mild), skipped(Reason::NotOptedIn));
    let listed = "mongodb+srv://app:{{alnum:16}}@db.acme.example/shop";
    let named = settings(&["*.acme.example"]);
    assert_eq!(plan(listed, &named), skipped(Reason::NoEndpoint));
    let trap = "postgres://app:{{alnum:16}}@x.canarytokens.com/shop";
    let everywhere = settings(&["*.canarytokens.com"]);
    assert_eq!(plan(trap, &everywhere), ["canary"]);
}

#[test]
fn the_users_address_replaces_that_of_the_text() {
    let url = "mongodb+srv://app:{{alnum:16}}@db.acme.example/shop";
    let endpoint = |to: &str| Settings {
        endpoints: BTreeMap::from([("mongodb".to_owned(), to.to_owned())]),
        ..settings(&[])
    };
    assert_eq!(
        plan(url, &endpoint("mongodb://a.acme.example:27018")),
        ["mongodb-login@1 mongodb://a.acme.example:27018"]
    );
    assert!(verify::is_base("mongodb://a.acme.example:27018"));
    for base in [
        "mongodb://app@a.acme.example",
        "gopher://a.acme.example",
        "a.acme.example",
    ] {
        assert!(!verify::is_base(base), "{base}");
    }
}

#[test]
fn a_user_of_a_server_is_tried_once() {
    let two = "postgres://app:{{alnum:16}}@db.acme.example/shop
        postgres://app:{{alnum:16}}@db.acme.example/stock
        postgres://other:{{alnum:16}}@db.acme.example/shop\n";
    let planned = plan(two, &settings(&["*.acme.example"]));
    let second = Outcome::Skipped(Reason::LoginNotAllowed).to_string();
    let asked = |it: &&String| it.starts_with("postgres-login@1 ");
    assert_eq!(planned.iter().filter(asked).count(), 2, "{planned:?}");
    assert_eq!(planned.iter().filter(|it| **it == second).count(), 1);
}
