//! What the path of a file says of a value found in it.

use crate::detector::{Detector, Pass, ValueKind};
use crate::model::{Assigned, Confidence};

use super::model;

/// How sure a finding of `detector` is that stands in the file at `path`; `None` drops it. What
/// is found by its name (`password = …`) depends on where it stands, and what a person may have chosen
/// is believed less in tests and examples; a provider's token is one anywhere.
pub fn judge(
    detector: &Detector,
    path: Option<&[u8]>,
    confidence: Confidence,
    assigned: Option<&mut Assigned>,
) -> Option<Confidence> {
    let example = path.is_some_and(|path| holds(path, EXAMPLES));
    let Some(assigned) = assigned.filter(|_| detector.pass == Pass::Assignment) else {
        let chosen = detector.value == ValueKind::Password && confidence < Confidence::Certain;
        return Some(if example && chosen {
            less(confidence)
        } else {
            confidence
        });
    };
    if let Some(path) = path {
        if is_generated(path) {
            return None;
        }
        let mut points = 0;
        features(path, *assigned, &mut |group, value| {
            points += model::weight(group, value);
        });
        assigned.path = points;
    }
    let sure = model::confidence(assigned.points())?;
    Some(if example { less(sure) } else { sure })
}

/// A test or an example: believed a step less, but never hidden.
fn less(confidence: Confidence) -> Confidence {
    match confidence {
        Confidence::Certain => Confidence::High,
        Confidence::High => Confidence::Medium,
        _ => Confidence::Low,
    }
}

/// A file in which such values are checksums.
fn is_generated(path: &[u8]) -> bool {
    let name = name(path);
    LOCK_FILES.contains(&name.as_slice()) || GENERATED.iter().any(|end| name.ends_with(end))
}

/// Tells the features of a path for an assignment of some class.
pub fn features(path: &[u8], assigned: Assigned, tell: &mut dyn FnMut(&'static str, &[u8])) {
    let name = name(path);
    let quoted: &[u8] = if assigned.quoted { b"quoted" } else { b"bare" };
    let extension = name.rsplit(|&byte| byte == b'.').next().unwrap_or_default();
    let extension = match extension.len() < name.len() {
        true => extension,
        false => b"-",
    };
    tell("path-extension", extension);
    tell("path-extension-form", &[extension, b"/", quoted].concat());
    let kind = kind(extension);
    tell("path-kind", &[kind, b"/", quoted].concat());
    tell(
        "path-kind-class",
        &[kind, b"/", assigned.class.as_bytes()].concat(),
    );
    if holds(path, LANGUAGES) {
        tell("path-place", b"language");
    }
}

/// Whether one of `words` is a word of `path`.
fn holds(path: &[u8], words: &[&[u8]]) -> bool {
    let lower = path.to_ascii_lowercase();
    let mut parts = lower.split(|byte| !byte.is_ascii_alphanumeric());
    parts.any(|part| words.contains(&part))
}

fn name(path: &[u8]) -> Vec<u8> {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    name.to_ascii_lowercase()
}

/// The kind of text that an extension stands for.
fn kind(extension: &[u8]) -> &'static [u8] {
    let kinds: [(&[u8], &[&[u8]]); 6] = [
        (b"code", CODE),
        (b"config", CONFIG),
        (b"data", DATA),
        (b"prose", PROSE),
        (b"script", SCRIPTS),
        (b"markup", MARKUP),
    ];
    let found = kinds.iter().find(|(_, all)| all.contains(&extension));
    found.map_or(b"other", |(kind, _)| kind)
}

const CODE: &[&[u8]] = &[
    b"c", b"cc", b"cpp", b"cs", b"cxx", b"dart", b"ex", b"exs", b"fs", b"go", b"groovy", b"h",
    b"hpp", b"hs", b"java", b"js", b"jsx", b"kt", b"kts", b"lua", b"m", b"mjs", b"php", b"pl",
    b"pm", b"py", b"r", b"rb", b"rs", b"scala", b"swift", b"ts", b"tsx", b"vb", b"vue",
];
const CONFIG: &[&[u8]] = &[
    b"cfg",
    b"cnf",
    b"conf",
    b"config",
    b"env",
    b"hcl",
    b"ini",
    b"properties",
    b"tf",
    b"tfvars",
    b"toml",
    b"yaml",
    b"yml",
];
const DATA: &[&[u8]] = &[
    b"csv", b"json", b"jsonl", b"sql", b"tfstate", b"xml", b"plist",
];
const PROSE: &[&[u8]] = &[b"adoc", b"asciidoc", b"md", b"mdx", b"rst", b"tex", b"txt"];
const SCRIPTS: &[&[u8]] = &[b"bash", b"bat", b"cmd", b"ps1", b"psm1", b"sh", b"zsh"];
const MARKUP: &[&[u8]] = &[
    b"css", b"erb", b"htm", b"html", b"j2", b"jinja", b"jsp", b"twig",
];

/// Words of paths that hold translations.
const LANGUAGES: &[&[u8]] = &[
    b"i18n",
    b"l10n",
    b"lang",
    b"locale",
    b"locales",
    b"translations",
];

/// Words of paths that hold tests or examples.
const EXAMPLES: &[&[u8]] = &[
    b"test",
    b"tests",
    b"testing",
    b"testdata",
    b"spec",
    b"specs",
    b"e2e",
    b"fixture",
    b"fixtures",
    b"mock",
    b"mocks",
    b"example",
    b"examples",
    b"sample",
    b"samples",
    b"demo",
    b"demos",
    b"doc",
    b"docs",
];

/// Files in which a package manager keeps checksums.
const LOCK_FILES: &[&[u8]] = &[
    b"package-lock.json",
    b"npm-shrinkwrap.json",
    b"yarn.lock",
    b"pnpm-lock.yaml",
    b"bun.lock",
    b"cargo.lock",
    b"go.sum",
    b"gemfile.lock",
    b"composer.lock",
    b"poetry.lock",
    b"pipfile.lock",
    b"uv.lock",
    b"pdm.lock",
    b"mix.lock",
    b"pubspec.lock",
    b"podfile.lock",
    b"flake.lock",
    b"packages.lock.json",
    b"gradle.lockfile",
    b"deno.lock",
];

/// Endings of generated files.
const GENERATED: &[&[u8]] = &[b".min.js", b".min.css", b".js.map", b".css.map", b".svg"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::DetectorSet;

    #[test]
    fn lock_files_drop_and_tokens_do_not_care() {
        let set = DetectorSet::builtin();
        let (_, generic) = set.find("generic-password").expect("built in");
        let sure = |path: &[u8]| {
            let mut assigned = Assigned {
                key: 9_000,
                class: "password",
                quoted: true,
                ..Assigned::default()
            };
            judge(generic, Some(path), Confidence::Low, Some(&mut assigned))
        };
        assert_eq!(sure(b"web/package-lock.json"), None);
        assert_eq!(sure(b"src/app.py"), Some(Confidence::High));
        assert_eq!(sure(b"src/app_test.py"), Some(Confidence::Medium));
        let (_, token) = set.find("github-pat").expect("built in");
        let high = Some(Confidence::High);
        assert_eq!(
            judge(token, Some(b"tests/yarn.lock"), Confidence::High, None),
            high
        );
    }

    #[test]
    fn examples_are_words_of_the_path() {
        assert!(holds(b"src/app_test.go", EXAMPLES));
        assert!(holds(b"Tests/Login.cs", EXAMPLES));
        assert!(!holds(b"src/latest/contest.py", EXAMPLES));
    }
}
