//! Arguments.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use straykey::model::{Confidence, Severity};

/// Finds the keys that strayed from the vault: long-lived secrets in work trees, git history and
/// CI definitions.
#[derive(Parser, Debug)]
#[command(
    name = "straykey",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 clean, 1 findings, 2 usage or configuration error, \
                  3 incomplete (something could not be scanned; outranks 1)."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Scan work trees, git history, staged changes, ranges or standard input.
    #[command(visible_aliases = ["dir", "detect"])]
    Scan(Box<Scan>),
    /// Accept what is known: write or update the baseline file.
    #[command(subcommand)]
    Baseline(Box<Baseline>),
    /// Install git hooks, or run as one.
    #[command(subcommand)]
    Hook(Hook),
    /// Ask providers whether secrets are live: those of a report, or one from standard input.
    #[cfg(feature = "verify")]
    Verify(Box<VerifyCommand>),
    /// Have providers revoke secrets: those of a report, or one from standard input.
    #[cfg(feature = "verify")]
    Revoke(Box<RevokeCommand>),
    /// List, show, test or measure detectors.
    #[command(subcommand)]
    Detectors(Detectors),
}

#[derive(clap::Args, Debug)]
pub(crate) struct Scan {
    #[command(flatten)]
    pub(crate) what: What,

    #[command(flatten)]
    pub(crate) how: How,

    /// Write a report: a format, or FORMAT=PATH; repeatable. Without a path it goes to standard
    /// output, which takes one [default: text]
    #[arg(short, long, value_name = "FORMAT[=PATH]", help_heading = "Report")]
    pub(crate) format: Vec<String>,

    /// Where the report goes that has no path of its own
    #[arg(short, long, value_name = "PATH", help_heading = "Report")]
    pub(crate) output: Option<PathBuf>,

    /// Print secrets in clear, in text, json and jsonl reports only
    #[arg(long, help_heading = "Report")]
    pub(crate) show_secrets: bool,

    /// Say for each finding that its name tells what the model adds up
    #[arg(long, help_heading = "Report")]
    pub(crate) explain: bool,

    /// SARIF: add a run with the findings that are only in history
    #[arg(long, help_heading = "Report")]
    pub(crate) sarif_history: bool,

    /// SARIF: add suppressed findings with their suppression
    #[arg(long, help_heading = "Report")]
    pub(crate) sarif_include_suppressed: bool,

    /// Least severity that makes the exit code 1, or `live` [default: note]
    #[arg(long, value_name = "SEVERITY", value_parser = gates(), help_heading = "Report")]
    pub(crate) fail_on: Option<String>,

    /// Exit 0 when there are findings; errors and incomplete scans still say so
    #[arg(long, help_heading = "Report")]
    pub(crate) exit_zero: bool,

    /// Colours and progress
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Report"
    )]
    pub(crate) color: Color,

    /// No progress and no summary on standard error
    #[arg(short, long, help_heading = "Report")]
    pub(crate) quiet: bool,

    /// Ask providers whether the secrets are live; this uses them
    #[cfg(feature = "verify")]
    #[arg(long, help_heading = "Verification")]
    pub(crate) verify: bool,

    #[cfg(feature = "verify")]
    #[command(flatten)]
    pub(crate) asking: Asking,

    /// No network, whatever else is said
    #[arg(long, help_heading = "Verification")]
    pub(crate) offline: bool,
}

/// Who may be asked, and how.
#[cfg(feature = "verify")]
#[derive(clap::Args, Debug)]
pub(crate) struct Asking {
    /// Only say who would be asked what; nothing is sent, no name looked up
    #[arg(long, visible_alias = "plan", help_heading = "Verification")]
    pub(crate) verify_plan: bool,

    /// Further classes of calls: login (a failure may count towards a lock-out), probe-write;
    /// repeatable, or with commas
    #[arg(long, value_name = "CLASS", value_delimiter = ',', value_parser = classes(), help_heading = "Verification")]
    pub(crate) verify_class: Vec<String>,

    /// A host of scanned text that may be asked: vault.example.com, *.example.com; repeatable
    #[arg(long, value_name = "HOST", help_heading = "Verification")]
    pub(crate) verify_host: Vec<String>,

    /// Ask only hosts that --verify-host and --endpoint name
    #[arg(long, help_heading = "Verification")]
    pub(crate) verify_own_only: bool,

