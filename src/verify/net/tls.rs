//! TLS as all connections use it: 1.2 or later, certificates verified, no way around.

use std::fmt;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
    TransportAdapter,
};

/// Why the user's certificates cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: no certificate in PEM form that can be read", path.display())]
pub struct CaError {
    path: PathBuf,
}

/// The roots of Mozilla and those of `ca_file`, a PEM file.
pub(super) fn roots(ca_file: Option<&Path>) -> Result<Arc<RootCertStore>, CaError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Some(path) = ca_file {
        let broken = || CaError {
            path: path.to_owned(),
        };
        let certificates: Vec<CertificateDer<'_>> = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect)
            .map_err(|_| broken())?;
        let (added, _) = roots.add_parsable_certificates(certificates);
        if added == 0 {
            return Err(broken());
        }
    }
    Ok(Arc::new(roots))
}

/// The configuration with these roots and no certificate of our own.
pub(super) fn config(roots: Arc<RootCertStore>) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// Whom a single request trusts, and as whom it shows itself. All is PEM.
#[derive(Clone, Copy, Default)]
pub(crate) struct Trust<'a> {
    /// The only roots, instead of the usual ones.
    pub(crate) roots: Option<&'a [u8]>,
    /// The certificate chain of the client, and its key.
    pub(crate) client: Option<(&'a [u8], &'a [u8])>,
}

impl Trust<'_> {
    /// The configuration that this asks for; `usual` are the roots otherwise. `None` when
    /// something in it cannot be read.
    pub(super) fn config(&self, usual: &Arc<RootCertStore>) -> Option<Arc<ClientConfig>> {
        let roots = match self.roots {
            None => usual.clone(),
            Some(pem) => {
                let mut roots = RootCertStore::empty();
                let (added, _) = roots.add_parsable_certificates(certificates(pem)?);
                (added > 0).then(|| Arc::new(roots))?
            }
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring speaks TLS 1.2 and 1.3")
            .with_root_certificates(roots);
        let config = match self.client {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let key = PrivateKeyDer::from_pem_slice(key).ok()?;
                builder
                    .with_client_auth_cert(certificates(chain)?, key)
                    .ok()?
            }
        };
        Some(Arc::new(config))
    }
}

fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .ok()
}

/// Puts TLS around what the connectors before it opened.
pub(super) struct TlsConnector(pub(super) Arc<ClientConfig>);

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsConnector")
    }
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else {
            return Ok(None);
        };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let host = details.uri.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| ureq::Error::Tls("no name for a certificate"))?;
        let connection = ClientConnection::new(self.0.clone(), name)
            .map_err(|_| ureq::Error::Tls("no connection"))?;
        let mut socket = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        socket.set_timeout(details.timeout);
        let mut stream = StreamOwned::new(connection, socket);
        while stream.conn.is_handshaking() {
            stream
                .conn
                .complete_io(&mut stream.sock)
                .map_err(|error| match error.kind() {
                    std::io::ErrorKind::InvalidData => ureq::Error::Tls("the handshake failed"),
                    _ => ureq::Error::Io(error),
                })?;
        }
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(Either::B(TlsTransport { buffers, stream })))
    }
}

/// An encrypted connection of the HTTP client.
pub(super) struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsTransport")
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = &self.buffers.output()[..amount];
        self.stream.write_all(output)?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let input = self.buffers.input_append_buf();
        let amount = self.stream.read(input)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}
