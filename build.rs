//! Validates `detectors/*.toml` and writes them out as constants, so that nothing is parsed at
//! start-up. Runs the very checks that a user's detector files get.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::{env, fs, process};

#[allow(unused, unreachable_pub, reason = "build.rs needs part of this module")]
#[path = "src/model/scale.rs"]
mod model;

#[allow(unused, unreachable_pub, reason = "build.rs needs part of this module")]
#[path = "src/detector/check.rs"]
mod check;
#[allow(unused, unreachable_pub, reason = "build.rs needs part of this module")]
#[path = "src/detector/phrase.rs"]
mod phrase;
#[allow(unused, unreachable_pub, reason = "build.rs needs part of this module")]
#[path = "src/detector/required.rs"]
mod required;
#[allow(unused, unreachable_pub, reason = "build.rs needs part of this module")]
#[path = "src/detector/shape.rs"]
mod shape;
#[allow(unused, unreachable_pub, reason = "build.rs needs part of this module")]
#[path = "src/detector/spec.rs"]
mod spec;
#[allow(unused, unreachable_pub, reason = "build.rs needs part of this module")]
#[path = "src/detector/verifier.rs"]
mod verifier;
#[allow(unused, unreachable_pub, reason = "build.rs needs part of this module")]
#[path = "src/detector/verifier_check.rs"]
mod verifier_check;

use shape::{Part, Shape};
#[path = "src/engine/judge/feature.rs"]
mod feature;

use spec::{DetectorFile, DetectorSpec, PartSpec, ProviderSpec};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let folder = root.join("detectors");
    println!("cargo::rerun-if-changed=detectors");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=STRAYKEY_CODE={:016x}", code_hash(&root));

    weights(&root.join("src/engine/judge/weights.tsv"));

    let mut errors = Vec::new();
    let mut written = BTreeMap::new();
    let mut files = Vec::new();
    for path in toml_files(&folder) {
        match read(&path) {
            Ok(file) => {
                for spec in &file.detectors {
                    let code = constant(&file, spec);
                    if written.insert(spec.id.clone(), code).is_some() {
                        errors.push(format!("{}: id `{}` stands twice", path.display(), spec.id));
                    }
                }
                files.push((path, file));
            }
            Err(messages) => {
                errors.extend(
                    messages
                        .iter()
                        .map(|text| format!("{}: {text}", path.display())),
                );
            }
        }
    }
    // With a broken file its ids are missing, which is no news.
    if errors.is_empty() {
        for (path, file) in &files {
            let unknown = check::unknown_ids(file, |id| written.contains_key(id));
            errors.extend(
                unknown
                    .iter()
                    .map(|text| format!("{}: {text}", path.display())),
            );
        }
    }
    if !errors.is_empty() {
        for error in errors {
            println!("cargo::error={}", error.replace('\n', " "));
        }
        process::exit(1);
    }
    let mut code = String::from("pub(super) static DETECTORS: &[Detector] = &[\n");
    code.extend(written.into_values());
    code.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo")).join("builtin.rs");
    fs::write(out, code).expect("OUT_DIR is writable");
}

/// What decides whether something is found in an object, besides detectors and options. A state
/// (`src/state/`) that another engine left is not used, were it of the same version.
const CODE: [&str; 3] = ["src/engine", "src/model", "src/scan/collect.rs"];

/// A hash of the files of [`CODE`]. Should the hash function change with the compiler, a state is
/// made anew, and that is all.
fn code_hash(root: &Path) -> u64 {
    let mut hash = DefaultHasher::new();
    let mut pending: Vec<PathBuf> = Vec::new();
    for name in CODE {
        println!("cargo::rerun-if-changed={name}");
        pending.push(root.join(name));
    }
    let mut files = Vec::new();
    while let Some(path) = pending.pop() {
        match fs::read_dir(&path) {
            Ok(entries) => pending.extend(entries.map(|entry| entry.expect("readable").path())),
            Err(_) => files.push(path),
        }
    }
    files.sort();
    for path in files {
        fs::read(&path).expect("a readable source").hash(&mut hash);
    }
    hash.finish()
}

