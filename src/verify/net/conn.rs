//! A connection for protocols that are spoken by hand: it ends by its deadline and after so many
//! bytes, whatever the other side does.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::dial;
use crate::model::Reason;

/// Bytes that are read from one connection at most.
const MOST: usize = 256 << 10;

/// A connection to a checked address.
pub(crate) struct Conn {
    stream: Stream,
    host: String,
    tls: Arc<ClientConfig>,
    deadline: Instant,
    left: usize,
    opened: bool,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Conn {
    pub(super) fn new(
        stream: TcpStream,
        host: &str,
        tls: Arc<ClientConfig>,
        deadline: Instant,
        opened: bool,
    ) -> Self {
        Self {
            stream: Stream::Plain(stream),
            host: host.to_owned(),
            tls,
            deadline,
            left: MOST,
            opened,
        }
    }

    /// One over `stream`, whose address is `opened` or not, for tests of protocols.
    #[cfg(test)]
    pub(crate) fn for_test(stream: TcpStream, opened: bool) -> Self {
        let tls = super::tls::config(super::tls::roots(None).expect("Mozilla's"));
        let deadline = Instant::now() + Duration::from_secs(5);
        Self::new(stream, "127.0.0.1", tls, deadline, opened)
    }

    /// Whether a password may be sent over it: it is encrypted, or the user opened the network.
    pub(crate) fn is_trusted(&self) -> bool {
        self.opened || matches!(self.stream, Stream::Tls(_))
    }

    /// Whether it is encrypted.
    pub(crate) fn is_tls(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }

    /// Encrypts the rest of the connection; the certificate is checked against the host's name.
    pub(crate) fn start_tls(self) -> Result<Self, Reason> {
        let Stream::Plain(mut stream) = self.stream else {
            return Ok(self);
        };
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| Reason::Tls)?;
        let mut connection =
            ClientConnection::new(self.tls.clone(), name).map_err(|_| Reason::Tls)?;
        while connection.is_handshaking() {
            limit(&stream, self.deadline).map_err(|error| dial::reason(&error))?;
            connection
                .complete_io(&mut stream)
                .map_err(|error| match dial::reason(&error) {
                    Reason::Timeout => Reason::Timeout,
                    _ => Reason::Tls,
                })?;
        }
        Ok(Self {
            stream: Stream::Tls(Box::new(StreamOwned::new(connection, stream))),
            ..self
        })
    }

    /// Sends all of `bytes`.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), Reason> {
        self.write_all(bytes)
            .and_then(|()| self.flush())
            .map_err(|error| dial::reason(&error))
    }

    /// Reads exactly `count` bytes, which are at most what a connection may bring.
    pub(crate) fn take(&mut self, count: usize) -> Result<Vec<u8>, Reason> {
        if count > self.left {
            return Err(Reason::TooLarge);
        }
        let mut bytes = vec![0; count];
        self.read_exact(&mut bytes)
            .map_err(|error| dial::reason(&error))?;
        Ok(bytes)
    }

    /// Reads up to and with the next line feed; the line comes without its end.
    pub(crate) fn line(&mut self) -> Result<Vec<u8>, Reason> {
        let mut line = Vec::new();
        loop {
            match self.take(1)?[0] {
                b'\n' => break,
                byte => line.push(byte),
            }
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(line)
    }

    fn plain(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => &stream.sock,
        }
    }
}

/// Lets the next call on `stream` last until `deadline`.
pub(super) fn limit(stream: &TcpStream, deadline: Instant) -> io::Result<()> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left < Duration::from_millis(1) {
        return Err(ErrorKind::TimedOut.into());
    }
    stream.set_read_timeout(Some(left))?;
    stream.set_write_timeout(Some(left))
}

impl Read for Conn {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        limit(self.plain(), self.deadline)?;
        let room = buffer.len().min(self.left);
        if room == 0 && !buffer.is_empty() {
            return Err(ErrorKind::InvalidData.into());
        }
        let buffer = &mut buffer[..room];
        let read = match &mut self.stream {
            Stream::Plain(stream) => stream.read(buffer),
            Stream::Tls(stream) => stream.read(buffer),
        }?;
        self.left -= read;
        Ok(read)
    }
}

impl Write for Conn {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        limit(self.plain(), self.deadline)?;
        match &mut self.stream {
            Stream::Plain(stream) => stream.write(bytes),
            Stream::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}
