//! What verification needs of flags and environment, and the run itself.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use straykey::detector::{DetectorSet, VerifierClass};
use straykey::model::{Liveness, Reason};
use straykey::report::Report;
use straykey::verify::net::{Audit, Limits, NetOptions, ProxyOptions, Range, System};
use straykey::verify::{self, Cache, Plan, Settings};

use super::progress::Bar;
use crate::args::{Asking, Reaching};

/// Whether verification was configured, so that it must be meant.
pub(crate) fn is_configured(asking: &Asking) -> bool {
    let lists = [
        &asking.verify_class,
        &asking.verify_host,
        &asking.reaching.endpoint,
        &asking.reaching.allow_net,
        &asking.skip_account,
        &asking.only_account,
    ];
    lists.iter().any(|list| !list.is_empty())
        || asking.verify_own_only
        || asking.verify_detail
        || asking.reaching.verify_log.is_some()
        || asking.verify_cache.is_some()
        || asking.reaching.ca_file.is_some()
}

/// Asks about all findings of `report`; `watched` shows how far it is.
pub(crate) fn ask(
    report: &mut Report,
    asking: &Asking,
    offline: bool,
    now: i64,
    watched: bool,
) -> Result<()> {
    if offline {
        for finding in &mut report.findings {
            finding.liveness = Some(Liveness::skipped(Reason::Offline));
        }
        return Ok(());
    }
    let settings = asked(asking, &report.detectors, now)?;
    let cache = asking
        .verify_cache
        .as_deref()
        .map(Cache::open)
        .transpose()?;
    let bar = watched.then(Bar::new);
    let progress = |done: u64, total: u64| {
        if let Some(bar) = &bar {
            bar.says(&format!("asked about {done} of {total}"));
        }
    };
    let calls = asking.verify_max_requests.saturating_mul(3);
    let network = network(&asking.reaching, calls)?;
    let detectors = report.detectors.clone();
    let findings = &mut report.findings;
    verify::verify(
        findings,
        &detectors,
        &settings,
        network,
        cache.as_ref(),
        &progress,
    )?;
    if let Some(bar) = &bar {
        bar.finish();
    }
    // What works comes first; otherwise the order stays.
    let live = |liveness: &Liveness| liveness.outcome.is_live();
    findings.sort_by_key(|finding| !finding.liveness.as_ref().is_some_and(live));
    Ok(())
}

/// Prints who would be asked about the findings of `report`.
pub(crate) fn plan(report: &Report, asking: &Asking, now: i64, json: bool) -> Result<()> {
    let settings = asked(asking, &report.detectors, now)?;
    let plan = verify::plan(&report.findings, &report.detectors, &settings);
    let mut out = io::stdout().lock();
    match json {
        true => {
            serde_json::to_writer_pretty(&mut out, &plan)?;
            writeln!(out)?;
        }
        false => text(&plan, &mut out)?,
    }
    Ok(())
}

fn text(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    let mut hosts: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &plan.findings {
        let verifier = finding.verifier.as_deref().unwrap_or("no verifier");
        writeln!(out, "{}  {}  {verifier}", finding.finding, finding.detector)?;
        if let Some(outcome) = finding.outcome {
            writeln!(out, "  {outcome}")?;
        }
        for call in &finding.calls {
            *hosts.entry(&call.host).or_default() += 1;
            let class = finding.class.map_or("", VerifierClass::as_str);
            let from = match call.from_text {
                true => ", host from scanned text",
                false => "",
            };
            let with = match finding.companions.as_slice() {
                [] => String::new(),
                names => format!(", with {}", names.join(", ")),
            };
            writeln!(
                out,
                "  {} {}  ({}:{}, {class}{with}{from})",
                call.method, call.url, call.host, call.port
            )?;
        }
    }
    let calls: usize = hosts.values().sum();
    writeln!(
        out,
        "{calls} calls at most, to {} hosts; nothing was sent",
        hosts.len()
    )
}