/// Writes the weights of the model as a table by hash of group and value.
fn weights(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
    let tsv = fs::read_to_string(path).expect("the weights of the model");
    let mut entries: BTreeMap<u64, (i16, &str)> = BTreeMap::new();
    for line in tsv.lines().filter(|line| !line.starts_with("# ")) {
        let mut fields = line.split('\t');
        let mut field = || fields.next().expect("group, value and weight");
        let (group, value) = (field(), field());
        let weight = field().parse().expect("a weight");
        let other = entries.insert(feature::hash(group, value.as_bytes()), (weight, line));
        assert!(
            other.is_none(),
            "two features of one hash: {line}, {other:?}"
        );
    }
    let table: Vec<(u64, i16)> = entries
        .into_iter()
        .map(|(hash, (weight, _))| (hash, weight))
        .collect();
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo")).join("weights.rs");
    fs::write(out, format!("&{table:?}")).expect("a writable OUT_DIR");
}

fn toml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("detectors/ is readable");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("readable").path())
        .collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
    });
    paths.sort();
    paths
}

fn read(path: &Path) -> Result<DetectorFile, Vec<String>> {
    let text = fs::read_to_string(path).map_err(|error| vec![error.to_string()])?;
    let mut file: DetectorFile = toml::from_str(&text).map_err(|error| vec![error.to_string()])?;
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let errors = check::file(&file, stem, true);
    if !errors.is_empty() {
        return Err(errors.iter().map(ToString::to_string).collect());
    }
    file.apply_defaults();
    Ok(file)
}

/// The first of `tables` that serves a detector, as JSON, which is read when somebody is to be
/// asked; none where the networking code is left out.
fn serving<T: serde::Serialize>(tables: &[T], serves: impl Fn(&&T) -> bool) -> String {
    let built = env::var_os("CARGO_FEATURE_VERIFY").is_some();
    let table = tables.iter().filter(|_| built).find(serves);
    let json = table.map(|it| serde_json::to_string(it).expect("plain data"));
    option(json.as_deref())
}

fn constant(file: &DetectorFile, spec: &DetectorSpec) -> String {
    let provider: &ProviderSpec = &file.provider;
    let (pass, analysis) = match spec.pass.as_deref() {
        Some("assignment") => ("Assignment", check::Analysis::default()),
        Some("context") => ("Context", check::Analysis::default()),
        _ => {
            let analysis = check::analyse(&spec.pattern, &spec.keywords, spec.ignore_case);
            ("Pattern", analysis.expect("the file has been checked"))
        }
    };
    let mut code = String::from("Detector {\n");
    let mut field = |name: &str, value: String| {
        writeln!(code, "    {name}: {value},").expect("a String takes all");
    };
    field("id", text(&spec.id));
    field("provider", text(&provider.id));
    field("provider_name", text(&provider.name));
    field("category", text(&provider.category));
    field("docs", text(&provider.docs));
    field("general", provider.is_general().to_string());
    field("name", text(&spec.name));
    field("description", text(&spec.description));
    field(
        "severity",
        format!("Severity::{:?}", spec.severity.expect("checked")),
    );
    field(
        "confidence",
        format!("Confidence::{:?}", spec.confidence.expect("has a default")),
    );
    field(
        "lifetime",
        format!("Lifetime::{:?}", spec.lifetime.expect("checked")),
    );
    field(
        "mints_trust",
        format!("MintsTrust::{:?}", spec.mints_trust.expect("checked")),
    );
    let value = match spec.value.as_deref() {
        Some("password") => "Password",
        _ => "Token",
    };
    field("value", format!("ValueKind::{value}"));
    field(
        "keywords",
        list(spec.keywords.iter().map(|word| text(word))),
    );
    let ignore_case = spec.ignore_case || spec.is_context();
    field("ignore_case", ignore_case.to_string());
    field("pass", format!("Pass::{pass}"));
    field("pattern", text(&spec.pattern));
    field("context", context(spec));
    field("max_len", analysis.max_len.to_string());
    field("max_lead", analysis.max_lead.to_string());
    field("starts_word", analysis.starts_word.to_string());
    field("required", text(&analysis.required));
    let glance = match spec.glance.as_deref() {
        Some("userinfo") => "Userinfo",
        _ => "None",
    };
    field("glance", format!("Glance::{glance}"));
    field("min_entropy", format!("{:?}", spec.entropy.unwrap_or(0.0)));
    field("proof", option(spec.proof.as_deref()));
    field("extent", option(spec.extent.as_deref()));
    field(
        "remediation",
        text(spec.remediation.as_deref().expect("checked")),
    );
    field("rotate", option(spec.rotate.as_deref()));
    field(
        "sources",
        list(spec.sources.iter().map(|source| text(source))),
    );
    let aliases = spec.aliases.iter().flat_map(|(scanner, ids)| {
        ids.iter()
            .map(move |id| format!("({}, {})", text(scanner), text(id)))
    });
    field("aliases", list(aliases));
    let nhi = spec.owasp_nhi.iter().flatten();
    field(
        "owasp_nhi",
        list(
            nhi.filter_map(|id| check::nhi_number(id))
                .map(|n| n.to_string()),
        ),
    );
    field(
        "cwe",
        list(spec.cwe.iter().flatten().map(ToString::to_string)),
    );
    let verifier = serving(&file.verifiers, |it| it.detectors.contains(&spec.id));
    field("verifier", verifier);
    let revocation = serving(&file.revocations, |it| it.detectors.contains(&spec.id));
    field("revocation", revocation);
    field("parts", list(spec.parts.iter().map(part)));
    code.push_str("},\n");
    code
}

