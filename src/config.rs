//! `straykey.toml`: found upward from the target to the repository's root, merged over the
//! defaults. A file that cannot be right is an error with file, line and the fix.

use std::fs;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobSet, GlobSetBuilder};
use regex_automata::meta::Regex;
use regex_automata::util::syntax;
use serde::Deserialize;

use crate::detector::DetectorSet;
use crate::finding::Allow;
use crate::model::{Confidence, Severity};

/// Names that are looked for, in this order.
pub const FILE_NAMES: &[&str] = &["straykey.toml", ".straykey.toml"];

/// The settings of a scan that a file can give. Flags are put over them by the caller.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The file that they come from.
    pub path: Option<PathBuf>,
    /// Patterns of paths that are not scanned, for [`globs`].
    pub exclude: Vec<String>,
    /// Whether untracked ignored files are scanned.
    pub include_ignored: Option<bool>,
    /// Whether the history is scanned.
    pub history: Option<bool>,
    /// Whether alternates outside the repository are followed.
    pub follow_alternates: Option<bool>,
    /// Detector ids that are turned off.
    pub disable: Vec<String>,
    /// Detector files of the user, as absolute paths.
    pub detector_files: Vec<PathBuf>,
    /// The baseline file, as an absolute path.
    pub baseline: Option<PathBuf>,
    /// Least severity that makes the exit code 1.
    pub fail_on: Option<Severity>,
    /// Least confidence that is reported.
    pub min_confidence: Option<Confidence>,
    /// Whether markers of other scanners count.
    pub foreign_ignores: Option<bool>,
    /// What is allowed.
    pub allow: Vec<Allow>,
    /// What is odd about it and must be said: it silences everything, for one.
    pub warnings: Vec<String>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML of the known tables and keys.
    #[error("{}: {message}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// The parser's message, with line and column.
        message: String,
    },
    /// A value that cannot be right.
    #[error("{}:{line}: {message}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// 1-based.
        line: usize,
        /// What is wrong and how to mend it.
        message: String,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct File {
    scan: ScanTable,
    detectors: DetectorsTable,
    report: ReportTable,
    allow: Vec<AllowTable>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct ScanTable {
    exclude: Vec<toml::Spanned<String>>,
    include_ignored: Option<bool>,
    history: Option<bool>,
    follow_alternates: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct DetectorsTable {
    disable: Vec<toml::Spanned<String>>,
    files: Vec<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct ReportTable {
    baseline: Option<PathBuf>,
    fail_on: Option<Severity>,
    min_confidence: Option<Confidence>,
    foreign_ignores: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct AllowTable {
    #[serde(default)]
    detectors: Vec<toml::Spanned<String>>,
    #[serde(default)]
    paths: Vec<toml::Spanned<String>>,
    #[serde(default)]
    values: Vec<toml::Spanned<String>>,
    reason: toml::Spanned<String>,
}

/// The nearest configuration file from `start` upward, not above `root`.
pub fn discover(start: &Path, root: &Path) -> Option<PathBuf> {
    let start = if start.is_file() {
        start.parent()?
    } else {
        start
    };
    for folder in start.ancestors() {
        let found = FILE_NAMES
            .iter()
            .map(|name| folder.join(name))
            .find(|path| path.is_file());
        if found.is_some() || folder == root {
            return found;
        }
    }
    None
}

/// Reads and checks `path`; ids are checked against `detectors` (and those of its own files are
/// taken on trust, since they are loaded later).
pub fn load(path: &Path, detectors: &DetectorSet) -> Result<Config, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    parse(&text, path, detectors)
}

fn parse(text: &str, path: &Path, detectors: &DetectorSet) -> Result<Config, ConfigError> {
    let file: File = toml::from_str(text).map_err(|error| ConfigError::Parse {
        path: path.to_owned(),
        message: error.to_string().trim_end().to_owned(),
    })?;
    let reader = Reader {
        text,
        path,
        detectors,
        own_detectors: !file.detectors.files.is_empty(),
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut warnings = Vec::new();
    let everything = |globs: &GlobSet| {
        ["a", "a/b", ".c/d.e", "src/main.rs"]
            .iter()
            .all(|path| globs.is_match(path))
    };
    if everything(&reader.globs(&file.scan.exclude)?) {
        warnings.push("`scan.exclude` leaves out every file: nothing will be scanned".to_owned());
    }
    let disable = reader.ids(&file.detectors.disable)?;
    if detectors
        .iter()
        .all(|(_, detector)| disable.iter().any(|id| *id == detector.id))
    {
        warnings.push("`detectors.disable` turns off every built-in detector".to_owned());
    }
    let mut allow = Vec::new();
    for table in &file.allow {
        let entry = reader.allow(table)?;
        let any_path = entry.paths.as_ref().is_none_or(everything);
        let any_value =
            entry.values.is_empty() || entry.values.iter().any(|v| v.is_match(b"\x00x\xff"));
        if entry.detectors.is_empty() && any_path && any_value {
            let line = reader.line(&table.reason);
            warnings.push(format!(
                "the [[allow]] at line {line} silences every finding"
            ));
        }
        allow.push(entry);
    }
    Ok(Config {
        path: Some(path.to_owned()),
        exclude: file
            .scan
            .exclude
            .iter()
            .map(|pattern| pattern.get_ref().clone())
            .collect(),
        include_ignored: file.scan.include_ignored,
        history: file.scan.history,
        follow_alternates: file.scan.follow_alternates,
        disable,
        detector_files: file
            .detectors
            .files
            .iter()
            .map(|file| folder.join(file))
            .collect(),
        baseline: file.report.baseline.map(|file| folder.join(file)),
        fail_on: file.report.fail_on,
        min_confidence: file.report.min_confidence,
        foreign_ignores: file.report.foreign_ignores,
        allow,
        warnings,
    })
}

/// Builds a set of path patterns: `*` within a name, `**` across folders; a pattern without a
/// slash matches at any depth, as in `.gitignore`.
pub fn globs<'g>(patterns: impl IntoIterator<Item = &'g str>) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let trimmed = pattern.trim_start_matches("./").trim_end_matches('/');
        let anywhere = !trimmed.contains('/');
        let base = match anywhere {
            true => format!("**/{trimmed}"),
            false => trimmed.trim_start_matches('/').to_owned(),
        };
        // A folder's name stands for what is in it.
        set.add(Glob::new(&base)?);
        set.add(Glob::new(&format!("{base}/**"))?);
    }
    set.build()
}

struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
    detectors: &'a DetectorSet,
    own_detectors: bool,
}

