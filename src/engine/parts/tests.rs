use std::fmt::Write as _;
use std::sync::Arc;

use super::*;
use crate::detector::template;
use crate::engine::Scratch;
use crate::model::Blob;

/// A detector of `acme_` and eight digits with these parts.
fn acme(rules: Vec<PartRule>) -> Engine {
    let builtin = DetectorSet::builtin();
    let (_, any) = builtin.find("aws-access-key-id").expect("built in");
    let pattern =
        |id: &'static str, keyword: &'static str, pattern: &'static str, parts| Detector {
            id: id.into(),
            keywords: vec![keyword.into()].into(),
            pattern: pattern.into(),
            max_len: 16,
            max_lead: 0,
            starts_word: false,
            required: "".into(),
            min_entropy: 0.0,
            proof: None,
            parts,
            ..any.clone()
        };
    let key = pattern(
        "acme-key",
        "acme_",
        r"(?<secret>acme_[0-9]{8})",
        rules.into(),
    );
    let id = pattern(
        "acme-id",
        "aid_",
        r"(?<secret>aid_[0-9]{8})",
        Vec::new().into(),
    );
    Engine::new(Arc::new(DetectorSet::new(vec![key, id])))
}

fn rule(name: &'static str, find: FindPart) -> PartRule {
    PartRule {
        name: name.into(),
        find,
        lines: 10,
        same_block: false,
        shown: true,
        required: false,
    }
}

