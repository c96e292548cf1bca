//! One HTTP exchange: no redirects, no compression, so much and no more.
//!
//! `ureq` speaks the protocol; it gets its addresses from the door of `dial` and its TLS from
//! `tls`, and its errors leave as reasons, because their texts can hold a URL.

use std::cell::Cell;
use std::fmt;
use std::io::Read as _;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::ClientConfig;
use ureq::http::{self, Uri};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    ConnectProxyConnector, Connector as _, NextTimeout, TcpConnector,
};
use ureq::{Agent, Proxy, config::Config};

use super::dial::{self, Dial};
use super::{Limits, tls::TlsConnector};
use crate::model::Reason;

/// A request with everything filled in. Holds the secret: never printed.
pub(crate) struct HttpRequest {
    /// `GET`, `HEAD`, `POST`, `DELETE`.
    pub(crate) method: &'static str,
    /// Where to.
    pub(crate) url: String,
    /// Headers besides those of the client.
    pub(crate) headers: Vec<(String, String)>,
    /// What is sent, with its media type.
    pub(crate) body: Option<(String, Vec<u8>)>,
}

/// What came back.
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// As much of the body as is read.
    pub(crate) body: Vec<u8>,
    /// Whether there was more.
    pub(crate) truncated: bool,
}

impl Answer {
    /// The first header called `name`, which is in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// How long the provider wants to be left alone, in seconds (RFC 9110 section 10.2.3); dates
    /// are not read.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        self.header("retry-after")?.trim().parse().ok()
    }
}

/// The HTTP client.
pub(super) struct Client {
    agent: Agent,
    most: usize,
}

/// Gives `ureq` checked addresses.
struct CheckedResolver {
    dial: Arc<Dial>,
    /// Host and port that the user named as a proxy.
    proxy: Option<(String, u16)>,
}

impl fmt::Debug for CheckedResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CheckedResolver")
    }
}

thread_local! {
    /// What this thread's last request connects to; an exchange stays on its thread.
    static LAST: Cell<Option<IpAddr>> = const { Cell::new(None) };
}

/// The address of the request that this thread made last, once.
pub(super) fn last_address() -> Option<IpAddr> {
    LAST.take()
}

/// A reason on its way through the client.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refused(Reason);

impl Resolver for CheckedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let refused = |reason| ureq::Error::Other(Box::new(Refused(reason)));
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        let usual = match uri.scheme_str() {
            Some("https") => 443,
            _ => 80,
        };
        let port = uri.port_u16().unwrap_or(usual);
        let mut found = self.empty();
        if self.proxy.as_ref() == Some(&(host.clone(), port)) {
            let addresses = self.dial.lookup(&host).map_err(refused)?;
            for address in addresses.into_iter().take(16) {
                found.push((address, port).into());
            }
            return Ok(found);
        }
        let addresses = self.dial.addresses(&host, port).map_err(refused)?;
        LAST.set(addresses.first().map(|checked| checked.address.ip()));
        for checked in addresses.into_iter().take(16) {
            found.push(checked.address);
        }
        Ok(found)
    }
}

impl Client {
    pub(super) fn new(
        dial: Arc<Dial>,
        tls: Arc<ClientConfig>,
        proxy: Option<Proxy>,
        user_agent: &str,
        limits: &Limits,
    ) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(user_agent)
            .accept_encoding("identity")
            .timeout_global(Some(limits.total))
            .timeout_connect(Some(limits.connect))
            .max_response_header_size(limits.header_bytes)
            .max_idle_connections(512)
            .max_idle_connections_per_host(2)
            .proxy(proxy.clone())
            .build();
        let proxy = proxy.map(|proxy| (proxy.host().to_ascii_lowercase(), proxy.port()));
        let connector =
            ().chain(ConnectProxyConnector::default())
                .chain(TcpConnector::default())
                .chain(TlsConnector(tls));
        Self {
            agent: Agent::with_parts(config, connector, CheckedResolver { dial, proxy }),
            most: limits.body_bytes,
        }
    }

    /// Sends `request` and reads what comes back.
    pub(super) fn ask(&self, request: &HttpRequest) -> Result<Answer, Reason> {
        let mut builder = http::Request::builder()
            .method(request.method)
            .uri(&request.url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let answer = match &request.body {
            Some((media, bytes)) => {
                let request = builder
                    .header("content-type", media)
                    .body(bytes.as_slice())
                    .map_err(|_| Reason::BadValue)?;
                self.agent.run(request)
            }
            None => {
                let request = builder.body(()).map_err(|_| Reason::BadValue)?;
                self.agent.run(request)
            }
        };
        let mut answer = answer.map_err(|error| reason(&error))?;
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        };
        let headers = answer.headers().iter().map(header).collect();
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        let reader = answer.body_mut().as_reader();
        let most = self.most as u64;
        let read = reader.take(most + 1).read_to_end(&mut body);
        if let Err(error) = read {
            return Err(match error.get_ref().and_then(|e| e.downcast_ref()) {
                Some(error) => reason(error),
                None => dial::reason(&error),
            });
        }
        let truncated = body.len() > self.most;
        body.truncate(self.most);
        Ok(Answer {
            status,
            headers,
            body,
            truncated,
        })
    }
}

fn reason(error: &ureq::Error) -> Reason {
    use ureq::Error;
    match error {
        Error::Other(other) => match other.downcast_ref::<Refused>() {
            Some(Refused(reason)) => *reason,
            None => Reason::Refused,
        },
        Error::Io(error) => match error.get_ref().and_then(|e| e.downcast_ref::<Error>()) {
            Some(inner) => reason(inner),
            None if error.get_ref().is_some_and(|e| e.is::<rustls::Error>()) => Reason::Tls,
            None => dial::reason(error),
        },
        Error::Timeout(_) => Reason::Timeout,
        Error::HostNotFound => Reason::Dns,
        Error::Tls(_) | Error::Rustls(_) | Error::TlsRequired => Reason::Tls,
        Error::ConnectProxyFailed(_) | Error::InvalidProxyUrl => Reason::Proxy,
        Error::LargeResponseHeader(..) => Reason::TooLarge,
        Error::Http(_) | Error::BadUri(_) => Reason::BadValue,
        Error::Protocol(_) => Reason::Protocol,
        _ => Reason::Refused,
    }
}