/// A part of a credential.
fn part(spec: &PartSpec) -> String {
    let find = match (&spec.pattern, &spec.detector, &spec.inside) {
        (Some(pattern), ..) => format!("Pattern({})", text(pattern)),
        (_, Some(id), _) => format!("Detector({})", text(id)),
        (.., Some(pattern)) => format!("Inside({})", text(pattern)),
        _ => {
            let names = list(spec.names.iter().map(|name| text(name)));
            let shapes = list(spec.shapes.iter().map(|written| shape(written)));
            format!("Names {{ names: {names}, shapes: {shapes} }}")
        }
    };
    format!(
        "PartRule {{ name: {}, find: FindPart::{find}, lines: {}, same_block: {}, shown: {}, \
         required: {} }}",
        text(&spec.name),
        spec.lines.unwrap_or(PartSpec::LINES),
        spec.same_block,
        spec.is_shown(),
        spec.required,
    )
}

/// The `context` of a detector.
fn context(spec: &DetectorSpec) -> String {
    if !spec.is_context() {
        return "None".into();
    }
    let words = list(spec.words.iter().map(|word| text(word)));
    let names = list(spec.names.iter().map(|name| text(name)));
    let shapes = list(spec.shapes.iter().map(|written| shape(written)));
    let near = match spec.near.as_deref() {
        Some("key") => "Key",
        Some("line") => "Line",
        _ => "Block",
    };
    format!(
        "Some(Context {{ words: {words}, names: {names}, shapes: {shapes}, near: Near::{near} }})"
    )
}

fn shape(written: &str) -> String {
    let shape = Shape::parse(written).expect("the file has been checked");
    let part = |part: &Part| match part {
        Part::Literal(literal) => format!("Part::Literal({})", text(literal)),
        Part::Run { class, least, most } => {
            format!("Part::Run {{ class: Class::{class:?}, least: {least}, most: {most} }}")
        }
        Part::Uuid => "Part::Uuid".into(),
    };
    format!("Shape({})", list(shape.0.iter().map(part)))
}

fn text(text: &str) -> String {
    format!("Borrowed({text:?})")
}

fn option(value: Option<&str>) -> String {
    value.map_or("None".into(), |value| format!("Some({})", text(value)))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("Borrowed(&[{}])", items.collect::<Vec<_>>().join(", "))
}
