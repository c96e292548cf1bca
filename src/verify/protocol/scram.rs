//! SCRAM (RFC 5802, RFC 7677): proves that both sides know a password without sending it.
//!
//! No channel binding. Invariant: a server that does not know the password is never believed.

use std::num::NonZeroU32;

use data_encoding::BASE64;
use ring::{digest, hmac, pbkdf2};

use crate::model::Reason;

/// Most rounds that a server may ask for: some tenths of a second.
const MOST_ROUNDS: u32 = 1_000_000;
/// Longest message of a server, in bytes.
const LONGEST: usize = 4096;

/// What the proof is made with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hash {
    Sha1,
    Sha256,
}

/// One side of an exchange.
pub(super) struct Scram<'a> {
    hash: Hash,
    nonce: &'a str,
    password: &'a str,
    /// The first message without its head.
    first: String,
    /// What the server must say in the end.
    signature: Option<Vec<u8>>,
}

impl<'a> Scram<'a> {
    /// Of `user`, who may be empty where the protocol names them elsewhere. `nonce` is printable
    /// and without commas. A password that the profile of RFC 4013 might change is refused, so that
    /// a live one is not taken for dead.
    pub(super) fn new(
        hash: Hash,
        user: &str,
        password: &'a str,
        nonce: &'a str,
    ) -> Result<Self, Reason> {
        let stays = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !stays(password) || !stays(user) {
            return Err(Reason::BadValue);
        }
        let user = user.replace('=', "=3D").replace(',', "=2C");
        Ok(Self {
            hash,
            nonce,
            password,
            first: format!("n={user},r={nonce}"),
            signature: None,
        })
    }

    /// The first message.
    pub(super) fn first(&self) -> String {
        format!("n,,{}", self.first)
    }

    /// The answer to the server's first message.
    pub(super) fn answer(&mut self, server: &[u8]) -> Result<String, Reason> {
        let server = text(server)?;
        let mut fields = server.split(',');
        let mut field = |name: &str| {
            let field = fields.next().and_then(|field| field.strip_prefix(name));
            field.ok_or(Reason::Protocol)
        };
        let nonce = field("r=")?;
        let salt = BASE64.decode(field("s=")?.as_bytes());
        let salt = salt.map_err(|_| Reason::Protocol)?;
        let rounds: NonZeroU32 = field("i=")?.parse().map_err(|_| Reason::Protocol)?;
        if !nonce.starts_with(self.nonce) || nonce.len() == self.nonce.len() {
            return Err(Reason::Protocol);
        }
        if rounds.get() > MOST_ROUNDS {
            return Err(Reason::TooLarge);
        }
        let bare = format!("c=biws,r={nonce}");
        let signed = format!("{},{server},{bare}", self.first);
        let salted = self.salted(&salt, rounds);
        let client = self.mac(&salted, b"Client Key");
        let stored = digest::digest(self.digest(), &client);
        let signature = self.mac(stored.as_ref(), signed.as_bytes());
        let proof: Vec<u8> = client.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        let key = self.mac(&salted, b"Server Key");
        self.signature = Some(self.mac(&key, signed.as_bytes()));
        Ok(format!("{bare},p={}", BASE64.encode(&proof)))
    }

    /// Whether the server's last message proves that it knows the password.
    pub(super) fn is_proved_by(&self, server: &[u8]) -> bool {
        let said = text(server).ok().and_then(|text| text.strip_prefix("v="));
        let said = said.map(|text| text.split(',').next().unwrap_or(text));
        let said = said.and_then(|text| BASE64.decode(text.as_bytes()).ok());
        said.is_some() && said == self.signature
    }

    fn salted(&self, salt: &[u8], rounds: NonZeroU32) -> Vec<u8> {
        let algorithm = match self.hash {
            Hash::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Hash::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        };
        let mut salted = vec![0; self.digest().output_len()];
        pbkdf2::derive(
            algorithm,
            rounds,
            salt,
            self.password.as_bytes(),
            &mut salted,
        );
        salted
    }

    fn mac(&self, key: &[u8], data: &[u8]) -> Vec<u8> {
        let algorithm = match self.hash {
            Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => hmac::HMAC_SHA256,
        };
        hmac::sign(&hmac::Key::new(algorithm, key), data)
            .as_ref()
            .to_vec()
    }

    fn digest(&self) -> &'static digest::Algorithm {
        match self.hash {
            Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => &digest::SHA256,
        }
    }
}

fn text(message: &[u8]) -> Result<&str, Reason> {
    match message.len() <= LONGEST {
        true => std::str::from_utf8(message).map_err(|_| Reason::Protocol),
        false => Err(Reason::TooLarge),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_5802() {
        // Section 5.
        let mut scram =
            Scram::new(Hash::Sha1, "user", "pencil", "fyko+d2lbbFgONRv9qkxdawL").expect("plain");
        assert_eq!(scram.first(), "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
        let server = b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
        assert_eq!(
            scram.answer(server).as_deref(),
            Ok(
                "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
            )
        );
        assert!(scram.is_proved_by(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ="));
        assert!(!scram.is_proved_by(b"v=rmF9pqV8S7suAoZWja4dJRkFsKR="));
        assert!(!scram.is_proved_by(b"e=other-error"));
    }

    #[test]
    fn the_example_of_rfc_7677() {
        // Section 3.
        let mut scram =
            Scram::new(Hash::Sha256, "user", "pencil", "rOprNGfwEbeRWgbNEkqO").expect("plain");
        let server = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        assert_eq!(
            scram.answer(server).as_deref(),
            Ok(
                "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
            )
        );
        assert!(scram.is_proved_by(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
    }

    #[test]
    fn a_hostile_server_gets_no_proof() {
        let scram = || Scram::new(Hash::Sha256, "", "pencil", "abc").expect("plain");
        for (server, why) in [
            (&b"r=abc,s=QSXCR+Q6sek8bf92,i=4096"[..], Reason::Protocol),
            (b"r=xyz123,s=QSXCR+Q6sek8bf92,i=4096", Reason::Protocol),
            (b"r=abcd,s=QSXCR+Q6sek8bf92,i=0", Reason::Protocol),
            (b"r=abcd,s=QSXCR+Q6sek8bf92,i=4000000000", Reason::TooLarge),
            (b"r=abcd,s=!,i=4096", Reason::Protocol),
            (b"m=x,r=abcd,s=QSXCR+Q6sek8bf92,i=4096", Reason::Protocol),
            (b"\xff", Reason::Protocol),
            (b"", Reason::Protocol),
        ] {
            assert_eq!(scram().answer(server), Err(why));
        }
        assert_eq!(scram().answer(&[b'r'; 5000]), Err(Reason::TooLarge));
        assert!(!scram().is_proved_by(b"v="), "before anything was answered");
    }

    #[test]
    fn names_are_escaped_and_what_might_be_prepared_is_refused() {
        let scram = Scram::new(Hash::Sha1, "a=b,c", "x", "n").expect("plain");
        assert_eq!(scram.first(), "n,,n=a=3Db=2Cc,r=n");
        let refused = Scram::new(Hash::Sha1, "a", "pässword", "n").err();
        assert_eq!(refused, Some(Reason::BadValue));
    }
}