    /// Of live secrets ask once more, what they belong to and may do, where a verifier knows how
    #[arg(long, help_heading = "Verification")]
    pub(crate) verify_detail: bool,

    /// AWS account that is not asked about; repeatable
    #[arg(long, value_name = "ACCOUNT", help_heading = "Verification")]
    pub(crate) skip_account: Vec<String>,

    /// The only AWS accounts that are asked about; repeatable
    #[arg(long, value_name = "ACCOUNT", help_heading = "Verification")]
    pub(crate) only_account: Vec<String>,

    /// Requests to one host in a second
    #[arg(
        long,
        value_name = "N",
        default_value_t = 2.0,
        help_heading = "Verification"
    )]
    pub(crate) verify_rate: f64,

    /// Requests at a time; at most 2 to one host
    #[arg(
        long,
        value_name = "N",
        default_value_t = 16,
        help_heading = "Verification"
    )]
    pub(crate) verify_jobs: usize,

    /// Most requests of this run
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1000,
        help_heading = "Verification"
    )]
    pub(crate) verify_max_requests: u64,

    /// Remember verdicts in this folder: live for an hour, dead for a day
    #[arg(long, value_name = "DIR", help_heading = "Verification")]
    pub(crate) verify_cache: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) reaching: Reaching,
}

/// How they are reached.
#[cfg(feature = "verify")]
#[derive(clap::Args, Debug)]
pub(crate) struct Reaching {
    /// Where a provider is, instead of its own address: NAME=URL; repeatable
    #[arg(long, value_name = "NAME=URL", help_heading = "Verification")]
    pub(crate) endpoint: Vec<String>,

    /// Open a network that is closed otherwise (loopback, private, link-local); repeatable
    #[arg(long, value_name = "CIDR", help_heading = "Verification")]
    pub(crate) allow_net: Vec<String>,

    /// Trust the certificates of this PEM file too
    #[arg(long, value_name = "FILE", help_heading = "Verification")]
    pub(crate) ca_file: Option<PathBuf>,

    /// Let the proxy alone resolve names; otherwise they are resolved and checked here as well
    #[arg(long, help_heading = "Verification")]
    pub(crate) verify_via_proxy_dns: bool,

    /// Seconds for one request
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 10,
        help_heading = "Verification"
    )]
    pub(crate) verify_timeout: u64,

    /// Append each call to this file, before and after it is made (JSON lines, no secrets)
    #[arg(long, value_name = "FILE", help_heading = "Verification")]
    pub(crate) verify_log: Option<PathBuf>,

    /// What is added to the user agent, so that a provider knows whom to ask
    #[arg(long, value_name = "TEXT", help_heading = "Verification")]
    pub(crate) user_agent_suffix: Option<String>,
}

/// Secrets that are known already.
#[cfg(feature = "verify")]
#[derive(clap::Args, Debug)]
pub(crate) struct Given {
    /// A report of `straykey scan --format json`, or `-` for one secret on standard input
    #[arg(value_name = "REPORT|-")]
    pub(crate) report: PathBuf,

    /// What the report is of; it is scanned again, because a report holds no secrets [default: .]
    #[arg(value_name = "TARGET")]
    pub(crate) targets: Vec<PathBuf>,

    /// The kind of the secret on standard input
    #[arg(long, value_name = "ID")]
    pub(crate) detector: Option<String>,

    /// What the secret on standard input is used with: NAME=VALUE, or NAME=@FILE for what other
    /// processes must not see; repeatable
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) part: Vec<String>,

    /// Only the findings with these ids; repeatable
    #[arg(long, value_name = "FINDING")]
    pub(crate) id: Vec<String>,

    /// Add the detectors of a file or folder; repeatable
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) detectors: Vec<PathBuf>,
}

/// `straykey revoke`
#[cfg(feature = "verify")]
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Exit codes: 0 all are revoked or were dead, or only the plan was printed; \
                        2 usage error; 3 something is not known to be revoked."
)]
pub(crate) struct RevokeCommand {
    #[command(flatten)]
    pub(crate) what: Given,

    /// Do it; otherwise only the plan is printed
    #[arg(long)]
    pub(crate) yes: bool,

    #[command(flatten)]
    pub(crate) reaching: Reaching,

    /// No network, whatever else is said
    #[arg(long, help_heading = "Verification")]
    pub(crate) offline: bool,
}

