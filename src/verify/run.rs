//! Makes the checks: a few at a time, host by host, and remembers each verdict as it comes.
//!
//! A host gets so many requests at a time and in a second; one that asks for rest gets it, and when
//! it asks again its other secrets stay unknown. What a report holds does not depend on the order
//! of answers.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use super::cache::Cache;
use super::net::{Caller, Event, Net, NetError, NetOptions, random};
use super::plan::{Decision, Job, decide};
use super::{Asker, Settings, Verdict, rank};
use crate::detector::{DetectorSet, VerifierClass};
use crate::finding::Finding;
use crate::model::{Liveness, Outcome, Reason, Secret};

/// Longest rest that a host is given, in seconds.
const LONGEST_REST: u64 = 30;
/// Rest of a host that does not say how long, in seconds.
const USUAL_REST: u64 = 5;
/// Failed connections after which a host is not asked any more.
const FAILURES: u32 = 5;

/// What was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// Checks that were made; equal ones are one.
    pub checks: u64,
    /// Checks whose verdict was remembered.
    pub remembered: u64,
    /// Calls over the network.
    pub calls: u64,
}

/// Asks about all of `findings` and writes on each what was learnt. `progress` is told how many
/// checks are done, of how many.
pub fn verify(
    findings: &mut [Finding],
    detectors: &DetectorSet,
    settings: &Settings,
    network: NetOptions,
    cache: Option<&Cache>,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Summary, NetError> {
    let net = Net::new(network)?;
    let own;
    let key = match cache {
        Some(cache) => cache.key(),
        None => {
            own = random();
            &own
        }
    };
    let decided = decide(findings, detectors, settings, key);
    let mut jobs: BTreeMap<&[u8], &Job<'_>> = BTreeMap::new();
    let mut order = Vec::new();
    for decision in decided.iter().flatten() {
        if let Decision::Ask(job) = decision
            && jobs.insert(&job.key, job).is_none()
        {
            order.push(&**job);
        }
    }
    let total = order.len() as u64;
    let mut verdicts: BTreeMap<&[u8], Verdict> = BTreeMap::new();
    let mut left = Vec::new();
    for job in order {
        match cache.and_then(|cache| cache.get(&job.key, settings.now)) {
            Some(verdict) => {
                verdicts.insert(&job.key, verdict);
            }
            None => left.push(job),
        }
    }
    let remembered = verdicts.len() as u64;
    progress(remembered, total);
    let run = Run {
        net: &net,
        settings,
        cache,
        state: Mutex::new(State::of(&left, settings)),
        turn: Condvar::new(),
        jobs: &left,
        since: Instant::now(),
    };
    thread::scope(|scope| {
        for _ in 0..settings.workers.clamp(1, left.len().max(1)) {
            scope.spawn(|| run.work(&|done| progress(remembered + done, total)));
        }
    });
    let state = run
        .state
        .into_inner()
        .unwrap_or_else(|held| held.into_inner());
    for (job, verdict) in left.iter().zip(state.verdicts) {
        let verdict = verdict.unwrap_or_else(|| Verdict::unknown(Reason::Protocol));
        verdicts.insert(&job.key, verdict);
    }
    let summary = Summary {
        checks: left.len() as u64,
        remembered,
        calls: net.calls(),
    };
    let found: Vec<_> = decided
        .iter()
        .map(|decisions| together(decisions, &verdicts))
        .collect();
    drop(verdicts);
    for (finding, liveness) in findings.iter().zip(&found) {
        record(&net, finding, liveness);
    }
    drop(decided);
    for (finding, liveness) in findings.iter_mut().zip(found) {
        finding.liveness = Some(liveness);
    }
    Ok(summary)
}

fn record(net: &Net, finding: &Finding, liveness: &Liveness) {
    let Some(audit) = net.audit() else { return };
    audit.write(&Event {
        verifier: liveness.verifier.as_deref().unwrap_or_default(),
        host: liveness.host.as_deref(),
        reason: liveness.outcome.reason().map(Reason::as_str),
        outcome: Some(liveness.outcome.as_str()),
        ..Event::about("verdict", finding.id.as_str())
    });
}

/// What the choices of a finding's parts say together.
fn together(decisions: &[Decision<'_>], verdicts: &BTreeMap<&[u8], Verdict>) -> Liveness {
    let each: Vec<Liveness> = decisions
        .iter()
        .map(|decision| match decision {
            Decision::Ask(job) => {
                let verdict = verdicts.get(job.key.as_slice());
                let verdict = verdict.cloned();
                let verdict = verdict.unwrap_or_else(|| Verdict::unknown(Reason::Protocol));
                liveness(job, verdict)
            }
            Decision::Decided {
                outcome,
                verifier,
                host,
            } => Liveness {
                outcome: *outcome,
                verifier: verifier.clone(),
                host: host.clone(),
                identity: Vec::new(),
            },
        })
        .collect();
    let several = each.len() > 1;
    let best = each.into_iter().min_by_key(|it| rank(it.outcome));
    let mut best = best.unwrap_or_else(|| Liveness::skipped(Reason::NoVerifier));
    // None of several pairs works: perhaps none of them is the right one.
    if several && best.outcome == Outcome::Dead {
        best.outcome = Outcome::Unknown(Reason::Unpaired);
    }
    best
}

fn liveness(job: &Job<'_>, verdict: Verdict) -> Liveness {
    let holds = |text: &str, secret: &Secret| {
        let secret = secret.expose();
        !secret.is_empty() && memchr::memmem::find(text.as_bytes(), secret).is_some()
    };
    // Some providers send the key back.
    let clean = |text: &String| !holds(text, job.subject.secret);
    let said = verdict.identity.into_iter();
    Liveness {
        outcome: verdict.outcome,
        verifier: Some(job.who.name()),
        host: job.targets.first().map(|target| target.host.clone()),
        identity: said
            .filter(|(_, text)| clean(text))
            .map(|(field, text)| (field.as_str().to_owned(), text))
            .collect(),
    }
}

struct Run<'a> {
    net: &'a Net,
    settings: &'a Settings,
    cache: Option<&'a Cache>,
    state: Mutex<State>,
    turn: Condvar,
    jobs: &'a [&'a Job<'a>],
    /// When it was the time of the settings.
    since: Instant,
}

struct State {
    hosts: Vec<Host>,
    verdicts: Vec<Option<Verdict>>,
    tries: Vec<u32>,
    done: u64,
}

/// Who is asked, and how it bears that.
struct Host {
    waiting: VecDeque<usize>,
    in_flight: usize,
    next: Instant,
    pause: Duration,
    failures: u32,
    rested: bool,
}

impl State {
    fn of(jobs: &[&Job<'_>], settings: &Settings) -> Self {
        let mut places: BTreeMap<&str, Host> = BTreeMap::new();
        for (at, job) in jobs.iter().enumerate() {
            let name = job.targets.first().map_or("", |target| &target.host);
            let host = places.entry(name).or_insert_with(|| Host {
                waiting: VecDeque::new(),
                in_flight: 0,
                next: Instant::now(),
                pause: Duration::ZERO,
                failures: 0,
                rested: false,
            });
            let class = match job.who.class() {
                VerifierClass::Login => 1.0,
                _ => f64::INFINITY,
            };
            let own = job.who.rate().unwrap_or(f64::INFINITY);
            let rate = settings.rate.min(own).min(class.max(settings.rate / 2.0));
            let pause = Duration::try_from_secs_f64(1.0 / rate).unwrap_or_default();
            host.pause = host.pause.max(pause);
            host.waiting.push_back(at);
        }
        Self {
            hosts: places.into_values().collect(),
            verdicts: jobs.iter().map(|_| None).collect(),
            tries: vec![0; jobs.len()],
            done: 0,
        }
    }
}

/// What a worker does next.
enum Turn {
    Ask { host: usize, job: usize },
    Wait(Duration),
    End,
}

impl Run<'_> {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|held| held.into_inner())
    }

    fn work(&self, progress: &dyn Fn(u64)) {
        let mut state = self.lock();
        loop {
            match self.turn(&mut state) {
                Turn::End => return,
                Turn::Wait(time) => {
                    let held = self.turn.wait_timeout(state, time);
                    state = held.unwrap_or_else(|held| held.into_inner()).0;
                }
                Turn::Ask { host, job } => {
                    drop(state);
                    let verdict = self.ask(self.jobs[job]);
                    state = self.lock();
                    self.settle(&mut state, host, job, verdict);
                    progress(state.done);
                    self.turn.notify_all();
                }
            }
        }
    }

    fn turn(&self, state: &mut State) -> Turn {
        let now = Instant::now();
        let mut soonest: Option<Duration> = None;
        let mut busy = false;
        for (at, host) in state.hosts.iter_mut().enumerate() {
            busy |= host.in_flight > 0;
            if host.waiting.is_empty() || host.in_flight >= self.settings.in_flight {
                continue;
            }
            let wait = host.next.saturating_duration_since(now);
            if !wait.is_zero() {
                soonest = Some(soonest.map_or(wait, |other| other.min(wait)));
                continue;
            }
            if let Some(job) = host.waiting.pop_front() {
                host.in_flight += 1;
                host.next = now + host.pause;
                return Turn::Ask { host: at, job };
            }
        }
        let waiting = state.hosts.iter().any(|host| !host.waiting.is_empty());
        match (soonest, waiting || busy) {
            (Some(wait), _) => Turn::Wait(wait),
            (None, true) => Turn::Wait(Duration::from_millis(500)),
            (None, false) => Turn::End,
        }
    }

    fn ask(&self, job: &Job<'_>) -> Verdict {
        let verifier = job.who.name();
        let nonce = data_encoding::HEXLOWER.encode(&random()[..16]);
        let asker = Asker {
            net: self.net,
            caller: Caller {
                finding: job.subject.finding,
                verifier: &verifier,
                class: job.who.class().as_str(),
            },
            // Signatures carry the time, and a run may last longer than they are taken.
            now: self.settings.now + self.since.elapsed().as_secs() as i64,
            nonce,
        };
        job.who.check(&job.subject, self.settings, &asker)
    }

    /// Keeps a verdict, or puts the check back: once for a host that wants rest, and once for a
    /// connection that failed where asking twice does nothing.
    fn settle(&self, state: &mut State, at: usize, job: usize, verdict: Verdict) {
        let now = Instant::now();
        let host = &mut state.hosts[at];
        host.in_flight -= 1;
        let class = self.jobs[job].who.class();
        let repeats = matches!(class, VerifierClass::Read | VerifierClass::Introspect);
        let first = state.tries[job] == 0;
        state.tries[job] += 1;
        match verdict.outcome {
            Outcome::Unknown(Reason::RateLimited) => {
                let rest = verdict.retry_after.unwrap_or(USUAL_REST);
                if rest <= LONGEST_REST && !host.rested && first {
                    host.rested = true;
                    host.next = now + Duration::from_secs(rest);
                    host.waiting.push_front(job);
                    return;
                }
                self.end(state, at, Reason::RateLimited);
            }
            Outcome::Unknown(reason @ (Reason::Refused | Reason::Timeout | Reason::Dns)) => {
                host.failures += 1;
                if host.failures >= FAILURES {
                    self.end(state, at, reason);
                } else if first && repeats && reason == Reason::Refused {
                    host.waiting.push_back(job);
                    return;
                }
            }
            _ => host.failures = 0,
        }
        self.keep(state, job, verdict);
    }

    /// Gives up on a host: what waits for it stays unknown.
    fn end(&self, state: &mut State, host: usize, reason: Reason) {
        let waiting = std::mem::take(&mut state.hosts[host].waiting);
        for job in waiting {
            self.keep(state, job, Verdict::unknown(reason));
        }
    }

    fn keep(&self, state: &mut State, job: usize, verdict: Verdict) {
        if let Some(cache) = self.cache {
            cache.put(&self.jobs[job].key, &verdict, self.settings.now);
        }
        state.done += 1;
        state.verdicts[job] = Some(verdict);
    }
}
