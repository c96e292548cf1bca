//! The network, and all of it: names, addresses, TLS, HTTP, budget and the record of calls.
//!
//! Knows nothing of findings. Everything that speaks to somebody goes through `Net`, which counts
//! it against the budget, writes it into the log before and after, and refuses addresses that are
//! not to be asked. There is no other client in the crate that could be taken instead.

mod address;
mod audit;
mod conn;
mod dial;
mod http;
mod tls;

use std::cell::Cell;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustls::{ClientConfig, RootCertStore};

use crate::model::Reason;

pub use address::{Range, RangeError, is_special, numeric};
pub use audit::{Audit, Event};
pub(crate) use conn::Conn;
pub use dial::{Resolve, System};
pub(crate) use http::{Answer, HttpRequest};
pub use tls::CaError;
pub(crate) use tls::Trust;

use dial::Dial;
use http::Client;

/// What bounds each call (`docs/verification.md`).
#[derive(Clone, Debug)]
pub struct Limits {
    /// Until a connection stands.
    pub connect: Duration,
    /// Until all of an answer is there.
    pub total: Duration,
    /// Bytes of headers that are read.
    pub header_bytes: usize,
    /// Bytes of a body that are read.
    pub body_bytes: usize,
    /// Calls of one run.
    pub calls: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            total: Duration::from_secs(10),
            header_bytes: 16 << 10,
            body_bytes: 64 << 10,
            calls: 1000,
        }
    }
}

/// How the network is reached.
#[derive(Debug)]
pub struct NetOptions {
    /// Special-purpose ranges that may be connected to.
    pub allowed: Vec<Range>,
    /// Further roots, a PEM file.
    pub ca_file: Option<PathBuf>,
    /// The proxy's URL, and the hosts that are reached without it.
    pub proxy: Option<ProxyOptions>,
    /// What the client calls itself.
    pub user_agent: String,
    /// What bounds each call.
    pub limits: Limits,
    /// Who turns names into addresses.
    pub resolver: Box<dyn Resolve>,
    /// Where calls are recorded.
    pub audit: Option<Audit>,
}

/// A proxy of the user.
#[derive(Clone, Debug)]
pub struct ProxyOptions {
    /// `http://proxy.example:3128`
    pub url: String,
    /// What `NO_PROXY` holds.
    pub except: Option<String>,
    /// Whether the proxy alone resolves names. Otherwise they are resolved here as well, and
    /// refused like without it.
    pub resolves: bool,
}

/// Why the network cannot be used as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// The user's certificates.
    #[error(transparent)]
    Ca(#[from] CaError),
    /// The user's proxy.
    #[error("the proxy is no URL such as http://proxy.example:3128")]
    Proxy,
}

/// On whose behalf a call is made, for the record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'a> {
    /// The finding's id.
    pub(crate) finding: &'a str,
    /// `github-user@1`
    pub(crate) verifier: &'a str,
    /// `read` …
    pub(crate) class: &'static str,
}

/// The network under its policy.
pub(crate) struct Net {
    dial: Arc<Dial>,
    client: Client,
    roots: Arc<RootCertStore>,
    tls: Arc<ClientConfig>,
    user_agent: String,
    proxied: Option<(ureq::Proxy, bool)>,
    limits: Limits,
    calls: AtomicU64,
    audit: Option<Audit>,
}

impl Net {
    /// The network as `options` say. Opens nothing yet.
    pub(crate) fn new(options: NetOptions) -> Result<Self, NetError> {
        let roots = tls::roots(options.ca_file.as_deref())?;
        let tls = tls::config(roots.clone());
        let dial = Arc::new(Dial {
            resolver: options.resolver,
            allowed: options.allowed,
            connect_within: options.limits.connect,
        });
        let proxied = match &options.proxy {
            Some(proxy) => Some((self::proxy(proxy)?, proxy.resolves)),
            None => None,
        };
        let proxy = proxied.as_ref().map(|(proxy, _)| proxy.clone());
        let client = Client::new(
            dial.clone(),
            tls.clone(),
            proxy,
            &options.user_agent,
            &options.limits,
        );
        Ok(Self {
            dial,
            client,
            roots,
            tls,
            user_agent: options.user_agent,
            proxied,
            limits: options.limits,
            calls: AtomicU64::new(0),
            audit: options.audit,
        })
    }

    /// One HTTP exchange.
    pub(crate) fn http(&self, caller: Caller<'_>, request: &HttpRequest) -> Result<Answer, Reason> {
        self.exchange(caller, request, &self.client)
    }

    /// One HTTP exchange on a connection of its own, with other certificates than usual.
    pub(crate) fn http_with(
        &self,
        caller: Caller<'_>,
        request: &HttpRequest,
        trust: &Trust<'_>,
    ) -> Result<Answer, Reason> {
        let tls = trust.config(&self.roots).ok_or(Reason::BadValue)?;
        let proxy = self.proxied.as_ref().map(|(proxy, _)| proxy.clone());
        let dial = self.dial.clone();
        let client = Client::new(dial, tls, proxy, &self.user_agent, &self.limits);
        self.exchange(caller, request, &client)
    }

