//! JSON Web Tokens signed with an RSA key that was found (RS256, RFC 7518 section 3.3): how Google's
//! service accounts and apps of GitHub say who they are.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::Value;

use crate::model::Reason;

/// The RSA key in PEM, PKCS#8 or PKCS#1; line ends may be written as `\n`.
pub(super) fn key_of_pem(pem: &str) -> Result<RsaKeyPair, Reason> {
    let body = |kind: &str| -> Option<Vec<u8>> {
        let (_, rest) = pem.split_once(&format!("-----BEGIN {kind}-----"))?;
        let (body, _) = rest.split_once("-----END ")?;
        let body = body.replace("\\r", "").replace("\\n", "");
        let body: String = body.split_ascii_whitespace().collect();
        BASE64.decode(body.as_bytes()).ok()
    };
    let key = match (body("PRIVATE KEY"), body("RSA PRIVATE KEY")) {
        (Some(der), _) => RsaKeyPair::from_pkcs8(&der),
        (None, Some(der)) => RsaKeyPair::from_der(&der),
        (None, None) => return Err(Reason::BadValue),
    };
    key.map_err(|_| Reason::BadValue)
}

/// The token of `header` and `claims`.
pub(super) fn signed(key: &RsaKeyPair, header: &Value, claims: &Value) -> Result<String, Reason> {
    let part = |json: &Value| BASE64URL_NOPAD.encode(json.to_string().as_bytes());
    let signed = format!("{}.{}", part(header), part(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .map_err(|_| Reason::BadValue)?;
    Ok(format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature)))
}
