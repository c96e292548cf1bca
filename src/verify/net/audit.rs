//! The record of every call, one JSON object to a line: written before the call and after it, so
//! that what was begun is known whatever happens.

use std::fmt;
use std::io::Write;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::random;

/// Where calls are recorded.
pub struct Audit {
    out: Mutex<Box<dyn Write + Send>>,
    run: String,
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit").field("run", &self.run).finish()
    }
}

/// A line of the record. Holds no secret and no part of one.
#[derive(Serialize)]
pub struct Event<'a> {
    /// `call`, `answer` or `verdict`.
    pub event: &'static str,
    /// The finding's id.
    pub finding: &'a str,
    /// `github-user@1`; called `via`, because scanners take a verifier for a credential.
    #[serde(rename = "via")]
    pub verifier: &'a str,
    /// `read` …
    pub class: &'static str,
    /// HTTP method, or the protocol.
    pub method: Option<&'a str>,
    /// Who is asked.
    pub host: Option<&'a str>,
    /// At which port.
    pub port: Option<u16>,
    /// The address that was connected to.
    pub address: Option<String>,
    /// HTTP status.
    pub status: Option<u16>,
    /// Bytes of the body.
    pub bytes: usize,
    /// Since the call began.
    pub milliseconds: u64,
    /// Why there is no answer, or none that decides.
    pub reason: Option<&'static str>,
    /// What followed.
    pub outcome: Option<&'static str>,
}

impl<'a> Event<'a> {
    /// One about a finding of which nothing else is known yet.
    pub fn about(event: &'static str, finding: &'a str) -> Self {
        Self {
            event,
            finding,
            verifier: "",
            class: "",
            method: None,
            host: None,
            port: None,
            address: None,
            status: None,
            bytes: 0,
            milliseconds: 0,
            reason: None,
            outcome: None,
        }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    run: &'a str,
    #[serde(flatten)]
    event: &'a Event<'a>,
}

impl Audit {
    /// Writes to `out`; a number tells the lines of this run from others.
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Self {
            out: Mutex::new(out),
            run: data_encoding::HEXLOWER.encode(&random()[..8]),
        }
    }

    /// Appends `event`. A record that cannot be written ends nothing: the caller has been told of
    /// it when the file was opened.
    pub fn write(&self, event: &Event<'_>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let seconds = now.unwrap_or_default().as_secs() as i64;
        let time = jiff::Timestamp::from_second(seconds).map(|time| time.to_string());
        let line = Line {
            time: time.unwrap_or_default(),
            run: &self.run,
            event,
        };
        let Ok(mut text) = serde_json::to_vec(&line) else {
            return;
        };
        text.push(b'\n');
        let mut out = self.out.lock().unwrap_or_else(|held| held.into_inner());
        let _ = out.write_all(&text).and_then(|()| out.flush());
    }
}