    fn exchange(
        &self,
        caller: Caller<'_>,
        request: &HttpRequest,
        client: &Client,
    ) -> Result<Answer, Reason> {
        let place = Place::of(&request.url).ok_or(Reason::BadValue)?;
        let call = self.begin(caller, request.method, &place)?;
        let answer = self
            .checked_before_proxy(&place)
            .and_then(|()| client.ask(request));
        call.address.set(http::last_address());
        match &answer {
            Ok(answer) => call.ends(Some(answer.status), answer.body.len(), None),
            Err(reason) => call.ends(None, 0, Some(*reason)),
        }
        answer
    }

    /// A connection for a protocol that is spoken by hand. `what` is its name, for the record.
    pub(crate) fn connect(
        &self,
        caller: Caller<'_>,
        what: &'static str,
        host: &str,
        port: u16,
    ) -> Result<Conn, Reason> {
        let place = Place {
            host: host.to_ascii_lowercase(),
            port,
            https: false,
        };
        let call = self.begin(caller, what, &place)?;
        let connection = self.open(&place, &call);
        call.ends(None, 0, connection.as_ref().err().copied());
        connection
    }

    /// Calls that were made.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed).min(self.limits.calls)
    }

    /// Where calls are recorded.
    pub(crate) fn audit(&self) -> Option<&Audit> {
        self.audit.as_ref()
    }

    fn open(&self, place: &Place, call: &Call<'_>) -> Result<Conn, Reason> {
        if self.proxied.is_some() {
            return Err(Reason::Proxy);
        }
        let deadline = Instant::now() + self.limits.total;
        let addresses = self.dial.addresses(&place.host, place.port)?;
        let (stream, checked) = self.dial.connect(&addresses)?;
        call.address.set(Some(checked.address.ip()));
        Ok(Conn::new(
            stream,
            &place.host,
            self.tls.clone(),
            deadline,
            checked.opened,
        ))
    }

    /// With a proxy the client asks no resolver, so what the proxy is asked for is checked here.
    /// Plain HTTP goes to ranges only that the user opened.
    fn checked_before_proxy(&self, place: &Place) -> Result<(), Reason> {
        let proxied = self.proxied.as_ref().is_some_and(|(_, resolves)| !resolves);
        if !proxied && place.https {
            return Ok(());
        }
        let addresses = self.dial.addresses(&place.host, place.port)?;
        match place.https || addresses.iter().all(|checked| checked.opened) {
            true => Ok(()),
            false => Err(Reason::Tls),
        }
    }

    fn begin<'a>(
        &'a self,
        caller: Caller<'a>,
        method: &'a str,
        place: &Place,
    ) -> Result<Call<'a>, Reason> {
        if self.calls.fetch_add(1, Ordering::Relaxed) >= self.limits.calls {
            return Err(Reason::Budget);
        }
        let call = Call {
            net: self,
            caller,
            method,
            host: place.host.clone(),
            port: place.port,
            since: Instant::now(),
            address: Cell::new(None),
        };
        call.record("call", None, 0, None);
        Ok(call)
    }
}

/// Random bytes of the system.
pub(super) fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    let source = ring::rand::SystemRandom::new();
    ring::rand::SecureRandom::fill(&source, &mut bytes).expect("the system has random numbers");
    bytes
}

fn proxy(options: &ProxyOptions) -> Result<ureq::Proxy, NetError> {
    let plain = ureq::Proxy::new(&options.url).map_err(|_| NetError::Proxy)?;
    let mut builder = ureq::Proxy::builder(plain.protocol())
        .host(plain.host())
        .port(plain.port());
    if let (Some(user), Some(password)) = (plain.username(), plain.password()) {
        builder = builder.username(user).password(password);
    }
    for host in options.except.iter().flat_map(|list| list.split(',')) {
        if !host.trim().is_empty() {
            builder = builder.no_proxy(host.trim());
        }
    }
    builder.build().map_err(|_| NetError::Proxy)
}

/// What of a URL tells where it leads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) https: bool,
}

impl Place {
    /// Of an absolute URL of HTTP without user and password.
    pub(crate) fn of(url: &str) -> Option<Self> {
        let uri: ureq::http::Uri = url.parse().ok()?;
        let https = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = uri.authority()?;
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return None;
        }
        let host = authority.host().to_ascii_lowercase();
        Some(Self {
            host: host.strip_suffix('.').unwrap_or(&host).to_owned(),
            port: authority.port_u16().unwrap_or(if https { 443 } else { 80 }),
            https,
        })
    }
}

/// A call that is being made.
struct Call<'a> {
    net: &'a Net,
    caller: Caller<'a>,
    method: &'a str,
    host: String,
    port: u16,
    since: Instant,
    address: Cell<Option<IpAddr>>,
}

impl Call<'_> {
    fn ends(&self, status: Option<u16>, bytes: usize, reason: Option<Reason>) {
        self.record("answer", status, bytes, reason);
    }

    fn record(&self, what: &'static str, status: Option<u16>, bytes: usize, why: Option<Reason>) {
        let Some(audit) = &self.net.audit else {
            return;
        };
        audit.write(&Event {
            event: what,
            finding: self.caller.finding,
            verifier: self.caller.verifier,
            class: self.caller.class,
            method: Some(self.method),
            host: Some(&self.host),
            port: Some(self.port),
            address: self.address.get().map(|address| address.to_string()),
            status,
            bytes,
            milliseconds: self.since.elapsed().as_millis() as u64,
            reason: why.map(Reason::as_str),
            outcome: None,
        });
    }
}
