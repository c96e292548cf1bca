//! The rules of the code map, held by reading the source: who imports whom, what is registered,
//! where `unsafe` may stand.

use std::fs;
use std::path::{Path, PathBuf};

use straykey::report::FORMATS;

/// Modules of the library, in reading order, and what of ours each may use besides itself.
const IMPORTS: &[(&str, &[&str])] = &[
    ("machine", &[]),
    ("model", &["machine"]),
    ("detector", &["model"]),
    ("source", &["model", "machine"]),
    ("engine", &["model", "detector", "machine"]),
    ("finding", &["model", "detector", "machine"]),
    // The engine for what its offline proofs know of a key: its public half.
    ("pairs", &["model", "engine", "finding"]),
    ("report", &["model", "detector", "finding"]),
    // The engine for what its offline proofs know of a token: an account, an end.
    ("verify", &["model", "detector", "engine", "finding"]),
    ("state", &["model", "detector", "source"]),
    (
        "scan",
        &[
            "model", "detector", "source", "engine", "finding", "pairs", "state", "machine",
        ],
    ),
    (
        "config",
        &["model", "detector", "source", "engine", "finding", "scan"],
    ),
];

/// Where `unsafe` may stand.
const UNSAFE: &[&str] = &[
    "source/mmap.rs",
    "engine/prefilter/aarch64.rs",
    "engine/prefilter/x86_64.rs",
    "engine/decode/x86_64.rs",
    "source/git/inflate/x86_64.rs",
    "machine/bytes.rs",
    "machine/heap.rs",
    "machine/prefetch.rs",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A source file: its path below `src/` and its text without test modules.
struct SourceFile {
    path: String,
    text: String,
}

impl SourceFile {
    /// `engine/judge/mod.rs` → `engine`.
    fn module(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// How many modules the file is deep: 1 for `config.rs` and `scan/mod.rs`.
    fn depth(&self) -> usize {
        let parts = self.path.split('/').count();
        parts - usize::from(self.path.ends_with("/mod.rs"))
    }
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        match path.is_dir() {
            true => files_below(&path, found),
            false => found.push(path),
        }
    }
}

fn sources() -> Vec<SourceFile> {
    let src = root().join("src");
    let mut paths = Vec::new();
    files_below(&src, &mut paths);
    paths.sort();
    let read = |path: &PathBuf| SourceFile {
        path: path
            .strip_prefix(&src)
            .expect("found below src")
            .components()
            .map(|part| part.as_os_str().to_string_lossy())
            .collect::<Vec<_>>()
            .join("/"),
        text: without_tests(&fs::read_to_string(path).expect("UTF-8 source")),
    };
    let rust = |path: &&PathBuf| {
        path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs")
    };
    paths.iter().filter(rust).map(read).collect()
}

/// Cuts out `#[cfg(test)] mod … { … }`; as rustfmt writes it, the brace at a line's start ends it.
fn without_tests(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, tests)) = rest.split_once("#[cfg(test)]\nmod ") {
        kept.push_str(before);
        let declared = tests.split_once('\n').is_some_and(|l| l.0.ends_with(';'));
        let end = if declared { "\n" } else { "\n}\n" };
        rest = tests.split_once(end).map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}

/// The lines of a text that are no comments.
fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|l| !l.trim_start().starts_with("//"))
}

