//! json and jsonl against the schema and the page that document them.

use std::collections::BTreeSet;

use serde_json::Value;
use straykey::report::RenderOptions;

use super::{fixture, render};

const SCHEMA: &str = include_str!("../../../docs/report.schema.json");
const PAGE: &str = include_str!("../../../docs/report-schema.md");

fn validate(schema: &Value, instance: &Value) {
    let validator = jsonschema::validator_for(schema).expect("a valid schema");
    let errors: Vec<_> = validator
        .iter_errors(instance)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// The schema with `definition` at its root.
fn schema_of(definition: &str) -> Value {
    let mut schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
    let object = schema.as_object_mut().expect("an object");
    for key in ["type", "required", "properties"] {
        object.remove(key);
    }
    object.insert("$ref".into(), format!("#/$defs/{definition}").into());
    schema
}

fn options() -> [RenderOptions; 2] {
    [false, true].map(|show_secrets| RenderOptions {
        show_secrets,
        ..Default::default()
    })
}

fn documents() -> Vec<Value> {
    let mut odd = fixture::report(1);
    odd.repository = None;
    odd.findings[0].occurrences[0].path = Some(b"\xff".to_vec());
    odd.findings[0].occurrences[0].other_paths = vec![b"\xfe".to_vec()];
    odd.findings[1].occurrences[0].secret = straykey::model::Secret::new(b"\xff\xff");
    odd.findings[2].occurrences[0].introduced = None;
    let several = fixture::two_roots();
    let reports = [fixture::report(0), fixture::clean(), odd, several];
    let render = |report| options().map(|options| render("json", report, &options));
    let texts = reports.iter().flat_map(render);
    texts
        .map(|text| serde_json::from_str(&text).expect("JSON"))
        .collect()
}

fn lines() -> Vec<Value> {
    let report = fixture::report(0);
    let texts = options().map(|options| render("jsonl", &report, &options));
    let lines = texts.iter().flat_map(|text| text.lines());
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn json_follows_its_schema() {
    let schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
    for document in documents() {
        validate(&schema, &document);
    }
}

#[test]
fn jsonl_follows_its_schema_line_by_line() {
    let occurrence = schema_of("occurrenceLine");
    let diagnostic = schema_of("diagnosticLine");
    for line in lines() {
        match line["schema"].as_str() {
            Some("straykey/occurrence/v1") => validate(&occurrence, &line),
            Some("straykey/diagnostic/v1") => validate(&diagnostic, &line),
            other => panic!("a line of schema {other:?}"),
        }
    }
}

#[test]
fn the_schema_refuses_what_is_not_a_report() {
    let schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
    let mut document = documents().remove(0);
    document["findings"][0]["severity"] = "awful".into();
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    assert!(!validator.is_valid(&document));
}

#[test]
fn every_field_stands_in_the_schema_and_on_the_page() {
    let mut fields = BTreeSet::new();
    for value in documents().iter().chain(&lines()) {
        names(value, &mut fields);
    }
    assert!(fields.len() > 40);
    for field in fields {
        assert!(SCHEMA.contains(&format!("\"{field}\"")), "schema: {field}");
        assert!(PAGE.contains(&format!("`{field}`")), "page: {field}");
    }
}

fn names(value: &Value, fields: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                fields.insert(name.clone());
                names(value, fields);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names(item, fields)),
        _ => {}
    }
}

#[test]
fn one_line_per_occurrence_in_the_order_of_the_report() {
    let report = fixture::report(0);
    let text = render("jsonl", &report, &RenderOptions::default());
    let ids: Vec<_> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .filter(|line| line["schema"] == "straykey/occurrence/v1")
        .map(|line| line["id"].as_str().expect("an id").to_owned())
        .collect();
    let expected: Vec<_> = report
        .findings
        .iter()
        .flat_map(|finding| finding.occurrences.iter().map(|_| finding.id.to_string()))
        .collect();
    assert_eq!(ids, expected);
}
