//! What the path of a file says of a value found in it.

use crate::detector::{Detector, Pass};

/// What to do with a finding, seen from its path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PathVerdict {
    /// The path says nothing.
    Keep,
    /// A test or an example: believe it less.
    Lower,
    /// A generated file in which such values are checksums.
    Drop,
}

/// Judges `path` for a finding of `detector`. Only what is found by its name (`password = …`)
/// depends on where it stands; a provider's token is one anywhere.
pub fn judge(detector: &Detector, path: &[u8]) -> PathVerdict {
    if detector.pass != Pass::Assignment {
        return PathVerdict::Keep;
    }
    let path = path.to_ascii_lowercase();
    let mut parts = path.rsplit(|&byte| byte == b'/');
    let name = parts.next().unwrap_or_default();
    if LOCK_FILES.contains(&name) || GENERATED.iter().any(|end| name.ends_with(end)) {
        return PathVerdict::Drop;
    }
    let words = |part: &[u8]| {
        let mut words = part.split(|byte| !byte.is_ascii_alphanumeric());
        words.any(|word| EXAMPLES.contains(&word))
    };
    match words(name) || parts.any(words) {
        true => PathVerdict::Lower,
        false => PathVerdict::Keep,
    }
}

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

/// Words of paths that hold tests or examples.
const EXAMPLES: &[&[u8]] = &[
    b"test",
    b"tests",
    b"testing",
    b"testdata",
    b"spec",
    b"specs",
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::DetectorSet;

    #[test]
    fn lock_files_drop_tests_lower_and_tokens_do_not_care() {
        let set = DetectorSet::builtin();
        let (_, generic) = set.find("generic-password").expect("built in");
        assert_eq!(judge(generic, b"web/package-lock.json"), PathVerdict::Drop);
        assert_eq!(judge(generic, b"src/app_test.go"), PathVerdict::Lower);
        assert_eq!(judge(generic, b"Tests/Login.cs"), PathVerdict::Lower);
        assert_eq!(judge(generic, b"src/latest/contest.py"), PathVerdict::Keep);
        let (_, token) = set.find("github-pat").expect("built in");
        assert_eq!(judge(token, b"tests/yarn.lock"), PathVerdict::Keep);
    }
}