impl Reader<'_> {
    fn line<T>(&self, value: &toml::Spanned<T>) -> usize {
        let before = self
            .text
            .as_bytes()
            .get(..value.span().start)
            .unwrap_or_default();
        before.iter().filter(|&&byte| byte == b'\n').count() + 1
    }

    fn wrong<T>(&self, value: &toml::Spanned<T>, message: String) -> ConfigError {
        ConfigError::Value {
            path: self.path.to_owned(),
            line: self.line(value),
            message,
        }
    }

    fn globs(&self, patterns: &[toml::Spanned<String>]) -> Result<GlobSet, ConfigError> {
        for pattern in patterns {
            if pattern.get_ref().trim().is_empty() {
                return Err(self.wrong(
                    pattern,
                    "an empty path pattern matches nothing: remove it".into(),
                ));
            }
            globs([pattern.get_ref().as_str()])
                .map_err(|error| self.wrong(pattern, format!("not a path pattern: {error}")))?;
        }
        let all = globs(patterns.iter().map(|pattern| pattern.get_ref().as_str()));
        Ok(all.unwrap_or_default())
    }

    fn ids(&self, ids: &[toml::Spanned<String>]) -> Result<Vec<String>, ConfigError> {
        for id in ids {
            let known = self.own_detectors || self.detectors.find(id.get_ref()).is_some();
            if !known {
                let message = format!(
                    "no detector `{}`; `straykey detectors list` shows all",
                    id.get_ref()
                );
                return Err(self.wrong(id, message));
            }
        }
        Ok(ids.iter().map(|id| id.get_ref().clone()).collect())
    }

    fn allow(&self, table: &AllowTable) -> Result<Allow, ConfigError> {
        if table.reason.get_ref().trim().is_empty() {
            return Err(self.wrong(&table.reason, "an [[allow]] needs a reason".into()));
        }
        let mut values = Vec::new();
        for pattern in &table.values {
            let syntax = syntax::Config::new().unicode(false).utf8(false);
            let regex = Regex::builder().syntax(syntax).build(pattern.get_ref());
            values.push(regex.map_err(|error| {
                self.wrong(pattern, format!("not a regular expression: {error}"))
            })?);
        }
        Ok(Allow {
            detectors: self.ids(&table.detectors)?,
            paths: match table.paths.is_empty() {
                true => None,
                false => Some(self.globs(&table.paths)?),
            },
            values,
            reason: table.reason.get_ref().clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, ConfigError> {
        parse(text, Path::new("straykey.toml"), &DetectorSet::builtin())
    }

    #[test]
    fn a_full_file_is_understood() {
        let config = read(
            r#"
            [scan]
            exclude = ["vendor/", "*.min.js"]
            history = false
            [detectors]
            disable = ["github-pat"]
            [report]
            fail-on = "high"
            baseline = "ci/straykey.baseline"
            [[allow]]
            paths = ["tests/**"]
            reason = "fixtures"
            "#,
        )
        .expect("valid");
        let exclude = globs(config.exclude.iter().map(String::as_str)).expect("valid");
        assert!(exclude.is_match("vendor/a/b.c"));
        assert!(exclude.is_match("web/x.min.js"));
        assert!(!exclude.is_match("src/vendor.rs"));
        assert_eq!(config.history, Some(false));
        assert_eq!(config.fail_on, Some(Severity::High));
        assert_eq!(config.allow.len(), 1);
        assert!(config.warnings.is_empty());
    }

    #[test]
    fn mistakes_name_the_line_and_the_fix() {
        for (text, expected) in [
            ("[scan]\nexcude = []\n", "excude"),
            (
                "[detectors]\ndisable = [\n\"nope\"]\n",
                "straykey.toml:3: no detector `nope`",
            ),
            (
                "[scan]\nexclude = [\"a[\"]\n",
                "straykey.toml:2: not a path pattern",
            ),
            (
                "[[allow]]\nvalues = [\"(\"]\nreason = \"x\"\n",
                "straykey.toml:2: not a regular",
            ),
            ("[[allow]]\npaths = [\"a\"]\n", "reason"),
            (
                "[[allow]]\npaths = [\"a\"]\nreason = \" \"\n",
                "needs a reason",
            ),
            ("[report]\nfail-on = \"huge\"\n", "huge"),
        ] {
            let error = read(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn a_file_that_silences_everything_says_so() {
        for text in [
            "[scan]\nexclude = [\"**\"]\n",
            "[scan]\nexclude = [\"*\"]\n",
            "[[allow]]\nreason = \"quiet\"\n",
            "[[allow]]\nvalues = [\".*\"]\nreason = \"quiet\"\n",
            "[[allow]]\npaths = [\"**/*\"]\nreason = \"quiet\"\n",
        ] {
            assert_eq!(read(text).expect("valid").warnings.len(), 1, "{text}");
        }
    }
}
