//! Verification against real sockets on the loopback: recordings that are replayed, the policy of
//! addresses, pace, plans.

mod commands;
mod logins;
mod policy;
mod replay;
pub(crate) mod server;

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

use straykey::detector::{Detector, DetectorSet};
use straykey::engine::Engine;
use straykey::finding::Finding;
use straykey::scan::{self, Quiet, Request, Target};
use straykey::verify::Settings;
use straykey::verify::net::{Limits, NetOptions, System};

/// What a scan of `text` finds with `detectors`.
pub(crate) fn findings(detectors: &Arc<DetectorSet>, text: &str) -> Vec<Finding> {
    let engine = Engine::new(detectors.clone());
    let request = Request {
        targets: vec![Target::Stdin],
        ..Request::default()
    };
    let input = Box::new(Cursor::new(text.to_owned().into_bytes()));
    let outcome = scan::run(&request, &engine, input, &Quiet).expect("standard input is read");
    outcome.findings
}

pub(crate) fn set(detectors: &[Detector]) -> Arc<DetectorSet> {
    Arc::new(DetectorSet::new(detectors.to_vec()))
}

/// The network with the loopback opened.
pub(crate) fn network() -> NetOptions {
    NetOptions {
        allowed: vec!["127.0.0.0/8".parse().expect("a range")],
        ca_file: None,
        proxy: None,
        user_agent: "straykey-test".into(),
        limits: Limits::default(),
        resolver: Box::new(System),
        audit: None,
    }
}

/// All classes, the endpoint `name` at `url`, no waiting.
pub(crate) fn settings(name: &str, url: &str) -> Settings {
    Settings {
        classes: straykey::detector::VerifierClass::ALL.into(),
        endpoints: BTreeMap::from([(name.to_owned(), url.to_owned())]),
        rate: 10_000.0,
        now: 1_790_000_000,
        ..Settings::default()
    }
}