/// `straykey verify`
#[cfg(feature = "verify")]
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Exit codes: 0 nothing is live, 1 something is, 2 usage error, 3 nothing is \
                        known to be live and something could not be found out."
)]
pub(crate) struct VerifyCommand {
    #[command(flatten)]
    pub(crate) what: Given,

    /// Write a report: a format, or FORMAT=PATH; repeatable [default: text]
    #[arg(short, long, value_name = "FORMAT[=PATH]")]
    pub(crate) format: Vec<String>,

    #[command(flatten)]
    pub(crate) asking: Asking,

    /// No network, whatever else is said
    #[arg(long, help_heading = "Verification")]
    pub(crate) offline: bool,
}

/// What is scanned; the baseline command takes the same.
#[derive(clap::Args, Debug)]
pub(crate) struct What {
    /// Repositories, folders or files; `-` is standard input [default: .]
    #[arg(value_name = "TARGET")]
    pub(crate) targets: Vec<PathBuf>,

    /// Only the work tree
    #[arg(long, conflicts_with_all = ["history_only", "staged", "range", "since"])]
    pub(crate) no_history: bool,

    /// Only the git history
    #[arg(long, conflicts_with_all = ["staged", "range", "since"])]
    pub(crate) history_only: bool,

    /// Only what the next commit would add: the index that git names
    #[arg(long, conflicts_with_all = ["range", "since"])]
    pub(crate) staged: bool,

    /// Only what the commits of a range add, also when they take it away again: A..B, A...B
    #[arg(long, value_name = "A..B", conflicts_with = "since")]
    pub(crate) range: Option<String>,

    /// Only what the commits since REF add: REF..HEAD
    #[arg(long, value_name = "REF")]
    pub(crate) since: Option<String>,

    /// Also files that git ignores and does not track
    #[arg(long)]
    pub(crate) include_ignored: bool,

    /// Leave out paths that match; repeatable
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,

    /// Leave out paths that match even when they are named as targets (for hook managers)
    #[arg(long)]
    pub(crate) force_exclude: bool,

    /// Read alternate object stores that lie outside the repository
    #[arg(long)]
    pub(crate) follow_alternates: bool,

    /// Largest git object that is scanned, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30)]
    pub(crate) max_object_size: u64,

    /// Remember in DIR which objects of the history hold nothing, so that the next scan reads only
    /// what is new, and one that was interrupted goes on; the report is the same
    #[arg(long, value_name = "DIR", conflicts_with_all = ["no_history", "staged", "range", "since"])]
    pub(crate) state: Option<PathBuf>,

    /// Scan every object of the history whole, not only what differs from its delta base; the
    /// findings are the same
    #[arg(long)]
    pub(crate) no_delta_scan: bool,
}

/// How it is judged.
#[derive(clap::Args, Debug)]
pub(crate) struct How {
    /// Read this configuration instead of the nearest straykey.toml
    #[arg(short, long, value_name = "FILE", help_heading = "Judgement")]
    pub(crate) config: Option<PathBuf>,

    /// Read no straykey.toml
    #[arg(long, conflicts_with = "config", help_heading = "Judgement")]
    pub(crate) no_config: bool,

    /// Add the detectors of a file or folder; repeatable
    #[arg(long, value_name = "FILE|DIR", help_heading = "Judgement")]
    pub(crate) detectors: Vec<PathBuf>,

    /// Only these detectors; repeatable
    #[arg(long, value_name = "ID", help_heading = "Judgement")]
    pub(crate) only: Vec<String>,

    /// Least confidence that is reported [default: low]
    #[arg(long, value_name = "CONFIDENCE", value_parser = confidences(), help_heading = "Judgement")]
    pub(crate) min_confidence: Option<String>,

    /// Accept the findings of this baseline file
    #[arg(short, long, value_name = "FILE", help_heading = "Judgement")]
    pub(crate) baseline: Option<PathBuf>,

    /// Ignore the comments of other scanners (`gitleaks:allow` and the like)
    #[arg(long, help_heading = "Judgement")]
    pub(crate) no_foreign_ignores: bool,

    /// Make finding ids with this organisation key (32 bytes or more), so that they link values
    /// across repositories
    #[arg(long, value_name = "FILE", help_heading = "Judgement")]
    pub(crate) fingerprint_key_file: Option<PathBuf>,