fn names(names: &[&'static str], shapes: &[&str]) -> FindPart {
    let shape = |text: &&str| crate::detector::Shape::parse(text).expect("a shape");
    FindPart::Names {
        names: names.iter().map(|&name| name.into()).collect(),
        shapes: shapes.iter().map(shape).collect(),
    }
}

/// The parts of the first secret of `acme-key`, or of the only kind, in `text`:
/// `name=value@line+distance`, what is not shown with a `!`.
fn parts(engine: &Engine, text: &[u8]) -> String {
    let mut found = Vec::new();
    let mut emit = |m| found.push(m);
    engine.scan(&Blob::new(text), &mut Scratch::default(), &mut emit);
    let utf16 = decode::utf16(text);
    let place = |m: &Match| utf16.as_ref().map_or(m.span, |text| text.decoded(m.span));
    let all: Vec<_> = found
        .iter()
        .map(|m| Neighbour {
            detector: m.detector,
            span: place(m),
            secret: m.secret.clone(),
        })
        .collect();
    let first = found
        .iter()
        .find(|m| engine.detectors.get(m.detector).id != "acme-id");
    let first = first.expect("a secret");
    let lines = LineIndex::new(utf16.as_ref().map_or(text, |text| text.bytes()));
    let mut out = String::new();
    for part in engine.parts(&lines, first, place(first), &all, &mut Memory::default()) {
        let value = String::from_utf8_lossy(part.value.expose());
        let mark = if part.shown { "" } else { "!" };
        let (name, line, distance) = (part.name, part.line, part.distance);
        write!(out, " {mark}{name}={value}@{line}+{distance}").expect("a String takes all");
    }
    out.trim_start().to_owned()
}

/// The parts that the built-in detectors see in `template`.
fn builtin(template: &str) -> String {
    thread_local! {
        static ENGINE: Engine = Engine::new(Arc::new(DetectorSet::builtin()));
    }
    let text = template::expand(template, 3).expect("a template").text;
    ENGINE.with(|engine| parts(engine, text.as_bytes()))
}

const SECRET: &str = "acme_14708235";
const OTHER: &str = "aid_25913608";

#[test]
fn a_pattern_finds_the_nearest_first() {
    let engine = acme(vec![rule(
        "id",
        FindPart::Pattern(r"\b(?<part>id-[a-z]{2})\b".into()),
    )]);
    let text = format!("id-aa\n\nid-bb\n{SECRET}\nid-cc id-bb\n");
    assert_eq!(
        parts(&engine, text.as_bytes()),
        "id=id-bb@3+1 id=id-cc@5+1 id=id-aa@1+3"
    );
}

#[test]
fn at_most_eight_of_a_name_within_the_lines_of_the_rule() {
    let find = FindPart::Pattern(r"\b(?<part>id-[a-z]{2})\b".into());
    let near = PartRule {
        lines: 1,
        ..rule("id", find.clone())
    };
    let far = format!("id-aa\n\n{SECRET}\n");
    assert_eq!(parts(&acme(vec![near]), far.as_bytes()), "");
    let block = PartRule {
        same_block: true,
        ..rule("id", find.clone())
    };
    assert_eq!(parts(&acme(vec![block.clone()]), far.as_bytes()), "");
    let section = format!("id-aa\n[acme]\n{SECRET}\nid-bb\n");
    assert_eq!(
        parts(&acme(vec![block]), section.as_bytes()),
        "id=id-bb@4+1"
    );
    let ids: String = ('a'..='l').map(|c| format!("id-z{c} ")).collect();
    let many = format!("{ids}{SECRET}");
    let found = parts(&acme(vec![rule("id", find)]), many.as_bytes());
    assert_eq!(found.split(' ').count(), 8);
    assert!(found.starts_with("id=id-zl@1+0 id=id-zk@1+0 "));
}

#[test]
fn a_key_gives_its_value() {
    let engine = acme(vec![rule(
        "account",
        names(&["accountid", "account"], &["digits:4"]),
    )]);
    for text in [
        "ACME_ACCOUNT_ID=4711\nACME_KEY=SECRET",
        "accountId: '4711'\nkey: SECRET",
        "{\"account\": 4711, \"key\": \"SECRET\"}",
        "--account 4711 --key SECRET",
    ] {
        let found = parts(&engine, text.replace("SECRET", SECRET).as_bytes());
        assert!(found.starts_with("account=4711@1+"), "{text}: {found}");
    }
    for text in [
        "ACCOUNT=47111\nKEY=SECRET",
        "ACCOUNTING=4711\nKEY=SECRET",
        "if account == 4711: use('SECRET')",
        "account SECRET 4711",
    ] {
        assert_eq!(
            parts(&engine, text.replace("SECRET", SECRET).as_bytes()),
            "",
            "{text}"
        );
    }
}

#[test]
fn another_finding_is_a_part_that_is_not_shown() {
    let hidden = PartRule {
        shown: false,
        ..rule("id", FindPart::Detector("acme-id".into()))
    };
    let engine = acme(vec![hidden]);
    let text = format!("{OTHER}\n{SECRET}\n");
    assert_eq!(parts(&engine, text.as_bytes()), format!("!id={OTHER}@1+1"));
    let inside =
        data_encoding::BASE64.encode(format!("the id {OTHER} and key {SECRET}").as_bytes());
    let text = format!("\n\nx {inside}\n");
    assert_eq!(parts(&engine, text.as_bytes()), format!("!id={OTHER}@3+0"));
}

#[test]
fn what_another_secret_covers_is_not_shown_whatever_the_rule_says() {
    let engine = acme(vec![rule(
        "id",
        FindPart::Pattern("(?<part>aid_[0-9]{8})".into()),
    )]);
    let text = format!("{OTHER} {SECRET}");
    assert_eq!(parts(&engine, text.as_bytes()), format!("!id={OTHER}@1+0"));
    let inside =
        data_encoding::BASE64.encode(format!("the id {OTHER} and key {SECRET}").as_bytes());
    assert_eq!(
        parts(&engine, inside.as_bytes()),
        format!("!id={OTHER}@1+0")
    );
}

#[test]
fn a_match_around_the_secret_holds_the_part() {
    let engine = acme(vec![rule(
        "user",
        FindPart::Inside(r"-u (?<part>[a-z]{1,9}):acme_\d{8}".into()),
    )]);
    let text = format!("-u eve:acme_xyz; run -u bob:{SECRET}\n");
    assert_eq!(parts(&engine, text.as_bytes()), "user=bob@1+0");
    let text = format!("-u bob:acme_00000000\n{SECRET}\n");
    assert_eq!(parts(&engine, text.as_bytes()), "user=bob@1+0");
}

#[test]
fn placeholders_references_and_templates_are_none() {
    let engine = acme(vec![rule("host", names(&["host"], &[]))]);
    for value in [
        "<host>",
        "${HOST}",
        "$HOST",
        "{{ host }}",
        "your-host",
        "xxxxxxxx",
        "changeme",
        "null",
    ] {
        let text = format!("HOST={value}\nKEY={SECRET}\n");
        assert_eq!(parts(&engine, text.as_bytes()), "", "{value}");
    }
    for value in ["db.example", "localhost", "10.0.0.1", "db"] {
        let text = format!("HOST={value}\nKEY={SECRET}\n");
        assert_eq!(parts(&engine, text.as_bytes()), format!("host={value}@1+1"));
    }
}

#[test]
fn encoded_texts_have_parts_too() {
    let engine = acme(vec![rule("host", names(&["host"], &[]))]);
    let text = format!("HOST=db.acme\nKEY={SECRET}\n");
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(parts(&engine, &utf16), "host=db.acme@1+1");
    let once = data_encoding::BASE64.encode(text.as_bytes());
    assert_eq!(
        parts(&engine, format!("\ndata: {once}\n").as_bytes()),
        "host=db.acme@2+1"
    );
    let twice = data_encoding::BASE64.encode(format!("data: {once}\n").as_bytes());
    assert_eq!(parts(&engine, twice.as_bytes()), "host=db.acme@1+1");
}

#[test]
fn a_password_has_the_user_and_server_beside_it() {
    for (template, expected) in [
        (
            "DB_HOST=db.acme\nDB_PORT=5432\nDB_NAME=shop\nDB_USER=app\nDB_PASSWORD={{alnum:14}}\nREDIS_HOST=r",
            "user=app@4+1 host=db.acme@1+4 port=5432@2+3 database=shop@3+2",
        ),
        (
            "db:\n  host: db.acme\n  username: app\n  password: {{alnum:14}}\nother:\n  user: eve\n",
            "user=app@3+1 host=db.acme@2+2",
        ),
        (
            "spring.datasource.url=jdbc:mysql://db.acme:3306/shop\nspring.datasource.username=app\nspring.datasource.password={{alnum:14}}\n",
            "user=app@2+1 host=db.acme@1+2 port=3306@1+2 database=shop@1+2 scheme=mysql@1+2",
        ),
        (
            "[{\"user\": \"app\", \"password\": \"{{alnum:14}}\"}, {\"user\": \"eve\"}]",
            "user=app@1+0",
        ),
        (
            "connect(\n    host=\"db.acme\",\n    user=user,\n    password=\"{{alnum:14}}\")",
            "host=db.acme@2+2",
        ),
        (
            "\"Server=tcp:db.acme,1433;Database=shop;User Id=app;Password={{alnum:14}};\"",
            "user=app@1+0 host=db.acme@1+0 port=1433@1+0 database=shop@1+0",
        ),
        (
            "postgres://app:{{alnum:14}}@db.acme:5432/shop",
            "user=app@1+0 host=db.acme@1+0 port=5432@1+0 database=shop@1+0 scheme=postgres@1+0",
        ),
        (
            "curl \\\n  -u bot:{{alnum:14}} \\\n  https://api.acme/v1",
            "user=bot@2+0 host=api.acme@3+1 scheme=https@3+1",
        ),
        (
            "client_id: shop-4711\nclient_secret: {{alnum:32}}\n",
            "client_id=shop-4711@1+1",
        ),
        (
            "login(\n  'host': 'db.acme',\n  'user': 'app',\n  'dsn': 'PWD={{alnum:14}};UID=app',\n)",
            "user=app@4+0 host=db.acme@2+2",
        ),
        (
            "-- user: app\nALTER USER app IDENTIFIED BY '{{alnum:14}}';\n\nuser: eve\n",
            "user=app@2+0",
        ),
        (
            "schema: acme/v1\nuser: the name\npassword: {{alnum:14}}\n",
            "",
        ),
        ("password: {{alnum:14}}\n\nuser: eve\n", ""),
        ("user: ${USER}\npassword: {{alnum:14}}\n", ""),
        ("db:\n  user: eve\npassword: {{alnum:14}}\n", ""),
    ] {
        assert_eq!(builtin(template), expected, "{template}");
    }
}

#[test]
fn a_token_sent_as_user_is_not_shown() {
    let found = builtin("DB_USER={{alnum:40}}\nDB_PASSWORD={{alnum:14}}\n");
    assert!(found.starts_with("!user="), "{found}");
}

#[test]
fn a_basic_header_tells_its_user() {
    let found = builtin("Authorization: Basic {{basic:robot:16}}\n");
    assert_eq!(found, "user=robot@1+0");
}
