//! Names to checked addresses, and connections to exactly those.
//!
//! An answer is taken or refused as a whole, and what is connected to is what was checked: a name
//! that resolves differently a second time gains nothing. Invariant: nothing in this crate opens a
//! connection but through here.

use std::fmt::Debug;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::address::{Range, is_special, numeric};
use crate::model::Reason;

/// Turns names into addresses.
pub trait Resolve: Debug + Send + Sync {
    /// All addresses of `host`, a name in lower case.
    fn lookup(&self, host: &str, within: Duration) -> io::Result<Vec<IpAddr>>;
}

/// The system's resolver.
#[derive(Debug)]
pub struct System;

impl Resolve for System {
    fn lookup(&self, host: &str, within: Duration) -> io::Result<Vec<IpAddr>> {
        // getaddrinfo takes no timeout; a thread that never comes back is left behind.
        let (send, receive) = mpsc::channel();
        let host = host.to_owned();
        thread::spawn(move || {
            let found = (host.as_str(), 0).to_socket_addrs();
            let _ = send.send(found.map(|all| all.map(|it| it.ip()).collect()));
        });
        receive
            .recv_timeout(within)
            .unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
    }
}

/// The door to the network.
#[derive(Debug)]
pub(super) struct Dial {
    pub(super) resolver: Box<dyn Resolve>,
    /// Special-purpose ranges that the user opened.
    pub(super) allowed: Vec<Range>,
    pub(super) connect_within: Duration,
}

/// An address that may be connected to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Checked {
    pub(super) address: SocketAddr,
    /// Whether it is of a range that the user opened, on which plain text is tolerated.
    pub(super) opened: bool,
}

impl Dial {
    /// The addresses of `host`, none of which is of a closed range.
    pub(super) fn addresses(&self, host: &str, port: u16) -> Result<Vec<Checked>, Reason> {
        let found = match numeric(host) {
            Some(address) => vec![address],
            None => self.lookup(host)?,
        };
        let check = |address: IpAddr| {
            let address = address.to_canonical();
            let opened = self.allowed.iter().any(|range| range.contains(address));
            match opened || !is_special(address) {
                true => Ok(Checked {
                    address: SocketAddr::new(address, port),
                    opened,
                }),
                false => Err(Reason::BlockedAddress),
            }
        };
        found.into_iter().map(check).collect()
    }

    /// The addresses of a host that is not to be checked: the user's proxy.
    pub(super) fn lookup(&self, host: &str) -> Result<Vec<IpAddr>, Reason> {
        if let Some(address) = numeric(host) {
            return Ok(vec![address]);
        }
        let found = self.resolver.lookup(host, self.connect_within);
        match found {
            Ok(found) if !found.is_empty() => Ok(found),
            Err(error) if error.kind() == ErrorKind::TimedOut => Err(Reason::Timeout),
            _ => Err(Reason::Dns),
        }
    }

    /// Connects to the first of `addresses` that answers.
    pub(super) fn connect(&self, addresses: &[Checked]) -> Result<(TcpStream, Checked), Reason> {
        let mut why = Reason::Dns;
        for checked in addresses {
            match TcpStream::connect_timeout(&checked.address, self.connect_within) {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    return Ok((stream, *checked));
                }
                Err(error) => why = reason(&error),
            }
        }
        Err(why)
    }
}

/// The reason that an error of a connection stands for; its text goes nowhere.
pub(super) fn reason(error: &io::Error) -> Reason {
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Reason::Timeout,
        ErrorKind::InvalidData => Reason::Protocol,
        _ => Reason::Refused,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Debug)]
    struct Answers(Vec<Vec<&'static str>>, AtomicUsize);

    impl Resolve for Answers {
        fn lookup(&self, _: &str, _: Duration) -> io::Result<Vec<IpAddr>> {
            let turn = self.1.fetch_add(1, Ordering::Relaxed);
            let answer = &self.0[turn.min(self.0.len() - 1)];
            Ok(answer
                .iter()
                .map(|ip| ip.parse().expect("an address"))
                .collect())
        }
    }

    fn dial(answers: &[&[&'static str]], allowed: &[&str]) -> Dial {
        let answers = answers.iter().map(|answer| answer.to_vec()).collect();
        Dial {
            resolver: Box::new(Answers(answers, AtomicUsize::new(0))),
            allowed: allowed
                .iter()
                .map(|it| it.parse().expect("a range"))
                .collect(),
            connect_within: Duration::from_millis(200),
        }
    }

    #[test]
    fn one_closed_address_refuses_the_whole_answer() {
        let dial = dial(&[&["8.8.8.8", "127.0.0.1"]], &[]);
        assert_eq!(
            dial.addresses("a.example", 443),
            Err(Reason::BlockedAddress)
        );
    }

    #[test]
    fn what_was_checked_is_what_is_connected_to() {
        // Public at first, loopback when asked again: the second answer is checked like the first.
        let dial = dial(&[&["8.8.8.8"], &["127.0.0.1"]], &[]);
        let first = dial.addresses("a.example", 443).expect("a public address");
        assert_eq!(first[0].address, "8.8.8.8:443".parse().expect("an address"));
        assert_eq!(
            dial.addresses("a.example", 443),
            Err(Reason::BlockedAddress)
        );
    }

    #[test]
    fn an_opened_range_is_only_that() {
        let dial = dial(&[&["10.0.0.1"]], &["127.0.0.0/8"]);
        assert!(dial.addresses("127.1", 80).expect("opened")[0].opened);
        assert_eq!(dial.addresses("10.0.0.1", 80), Err(Reason::BlockedAddress));
        assert_eq!(dial.addresses("a.example", 80), Err(Reason::BlockedAddress));
        assert_eq!(
            dial.addresses("::ffff:10.0.0.1", 80),
            Err(Reason::BlockedAddress)
        );
        assert!(dial.addresses("[::ffff:127.0.0.1]", 80).is_ok());
    }
}