    /// Threads [default: one for each core]
    #[arg(
        short = 'j',
        long,
        value_name = "N",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub(crate) threads: usize,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Baseline {
    /// Write a new baseline with all present findings.
    Create {
        #[command(flatten)]
        what: What,
        #[command(flatten)]
        how: How,
        /// Replace a baseline that exists
        #[arg(long)]
        force: bool,
    },
    /// Add present findings to the baseline and drop those that are gone.
    Update {
        #[command(flatten)]
        what: What,
        #[command(flatten)]
        how: How,
        /// Keep entries that are not found any more
        #[arg(long)]
        keep: bool,
    },
}

#[derive(Subcommand, Debug)]
pub(crate) enum Hook {
    /// Install hooks into the repository here; hooks that exist are kept and called first.
    Install {
        /// Which [default: both]
        #[arg(long, value_name = "HOOK")]
        hook: Vec<HookKind>,
        /// Write the command instead of the hook file
        #[arg(long)]
        print: bool,
    },
    /// Remove the hooks that `install` wrote; what was there before comes back.
    Uninstall,
    /// Scan what the next commit would add (what the pre-commit hook calls).
    PreCommit,
    /// Scan what a push would publish; reads git's lines from standard input.
    PrePush {
        /// The remote's name, as git passes it
        remote: Option<String>,
        /// The remote's URL, as git passes it
        url: Option<String>,
    },
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum HookKind {
    PreCommit,
    PrePush,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Detectors {
    /// List all detectors, one a line: id, severity, lifetime, name.
    List,
    /// Show everything about one detector.
    Show {
        /// Its id, or another scanner's id for the same thing
        id: String,
    },
    /// Check detector files and run their examples.
    Test {
        /// A detector file, or a folder of them
        #[arg(value_name = "FILE", required = true, action = ArgAction::Append)]
        files: Vec<PathBuf>,
    },
    /// List who can be asked whether secrets are live: verifier, class, endpoint, hosts, kinds.
    #[cfg(feature = "verify")]
    Verifiers,
    /// Measure how often the anchors of detectors stand in ordinary text.
    Lint(Lint),
    /// Count the built-in detectors by category and kind, and compare them with a list.
    Coverage(Coverage),
}

#[derive(clap::Args, Debug)]
pub(crate) struct Coverage {
    /// A list of providers, one a line, or Markdown with items `- tier N (…): name, name`
    #[arg(long, value_name = "FILE")]
    pub(crate) list: Option<PathBuf>,
}

#[derive(clap::Args, Debug)]
pub(crate) struct Lint {
    /// Folders or files of ordinary text; all files count, also those that git ignores
    #[arg(value_name = "CORPUS", required = true)]
    pub(crate) corpus: Vec<PathBuf>,

    /// Lint the detectors of a file or folder instead of the built-in ones; repeatable
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) detectors: Vec<PathBuf>,

    /// Most hits of all anchors in a million bytes
    #[arg(long, value_name = "HITS", default_value_t = 150.0)]
    pub(crate) max_total: f64,

    /// Most hits of one detector's anchors in a million bytes
    #[arg(long, value_name = "HITS", default_value_t = 20.0)]
    pub(crate) max_detector: f64,

    /// Lines of each table; 0 shows everything
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) top: usize,
}

fn gates() -> PossibleValuesParser {
    use Severity::{Critical, High, Low, Medium, Note};
    let words = [Note, Low, Medium, High, Critical].map(Severity::as_str);
    words.into_iter().chain(["live"]).collect::<Vec<_>>().into()
}

#[cfg(feature = "verify")]
fn classes() -> PossibleValuesParser {
    use straykey::detector::VerifierClass;
    VerifierClass::ALL.map(VerifierClass::as_str).into()
}

fn confidences() -> PossibleValuesParser {
    use Confidence::{Certain, High, Low, Medium};
    [Low, Medium, High, Certain].map(Confidence::as_str).into()
}

/// A word that the parser has let through.
pub(crate) fn severity(word: &str) -> Severity {
    use Severity::{Critical, High, Low, Medium, Note};
    let all = [Note, Low, Medium, High, Critical];
    all.into_iter().find(|s| s.as_str() == word).unwrap_or(Note)
}

/// A word that the parser has let through.
pub(crate) fn confidence(word: &str) -> Confidence {
    use Confidence::{Certain, High, Low, Medium};
    let all = [Low, Medium, High, Certain];
    all.into_iter().find(|c| c.as_str() == word).unwrap_or(Low)
}
