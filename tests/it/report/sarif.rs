//! SARIF against its schema, and against each defect that code scanning or viewers were seen to
//! punish in the output of other scanners.

use std::collections::BTreeSet;

use serde_json::Value;
use straykey::model::FindingId;
use straykey::report::{RenderOptions, Report};

use super::{fixture, render};

const SCHEMA: &str = include_str!("../data/sarif-schema-2.1.0.json");

const EVERYTHING: RenderOptions = RenderOptions {
    show_secrets: false,
    colour: false,
    sarif_history: true,
    sarif_suppressed: true,
};

fn sarif(report: &Report, options: &RenderOptions) -> Value {
    serde_json::from_str(&render("sarif", report, options)).expect("JSON")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

fn results(log: &Value) -> Vec<&Value> {
    list(&log["runs"])
        .iter()
        .flat_map(|run| list(&run["results"]))
        .collect()
}

fn rules(log: &Value) -> Vec<&Value> {
    list(&log["runs"])
        .iter()
        .flat_map(|run| list(&run["tool"]["driver"]["rules"]))
        .collect()
}

fn everything() -> Value {
    sarif(&fixture::report(0), &EVERYTHING)
}

fn tree_only() -> Value {
    sarif(&fixture::report(0), &RenderOptions::default())
}

/// Every object of the document.
fn objects<'a>(value: &'a Value, found: &mut Vec<&'a serde_json::Map<String, Value>>) {
    match value {
        Value::Object(object) => {
            found.push(object);
            object.values().for_each(|value| objects(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| objects(item, found)),
        _ => {}
    }
}

#[test]
fn it_follows_the_schema() {
    // The pattern of a language has a bracket too many, which strict regex engines refuse.
    let patched = SCHEMA.replace("-[a-zA-Z]{2}]?$", "-[a-zA-Z]{2}$");
    assert_ne!(patched, SCHEMA, "the schema still needs the patch");
    let schema: Value = serde_json::from_str(&patched).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let mut hostile = fixture::report(0);
    hostile.findings[0].occurrences[0].path = Some(b"a b\n\xff[1]:%|".to_vec());
    hostile.findings[1].occurrences[0].location = Default::default();
    for report in [
        fixture::report(0),
        fixture::clean(),
        hostile,
        fixture::two_roots(),
    ] {
        for options in [RenderOptions::default(), EVERYTHING] {
            let log = sarif(&report, &options);
            let errors: Vec<_> = validator
                .iter_errors(&log)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{errors:#?}");
        }
    }
    let mut wrong = everything();
    wrong["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["endColumn"] =
        0.into();
    assert!(!validator.is_valid(&wrong), "the schema refuses column 0");
}

#[test]
fn history_and_suppressed_findings_have_a_snapshot() {
    let text = render("sarif", &fixture::report(0), &EVERYTHING);
    insta::assert_snapshot!("sarif-everything", super::without_version(&text));
}

#[test]
fn a_clean_scan_has_an_empty_list_of_results() {
    let log = sarif(&fixture::clean(), &EVERYTHING);
    for run in list(&log["runs"]) {
        assert_eq!(run["results"], Value::Array(Vec::new()));
        assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    }
    assert_eq!(list(&log["runs"]).len(), 2);
}

#[test]
fn every_result_has_a_level_of_its_own_and_no_kind() {
    let log = everything();
    let levels: BTreeSet<_> = results(&log).iter().map(|it| text(&it["level"])).collect();
    assert_eq!(levels, BTreeSet::from(["error", "note", "warning"]));
    assert!(results(&log).iter().all(|it| it.get("kind").is_none()));
}

#[test]
fn every_rule_has_the_texts_and_properties_that_github_requires() {
    for rule in rules(&everything()) {
        for field in ["shortDescription", "fullDescription", "help"] {
            let text = text(&rule[field]["text"]);
            assert!(!text.is_empty());
            assert!(field == "help" || text.len() <= 1024);
        }
        let markdown = text(&rule["help"]["markdown"]);
        for part in ["Revoke", "History", "accepted", "straykey:ignore"] {
            assert!(markdown.contains(part), "{part}");
        }
        let severity = text(&rule["properties"]["security-severity"]);
        let severity: f64 = severity.parse().expect("a number in a string");
        assert!((0.1..=10.0).contains(&severity));
        let precision = text(&rule["properties"]["precision"]);
        assert!(["very-high", "high", "medium", "low"].contains(&precision));
        let tags: Vec<_> = list(&rule["properties"]["tags"]).iter().map(text).collect();
        assert!(tags.len() <= 10);
        for tag in [
            "security",
            "secret",
            "external/cwe/cwe-798",
            "owasp-nhi/nhi2",
        ] {
            assert!(tags.contains(&tag), "{tags:?}");
        }
        assert!(rule["defaultConfiguration"]["level"].is_string());
    }
}

#[test]
fn only_used_rules_are_listed_each_once_and_the_id_is_the_detectors() {
    for run in list(&everything()["runs"]) {
        let ids: Vec<_> = list(&run["tool"]["driver"]["rules"])
            .iter()
            .map(|rule| text(&rule["id"]))
            .collect();
        let used: BTreeSet<_> = list(&run["results"])
            .iter()
            .map(|it| text(&it["ruleId"]))
            .collect();
        assert_eq!(ids.iter().copied().collect::<BTreeSet<_>>(), used);
        assert_eq!(ids.len(), used.len());
        for result in list(&run["results"]) {
            let index = result["ruleIndex"].as_u64().expect("an index");
            assert_eq!(ids[index as usize], text(&result["ruleId"]));
        }
    }
    let mut set = fixture::report(0);
    set.findings.truncate(1);
    assert_eq!(
        text(&rules(&sarif(&set, &EVERYTHING))[0]["id"]),
        "acme-api-key"
    );
}

#[test]
fn fingerprints_are_code_scannings_hash_and_our_id_and_nothing_else() {
    for result in results(&everything()) {
        assert!(result.get("fingerprints").is_none());
        let prints = result["partialFingerprints"]
            .as_object()
            .expect("an object");
        let keys: Vec<_> = prints.keys().map(String::as_str).collect();
        assert_eq!(keys, ["primaryLocationLineHash", "straykey/secretId/v1"]);
        assert!(text(&prints["straykey/secretId/v1"]).starts_with("sk1_"));
        let (hash, count) = text(&prints["primaryLocationLineHash"])
            .split_once(':')
            .expect("hash:count");
        assert!(u64::from_str_radix(hash, 16).is_ok() && count.parse::<u32>().is_ok());
    }
}

#[test]
fn our_id_does_not_move_with_the_line() {
    let mut moved = fixture::report(0);
    moved.findings[0].occurrences[0].location.line += 7;
    let ids = |log: &Value| -> BTreeSet<String> {
        let results = results(log);
        let ids = results
            .iter()
            .map(|it| text(&it["partialFingerprints"]["straykey/secretId/v1"]).to_owned());
        ids.collect()
    };
    let before = ids(&tree_only());
    assert!(ids(&sarif(&moved, &RenderOptions::default())).is_superset(&before));
}

#[test]
fn there_is_no_author_no_snippet_and_no_path_of_this_machine() {
    let log = everything();
    let mut found = Vec::new();
    objects(&log, &mut found);
    for object in found {
        for key in [
            "snippet",
            "contextRegion",
            "workingDirectory",
            "commandLine",
            "startTimeUtc",
        ] {
            assert!(!object.contains_key(key), "{key}");
        }
        assert!(
            !object
                .keys()
                .any(|key| key.contains("author") || key.contains("mail"))
        );
    }
    assert!(!log.to_string().contains('@'));
}

#[test]
fn uris_are_relative_encoded_and_never_of_another_scheme() {
    let mut report = fixture::report(0);
    report.findings[2].occurrences[0].path = Some(b"/outside/a b.pem".to_vec());
    let log = sarif(&report, &EVERYTHING);
    let mut found = Vec::new();
    objects(&log, &mut found);
    let uris: Vec<_> = found
        .iter()
        .filter_map(|object| object.get("artifactLocation"))
        .map(|location| text(&location["uri"]))
        .collect();
    assert!(uris.contains(&"deploy/docker%20compose.yml"));
    assert!(uris.contains(&"file:///outside/a%20b.pem"));
    for uri in uris {
        let relative = !uri.contains(':') && !uri.starts_with('/');
        assert!(relative || uri.starts_with("file:///"), "{uri}");
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%:".contains(&byte);
        assert!(uri.bytes().all(plain), "{uri}");
    }
}

#[test]
fn every_result_points_at_the_secret_in_one_location() {
    for result in results(&everything()) {
        let locations = list(&result["locations"]);
        assert_eq!(locations.len(), 1);
        let region = &locations[0]["physicalLocation"]["region"];
        let number = |key: &str| region[key].as_u64().expect("a number");
        assert!(number("startLine") >= 1 && number("startColumn") >= 1);
        let start = (number("startLine"), number("startColumn"));
        assert!((number("endLine"), number("endColumn")) > start);
    }
    let log = tree_only();
    let first = &results(&log)[0]["locations"][0]["physicalLocation"]["region"];
    assert_eq!(first["startColumn"], 8, "the secret, not the whole match");
    assert_eq!(first["endColumn"], 50);
}

#[test]
fn all_places_in_files_of_now_are_results_and_link_to_each_other() {
    let log = tree_only();
    let same: Vec<_> = results(&log)
        .into_iter()
        .filter(|it| text(&it["partialFingerprints"]["straykey/secretId/v1"]).ends_with("01"))
        .collect();
    assert_eq!(same.len(), 3);
    for result in same {
        let related = list(&result["relatedLocations"]);
        assert_eq!(related.len(), 2);
        let message = text(&result["message"]["text"]);
        for location in related {
            let id = location["id"].as_i64().expect("an id");
            assert!(message.contains(&format!("[here]({id})")), "{message}");
        }
        assert!(
            message.contains("History has it in 3 more places."),
            "{message}"
        );
    }
}

#[test]
fn secrets_of_one_kind_on_one_line_are_one_result_with_their_number() {
    let log = everything();
    let mut seen = BTreeSet::new();
    for run in list(&log["runs"]) {
        for result in list(&run["results"]) {
            let place = &result["locations"][0]["physicalLocation"];
            let line = (
                text(&run["automationDetails"]["id"]),
                text(&result["ruleId"]),
                text(&place["artifactLocation"]["uri"]),
                place["region"]["startLine"].as_u64(),
            );
            assert!(seen.insert(line), "{line:?}");
        }
    }
    let shared: Vec<_> = results(&log)
        .into_iter()
        .filter(|it| text(&it["message"]["text"]).contains("holds 2 secrets of this kind"))
        .collect();
    assert_eq!(shared.len(), 1);
    assert_eq!(
        list(&shared[0]["properties"]["straykey/secretIds"]).len(),
        2
    );
    let links = list(&shared[0]["relatedLocations"]).len();
    assert_eq!(links, 2, "the places of each of them");
}

#[test]
fn history_is_a_run_of_its_own_with_its_own_category_and_only_on_request() {
    let log = tree_only();
    assert_eq!(list(&log["runs"]).len(), 1);
    assert!(log["runs"][0].get("automationDetails").is_none());
    let log = everything();
    let categories: Vec<_> = list(&log["runs"])
        .iter()
        .map(|run| text(&run["automationDetails"]["id"]))
        .collect();
    assert_eq!(categories, ["straykey/tree/", "straykey/history/"]);
    let ids = |run: &Value| -> BTreeSet<String> {
        let results = list(&run["results"]).iter();
        let id = |it: &Value| it["partialFingerprints"]["straykey/secretId/v1"].to_string();
        results.map(id).collect()
    };
    let (tree, history) = (ids(&log["runs"][0]), ids(&log["runs"][1]));
    assert!(tree.is_disjoint(&history), "a secret is in one run only");
}

#[test]
fn history_never_annotates_innocent_text() {
    let log = everything();
    let history = list(&log["runs"][1]["results"]);
    let region = |uri: &str| {
        let of =
            |it: &&Value| it["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri;
        let result = history.iter().find(of).expect("a result of this path");
        result["locations"][0]["physicalLocation"]["region"].clone()
    };
    let there = region("src/config.py");
    assert_eq!(
        (&there["startLine"], &there["endColumn"]),
        (&1.into(), &2.into())
    );
    assert_eq!(region("gone/old.env")["startLine"], 9);
    let message = ".git/commit-messages/0303030303030303030303030303030303030303";
    assert_eq!(region(message)["startLine"], 6);
    for result in history {
        let properties = &result["properties"];
        assert_eq!(properties["straykey/inHead"], false);
        assert!(properties["straykey/commit"].is_string());
        assert!(properties["straykey/blob"].is_string());
        assert!(properties["straykey/line"].is_number());
    }
    assert!(history.iter().any(|it| {
        text(&it["message"]["text"]).contains("https://github.com/acme-example/shop/blob/0101")
    }));
}

#[test]
fn suppressed_findings_are_left_out_unless_asked_for() {
    let log = tree_only();
    assert!(
        results(&log)
            .iter()
            .all(|it| it.get("suppressions").is_none())
    );
    let log = everything();
    let suppressions: Vec<_> = results(&log)
        .iter()
        .flat_map(|it| list(&it["suppressions"]))
        .map(|it| {
            (
                text(&it["kind"]),
                text(&it["status"]),
                text(&it["justification"]),
            )
        })
        .collect();
    assert_eq!(
        suppressions,
        [
            ("inSource", "accepted", "revoked in 2023, kept as a sample"),
            ("external", "accepted", "baseline"),
        ]
    );
}

#[test]
fn taxonomies_and_the_references_to_them_agree() {
    for run in list(&everything()["runs"]) {
        let taxonomies = list(&run["taxonomies"]);
        let supported = list(&run["tool"]["driver"]["supportedTaxonomies"]);
        assert_eq!(supported.len(), taxonomies.len());
        for (reference, taxonomy) in supported.iter().zip(taxonomies) {
            assert_eq!(reference["guid"], taxonomy["guid"]);
            assert_eq!(reference["name"], taxonomy["name"]);
        }
        let rules = list(&run["tool"]["driver"]["rules"]).iter();
        let of_rules = rules
            .flat_map(|rule| list(&rule["relationships"]))
            .map(|relationship| &relationship["target"]);
        let of_results = list(&run["results"])
            .iter()
            .flat_map(|it| list(&it["taxa"]));
        let mut used = BTreeSet::new();
        for reference in of_rules.chain(of_results) {
            let list_index = reference["toolComponent"]["index"]
                .as_u64()
                .expect("an index");
            let taxonomy = &taxonomies[list_index as usize];
            assert_eq!(taxonomy["guid"], reference["toolComponent"]["guid"]);
            let index = reference["index"].as_u64().expect("an index");
            assert_eq!(taxonomy["taxa"][index as usize]["id"], reference["id"]);
            used.insert((list_index, index));
        }
        let listed: usize = taxonomies.iter().map(|it| list(&it["taxa"]).len()).sum();
        assert_eq!(used.len(), listed, "only what is referred to is listed");
    }
}

#[test]
fn a_long_life_that_the_rule_does_not_promise_is_a_taxon_of_the_result() {
    let log = everything();
    let of_session = |it: &&&Value| it["ruleId"] == "session-token";
    let all = results(&log);
    let session = all.iter().find(of_session).expect("the fixture has one");
    assert_eq!(session["taxa"][0]["id"], "NHI7:2025");
}

#[test]
fn diagnostics_are_notifications_and_an_incomplete_scan_is_no_success() {
    let log = tree_only();
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let notices: Vec<_> = list(&invocation["toolExecutionNotifications"])
        .iter()
        .map(|it| (text(&it["level"]), text(&it["descriptor"]["id"])))
        .collect();
    assert_eq!(
        notices,
        [
            ("note", "history-left-out"),
            ("error", "scan-incomplete"),
            ("warning", "scan-warning"),
        ]
    );
}

#[test]
fn five_thousand_results_at_most_and_the_cut_is_stated() {
    let mut report = fixture::report(0);
    let template = report.findings[1].clone();
    for n in 0..5100_u32 {
        let mut finding = template.clone();
        finding.id = FindingId::new(format!("sk1_more{n}"));
        finding.severity = straykey::model::Severity::Low;
        finding.occurrences[0].location.line = 100 + n;
        finding.occurrences[0].location.end_line = 100 + n;
        report.findings.push(finding);
    }
    report.findings.reverse();
    let log = sarif(&report, &RenderOptions::default());
    let results = results(&log);
    assert_eq!(results.len(), 5000);
    assert_eq!(results[0]["properties"]["straykey/severity"], "critical");
    assert!(
        results.iter().any(|it| it["ruleId"] == "private-key"),
        "the worst stay"
    );
    let notices = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"];
    assert_eq!(notices[0]["descriptor"]["id"], "results-cut");
    let cut = text(&notices[0]["message"]["text"]);
    assert!(cut.starts_with("104 more results"), "{cut}");
}

#[test]
fn the_repository_is_named_where_it_has_an_address() {
    let log = tree_only();
    let provenance = &log["runs"][0]["versionControlProvenance"][0];
    assert_eq!(
        provenance["repositoryUri"],
        "https://github.com/acme-example/shop.git"
    );
    assert_eq!(provenance["branch"], "main");
    assert_eq!(log["runs"][0]["columnKind"], "unicodeCodePoints");
    let mut nameless = fixture::report(0);
    nameless.repository = None;
    let log = sarif(&nameless, &RenderOptions::default());
    assert!(log["runs"][0].get("versionControlProvenance").is_none());
}

#[test]
fn of_several_repositories_each_result_is_below_its_root() {
    let report = fixture::two_roots();
    let log = sarif(&report, &EVERYTHING);
    let provenance = list(&log["runs"][0]["versionControlProvenance"]);
    let mapped: Vec<_> = provenance
        .iter()
        .map(|it| {
            let folder = &it["mappedTo"];
            let address = text(&it["repositoryUri"]);
            (address, text(&folder["uri"]), folder["uriBaseId"].as_str())
        })
        .collect();
    let expected = [
        (
            "https://github.com/acme-example/shop.git",
            "web/",
            Some("SRCROOT"),
        ),
        (
            "https://github.com/acme-example/api.git",
            "file:///outside/a%20b/",
            None,
        ),
    ];
    assert_eq!(mapped, expected);
    let mut links = 0;
    for result in results(&log) {
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"];
        let uri = text(&place["uri"]);
        let below = ["web/", "file:///outside/a%20b/"].map(|root| uri.starts_with(root));
        assert!(below.contains(&true), "{uri}");
        let said = text(&result["message"]["text"]);
        if let Some((_, link)) = said.split_once("It was at ") {
            let name = if below[0] { "shop" } else { "api" };
            assert!(
                link.contains(&format!("acme-example/{name}/blob/")),
                "{link}"
            );
            links += 1;
        }
    }
    assert!(links > 0);
}