fn word_at(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

#[test]
fn modules_import_only_what_the_map_allows() {
    let mut wrong = Vec::new();
    for file in sources() {
        if file.path == "lib.rs" || file.module() == "bin" {
            continue;
        }
        let (_, allowed) = IMPORTS
            .iter()
            .find(|(module, _)| *module == file.module())
            .unwrap_or_else(|| panic!("src/{} is not in the map of this test", file.path));
        for used in file.text.split("crate::").skip(1).map(word_at) {
            if used != file.module() && !allowed.contains(&used) {
                wrong.push(format!("src/{} uses crate::{used}", file.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whoever wants to reach somebody takes `verify::net`, which has one policy.
#[test]
fn sockets_stand_in_one_place() {
    let words = ["std::net", "TcpStream", "UdpSocket", "ureq", "rustls::"];
    let mut wrong = Vec::new();
    for file in sources() {
        let inside = file.path.starts_with("verify/net/");
        for line in code_lines(&file.text).filter(|_| !inside) {
            if words.iter().any(|word| line.contains(word)) {
                wrong.push(format!("src/{}: {}", file.path, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Without the feature `verify` nothing that could open a connection is built.
#[test]
fn without_verification_there_is_no_networking_crate() {
    let tree = |flags: &[&str]| {
        let out = std::process::Command::new(env!("CARGO"))
            .args([
                "tree",
                "--locked",
                "--offline",
                "--edges",
                "normal",
                "--prefix",
                "none",
            ])
            .args(flags)
            .current_dir(root())
            .output()
            .expect("cargo runs");
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
        String::from_utf8(out.stdout).expect("UTF-8")
    };
    let network = [
        "ureq ",
        "ureq-proto ",
        "rustls ",
        "ring ",
        "webpki-roots ",
        "http ",
    ];
    let has = |tree: &str, name: &str| tree.lines().any(|line| line.starts_with(name));
    let (with, without) = (tree(&[]), tree(&["--no-default-features"]));
    for name in network {
        assert!(
            has(&with, name),
            "{name}is not in the tree: this test looks for the wrong name"
        );
        assert!(!has(&without, name), "{name}");
    }
}

#[test]
fn nobody_leaves_a_module_by_super() {
    let mut wrong = Vec::new();
    for file in sources() {
        let escape = "super::".repeat(file.depth());
        if file.module() != "bin" && code_lines(&file.text).any(|line| line.contains(&escape)) {
            wrong.push(format!("src/{}", file.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_binary_uses_the_public_api_only() {
    let mut wrong = Vec::new();
    for file in sources() {
        if file.module() != "bin" {
            continue;
        }
        for used in file.text.split("crate::").skip(1).map(word_at) {
            if !["args", "exit", "commands"].contains(&used) {
                wrong.push(format!("src/{} uses crate::{used}", file.path));
            }
        }
        if file.text.contains("#[path") || file.text.contains("include!") {
            wrong.push(format!("src/{} includes other source", file.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_map_names_all_modules_and_has_no_cycle() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).expect("UTF-8 source");
    let declared: Vec<_> = lib
        .lines()
        .map(|line| line.strip_prefix("pub ").unwrap_or(line))
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    let mapped = IMPORTS.iter().map(|(module, _)| *module);
    assert_eq!(sorted(declared), sorted(mapped.collect()));
    for (at, (module, uses)) in IMPORTS.iter().enumerate() {
        let earlier = |used: &&str| IMPORTS[..at].iter().any(|(known, _)| known == used);
        assert!(uses.iter().all(earlier), "{module}: a cycle");
    }
}

fn sorted(mut names: Vec<&str>) -> Vec<&str> {
    names.sort_unstable();
    names
}

#[test]
fn every_format_is_registered() {
    let all = sources();
    let registry = all
        .iter()
        .find(|file| file.path == "report/mod.rs")
        .expect("the registry of formats");
    let (_, slice) = registry
        .text
        .split_once("FORMATS: &[&dyn Format] = &[")
        .expect("the slice of formats");
    let (slice, _) = slice.split_once("];").expect("its end");
    let mut implemented = 0;
    for file in &all {
        let Some((_, after)) = file.text.split_once("impl Format for ") else {
            continue;
        };
        let stem = file.path.strip_prefix("report/").expect("a report's file");
        let stem = stem.strip_suffix(".rs").expect("a Rust file");
        let module = stem.strip_suffix("/mod").unwrap_or(stem).replace('/', "::");
        let entry = format!("&{module}::{},", word_at(after));
        assert!(slice.contains(&entry), "src/{}: no {entry}", file.path);
        implemented += 1;
    }
    assert_eq!(implemented, FORMATS.len());
}

#[test]
fn every_format_is_documented() {
    let mut documents = vec![root().join("README.md")];
    files_below(&root().join("docs"), &mut documents);
    documents.retain(|path| path.extension().is_some_and(|end| end == "md"));
    let text: String = documents
        .iter()
        .map(|path| fs::read_to_string(path).expect("UTF-8 document"))
        .collect();
    let words: Vec<_> = text
        .lines()
        .filter(|line| line.contains("--format"))
        .flat_map(|line| line.split(|c: char| !c.is_alphanumeric()))
        .collect();
    for format in FORMATS {
        let name = format.name();
        assert!(words.contains(&name), "no document names --format {name}");
    }
}

#[test]
fn unsafe_stands_where_it_may() {
    let mut wrong = Vec::new();
    for file in sources() {
        let allowed = UNSAFE.iter().any(|place| file.path.starts_with(place));
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let holds = code_lines(&file.text)
            .any(|line| line.split(|c| !is_word(c)).any(|word| word == "unsafe"));
        if holds && !allowed {
            wrong.push(format!("src/{}", file.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn test_modules_are_cut_out() {
    let text = "a\n#[cfg(test)]\nmod tests {\n    b\n}\nc\n#[cfg(test)]\nmod more;\nd\n";
    assert_eq!(without_tests(text), "a\nc\nd\n");
}