/// Who may be asked what.
fn asked(asking: &Asking, detectors: &DetectorSet, now: i64) -> Result<Settings> {
    let mut settings = Settings {
        hosts: asking
            .verify_host
            .iter()
            .map(|host| host.to_ascii_lowercase())
            .collect(),
        own_only: asking.verify_own_only,
        detail: asking.verify_detail,
        skip_accounts: asking.skip_account.iter().cloned().collect(),
        only_accounts: asking.only_account.iter().cloned().collect(),
        workers: asking.verify_jobs.clamp(1, 256),
        budget: asking.verify_max_requests,
        ..settings(&asking.reaching, detectors, now)?
    };
    match asking.verify_rate > 0.0 {
        true => settings.rate = asking.verify_rate,
        false => bail!("--verify-rate: more than 0 requests in a second"),
    }
    let named = |class: &VerifierClass| asking.verify_class.iter().any(|it| it == class.as_str());
    settings
        .classes
        .extend(VerifierClass::ALL.into_iter().filter(named));
    Ok(settings)
}

/// The usual settings with the user's endpoints.
pub(crate) fn settings(reaching: &Reaching, detectors: &DetectorSet, now: i64) -> Result<Settings> {
    let mut settings = Settings {
        now,
        ..Settings::default()
    };
    let catalogue = verify::catalogue(detectors);
    let known: BTreeSet<_> = catalogue
        .iter()
        .filter_map(|it| it.endpoint.as_deref())
        .collect();
    for wish in &reaching.endpoint {
        let (name, url) = wish
            .split_once('=')
            .ok_or_else(|| anyhow!("--endpoint {wish}: write NAME=URL"))?;
        // A name that is mistyped would leave the provider's own address in place.
        if !known.contains(name) {
            bail!(
                "--endpoint {name}: no verifier has an endpoint of this name; \
                 `straykey detectors verifiers` lists them"
            );
        }
        if !verify::is_base(url) {
            bail!(
                "--endpoint {name}: write a URL such as https://host.example, \
                 without user and query"
            );
        }
        settings.endpoints.insert(name.to_owned(), url.to_owned());
    }
    Ok(settings)
}

/// The network, for so many calls.
pub(crate) fn network(reaching: &Reaching, calls: u64) -> Result<NetOptions> {
    let range = |text: &String| -> Result<Range> {
        text.parse().with_context(|| format!("--allow-net {text}"))
    };
    let audit = match &reaching.verify_log {
        Some(path) => {
            let mut options = OpenOptions::new();
            options.create(true).append(true);
            let file = options.open(path);
            let file = file.with_context(|| format!("--verify-log {}", path.display()))?;
            Some(Audit::new(Box::new(file)))
        }
        None => None,
    };
    let mut user_agent = format!("straykey/{}", env!("CARGO_PKG_VERSION"));
    if let Some(suffix) = &reaching.user_agent_suffix {
        if !suffix.bytes().all(|c| c == b' ' || c.is_ascii_graphic()) {
            bail!("--user-agent-suffix: printable ASCII only");
        }
        user_agent = format!("{user_agent} {suffix}");
    }
    let variable = |names: &[&str]| {
        let mut found = names.iter().filter_map(|name| env::var(name).ok());
        found.find(|value| !value.is_empty())
    };
    let url = variable(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]);
    let proxy = url.map(|url| ProxyOptions {
        url,
        except: variable(&["NO_PROXY", "no_proxy"]),
        resolves: reaching.verify_via_proxy_dns,
    });
    let total = Duration::from_secs(reaching.verify_timeout.max(1));
    let usual = Limits::default();
    Ok(NetOptions {
        allowed: reaching
            .allow_net
            .iter()
            .map(range)
            .collect::<Result<_>>()?,
        ca_file: reaching.ca_file.clone(),
        proxy,
        user_agent,
        limits: Limits {
            connect: usual.connect.min(total),
            total,
            calls,
            ..usual
        },
        resolver: Box::new(System),
        audit,
    })
}

/// Whether somebody watches.
pub(crate) fn watched(quiet: bool) -> bool {
    !quiet && io::stderr().is_terminal() && env::var_os("CI").is_none()
}
