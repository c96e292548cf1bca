//! Values with a right checksum or a right structure, one function per family.
//!
//! The formats and their sources are those of `engine::judge::proof`, which checks them.

use curve25519_dalek::edwards::EdwardsPoint;
use data_encoding::{BASE32, BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use sha2::{Digest, Sha256, Sha512};

use super::Random;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const APIFY62: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// `body` is `name`, `name:argument` or `name:argument:argument`; `None` when no generator has
/// that name.
pub(super) fn generate(body: &str, random: &mut Random) -> Option<String> {
    let mut words = body.split(':');
    let name = words.next()?;
    let first = words.next();
    let value = match name {
        "uuid" => uuid(random),
        // {{crc-base62:PREFIX:LENGTH}}: prefix, random body, six characters of CRC of the body.
        "crc-base62" => {
            let body = random.string(BASE62, words.next()?.parse().ok()?);
            format!(
                "{}{body}{}",
                first?,
                base62(crc32fast::hash(body.as_bytes()), BASE62, 6)
            )
        }
        "apify" => {
            let text = format!("apify_api_{}", random.string(BASE62, 30));
            let sum = base62(crc32fast::hash(text.as_bytes()), APIFY62, 6);
            text + &sum
        }
        "github-fine-grained" => github_fine_grained(random),
        // {{gitlab-routable:glpat-}}
        "gitlab-routable" => gitlab_routable(first?, random),
        "cloudflare" => {
            let body = random.string(BASE62, 40);
            format!("{}{body}{:08x}", first?, crc32fast::hash(body.as_bytes()))
        }
        "zuplo" => {
            let body = random.string(b"0123456789abcdef", 32);
            format!("zpka_{body}_{:08x}", crc32fast::hash(body.as_bytes()))
        }
        "grafana-sa" => {
            let text = format!("glsa_{}", random.string(BASE62, 32));
            let sum = crc32fast::hash(text.as_bytes()).to_le_bytes();
            format!("{text}_{}", HEXLOWER.encode(&sum))
        }
        // {{atlassian:ATATT3xFfGF0:180}}
        "atlassian" => {
            let body = random.string(BASE62, words.next()?.parse().ok()?);
            let text = format!("{}{body}", first?);
            format!("{text}{:08X}", crc32fast::hash(text.as_bytes()))
        }
        "jwt" => jwt(random, "4102444800"),
        "jwt-expired" => jwt(random, "1000000000"),
        // {{supabase-jwt:ROLE}}, {{supabase-jwt-local:ROLE}}: of a hosted project, of an own server.
        "supabase-jwt" => {
            let project = random.string(b"abcdefghijklmnopqrstuvwxyz", 20);
            let claims = format!(
                r#"{{"iss":"supabase","ref":"{project}","role":"{}","iat":1700000000,"exp":4102444800}}"#,
                first?
            );
            signed(random, &claims)
        }
        "supabase-jwt-local" => {
            let claims = format!(
                r#"{{"role":"{}","iss":"supabase","iat":1700000000,"exp":4102444800}}"#,
                first?
            );
            signed(random, &claims)
        }
        "kubernetes-jwt" => {
            let claims = r#"{"iss":"kubernetes/serviceaccount","kubernetes.io/serviceaccount/namespace":"default","sub":"system:serviceaccount:default:acme"}"#;
            signed_by(random, r#"{"alg":"RS256","kid":""}"#, claims, 256)
        }
        "kubernetes-bound-jwt" => {
            let claims = r#"{"aud":["https://kubernetes.default.svc.cluster.local"],"exp":4102444800,"iat":1700000000,"sub":"system:serviceaccount:default:acme"}"#;
            signed_by(random, r#"{"alg":"RS256","kid":""}"#, claims, 256)
        }
        // {{azure-key:AZDO}}: an annotated key with the signature of a service.
        "azure-key" => azure_key(first?, random),
        "pypi" => pypi(random),
        // {{jfrog-reference:EPOCH}}
        "jfrog-reference" => {
            let id = random.string(BASE62, 28);
            BASE64
                .encode(format!("reftkn:01:{}:{id}", first?).as_bytes())
                .trim_end_matches('=')
                .to_owned()
        }
        "bitbucket-dc" => {
            let mut bytes = format!("{}:", random.string(b"123456789", 12)).into_bytes();
            bytes.extend(random.bytes(20));
            BASE64.encode(&bytes)
        }
        "sentry-org" => {
            let claims = r#"{"iat":1700000000.1,"url":"https://sentry.io","region_url":"https://us.sentry.io","org":"acme"}"#;
            let tail = random.string(BASE62, 43);
            format!("sntrys_{}_{tail}", BASE64.encode(claims.as_bytes()))
        }
        "grafana-cloud" => {
            let claims = format!(
                r#"{{"o":"652992","n":"acme-ci","k":"{}","m":{{"r":"us"}}}}"#,
                random.string(BASE62, 24)
            );
            format!("glc_{}", BASE64.encode(claims.as_bytes()))
        }
        "grafana-legacy" => {
            let claims = format!(
                r#"{{"k":"{}","n":"acme","id":1}}"#,
                random.string(BASE62, 32)
            );
            BASE64.encode(claims.as_bytes())
        }
        "onepassword-service-account" => {
            let key = random.string(b"23456789ABCDEFGHJKLMNPQRSTVWXYZ", 26);
            let seed = HEXLOWER.encode(&random.bytes(32));
            let claims = format!(
                r#"{{"signInAddress":"acme.1password.example","userAuth":{{"method":"SRPg-4096"}},"email":"a@b.example","srpX":"{seed}","muk":{{"kty":"oct"}},"secretKey":"A3-{key}","deviceUuid":"d"}}"#
            );
            format!("ops_{}", BASE64URL_NOPAD.encode(claims.as_bytes()))
        }
        "discord-bot" => discord_bot(random),
        // {{basic:USER:LENGTH}}: base64 of user:password.
        "basic" => {
            let password = random.string(BASE62, words.next()?.parse().ok()?);
            BASE64.encode(format!("{}:{password}", first?).as_bytes())
        }
        // {{b64:N}}: base64 of N random bytes, padded.
        "b64" => BASE64.encode(&random.bytes(first?.parse().ok()?)),
        "age" => bech32("age-secret-key-", &random.bytes(32)).to_ascii_uppercase(),
        "age-pq" => bech32("age-secret-key-pq-", &random.bytes(32)).to_ascii_uppercase(),
        // {{bech32:PREFIX:BYTES}}
        "bech32" => bech32(first?, &random.bytes(words.next()?.parse().ok()?)),
        // A key of Bitcoin in the wallet import format, its public key written short.
        "wif" => base58check(&[&[0x80][..], &random.bytes(32), &[1]].concat()),
        // {{xprv}}: an extended private key of BIP-32.
        "xprv" => {
            let place = random.bytes(41);
            base58check(&[&[4, 0x88, 0xad, 0xe4][..], &place, &[0], &random.bytes(32)].concat())
        }
        // {{tezos}}: the seed of an Ed25519 key.
        "tezos" => base58check(&[&[0x0d, 0x0f, 0x3a, 0x07][..], &random.bytes(32)].concat()),
        // {{ed25519-pair}}: base58 of a seed and its public key (Solana, NEAR).
        "ed25519-pair" => ed25519_pair(random),
        // {{mnemonic:WORDS}}: a phrase of BIP-39.
        "mnemonic" => mnemonic(first?.parse().ok()?, random)?,
        "stellar" => stellar(random),
        "fly" => {
            let body = random.bytes(200);
            format!("fm2_{}", BASE64_NOPAD.encode(&body))
        }
        // {{pem:LABEL}}, {{pem-line:LABEL}}: a key, or the outline of one, in PEM.
        "pem" => pem(first?, random, "\n"),
        "pem-line" => pem(first?, random, "\\n"),
        "pkcs12" => characters(&pkcs12(random)),
        "jks-key" => characters(&jks_key(random)),
        "azure-storage" => BASE64.encode(&random.bytes(64)),
        _ => return None,
    };
    Some(value)
}

/// Version 4, RFC 9562.
fn uuid(random: &mut Random) -> String {
    let mut bytes = random.bytes(16);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let part = |range: std::ops::Range<usize>| HEXLOWER.encode(&bytes[range]);
    [
        part(0..4),
        part(4..6),
        part(6..8),
        part(8..10),
        part(10..16),
    ]
    .join("-")
}

fn base62(mut sum: u32, alphabet: &[u8; 62], width: usize) -> String {
    let mut digits = vec![alphabet[0]; width];
    for digit in digits.iter_mut().rev() {
        *digit = alphabet[(sum % 62) as usize];
        sum /= 62;
    }
    digits.into_iter().map(char::from).collect()
}

fn github_fine_grained(random: &mut Random) -> String {
    let head = format!(
        "github_pat_{}_{}",
        random.string(BASE62, 22),
        random.string(BASE62, 43)
    );
    let sum = BASE32.encode(&Sha256::digest(head.as_bytes())[..5]);
    format!(
        "{head}{}{}",
        sum,
        random.string(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 8)
    )
}

fn gitlab_routable(prefix: &str, random: &mut Random) -> String {
    let mut payload = random.bytes(16);
    payload.extend(b"\no:1\nu:4s3e");
    payload.push(16);
    let encoded = BASE64URL_NOPAD.encode(&payload);
    let length = base36(encoded.len() as u32, 2);
    let text = format!("{prefix}{encoded}.01.{length}");
    let sum = base36(crc32fast::hash(text.as_bytes()), 7);
    text + &sum
}

fn base36(mut number: u32, width: usize) -> String {
    let mut digits = vec!['0'; width];
    for digit in digits.iter_mut().rev() {
        *digit = char::from_digit(number % 36, 36).expect("below the base");
        number /= 36;
    }
    digits.into_iter().collect()
}

fn jwt(random: &mut Random, exp: &str) -> String {
    let subject = random.string(BASE62, 12);
    let claims = format!(
        r#"{{"iss":"https://issuer.example","sub":"{subject}","iat":990000000,"exp":{exp}}}"#
    );
    signed(random, &claims)
}

fn signed(random: &mut Random, claims: &str) -> String {
    signed_by(random, r#"{"alg":"HS256","typ":"JWT"}"#, claims, 32)
}

fn signed_by(random: &mut Random, header: &str, claims: &str, size: usize) -> String {
    let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let signature = BASE64URL_NOPAD.encode(&random.bytes(size));
    format!("{}.{}.{signature}", encode(header), encode(claims))
}

/// 52 random characters, the common signature, a date, 12 more, the service's signature, and four
/// base62 digits of Marvin32 over all before (seed: "Default0").
fn azure_key(service: &str, random: &mut Random) -> String {
    let text = format!(
        "{}JQQJ99BFACAA{}{service}",
        random.string(BASE62, 52),
        random.string(BASE62, 12)
    );
    let bytes = BASE64
        .decode(text.as_bytes())
        .expect("eighty base64 characters");
    let sum = marvin32(&bytes, u64::from_be_bytes(*b"Default0"));
    let mut number = sum.swap_bytes();
    let mut digits = Vec::new();
    while number > 0 {
        digits.push(char::from(BASE62[(number % 62) as usize]));
        number /= 62;
    }
    digits.extend(std::iter::repeat_n(
        '0',
        4usize.saturating_sub(digits.len()),
    ));
    text + &digits.iter().rev().take(4).collect::<String>()
}

/// Marvin32, both halves of its state folded into one, as microsoft/security-utilities defines it.
fn marvin32(bytes: &[u8], seed: u64) -> u32 {
    let (mut low, mut high) = (seed as u32, (seed >> 32) as u32);
    let mut mix = |word: u32| {
        low = low.wrapping_add(word);
        high ^= low;
        low = low.rotate_left(20).wrapping_add(high);
        high = high.rotate_left(9) ^ low;
        low = low.rotate_left(27).wrapping_add(high);
        high = high.rotate_left(19);
    };
    let words = bytes.chunks_exact(4);
    let rest = words.remainder();
    for word in words {
        mix(u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    }
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 0x80;
    mix(u32::from_le_bytes(last));
    mix(0);
    high ^ low
}

/// Macaroon v2: version, location, identifier, end, a caveat, end, end, signature.
fn pypi(random: &mut Random) -> String {
    fn field(bytes: &mut Vec<u8>, kind: u8, value: &[u8]) {
        bytes.push(kind);
        bytes.push(value.len() as u8);
        bytes.extend(value);
    }
    let mut bytes = vec![2];
    field(&mut bytes, 1, concat!("py", "pi.org").as_bytes());
    field(&mut bytes, 2, uuid(random).as_bytes());
    bytes.push(0);
    field(&mut bytes, 2, br#"[3, "acme"]"#);
    bytes.extend([0, 0]);
    field(&mut bytes, 6, &random.bytes(32));
    format!("pypi-{}", BASE64URL_NOPAD.encode(&bytes))
}

fn discord_bot(random: &mut Random) -> String {
    let snowflake = 100_000_000_000_000_000 + random.next_u64() % 899_999_999_999_999_999;
    let id = BASE64_NOPAD.encode(snowflake.to_string().as_bytes());
    format!(
        "{id}.{}.{}",
        BASE64URL_NOPAD.encode(&[0x18, 3, 4, random.next_u64() as u8]),
        random.string(BASE62, 38)
    )
}

/// Bech32 (BIP-173) with the human-readable part `hrp`.
fn bech32(hrp: &str, bytes: &[u8]) -> String {
    const CHARSET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let mut data = Vec::new();
    let (mut bits, mut held) = (0u32, 0u32);
    for &byte in bytes {
        held = held << 8 | u32::from(byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            data.push((held >> bits & 31) as u8);
        }
    }
    if bits > 0 {
        data.push((held << (5 - bits) & 31) as u8);
    }
    let mut values: Vec<u8> = hrp.bytes().map(|c| c >> 5).collect();
    values.push(0);
    values.extend(hrp.bytes().map(|c| c & 31));
    values.extend(&data);
    values.extend([0; 6]);
    let sum = polymod(&values) ^ 1;
    data.extend((0..6).map(|i| (sum >> (5 * (5 - i)) & 31) as u8));
    let text: String = data
        .iter()
        .map(|&v| char::from(CHARSET[v as usize]))
        .collect();
    format!("{hrp}1{text}")
}

/// Bitcoin's base58; a leading zero byte is a `1`.
fn base58(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    let mut digits: Vec<u8> = Vec::new();
    for &byte in bytes {
        let mut carry = u32::from(byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = (carry % 58) as u8;
            carry /= 58;
        }
        while carry > 0 {
            digits.push((carry % 58) as u8);
            carry /= 58;
        }
    }
    let ones = std::iter::repeat_n(0, zeros);
    let digits = ones.chain(digits.into_iter().rev());
    digits
        .map(|it| char::from(ALPHABET[usize::from(it)]))
        .collect()
}

/// base58 of the bytes and four of their SHA-256, taken twice.
fn base58check(bytes: &[u8]) -> String {
    let sum = Sha256::digest(Sha256::digest(bytes));
    base58(&[bytes, &sum[..4]].concat())
}

fn ed25519_pair(random: &mut Random) -> String {
    let seed = random.bytes(32);
    let hash = Sha512::digest(&seed);
    let scalar: [u8; 32] = std::array::from_fn(|at| hash[at]);
    let public = EdwardsPoint::mul_base_clamped(scalar).compress();
    base58(&[&seed[..], public.as_bytes()].concat())
}

/// Entropy, of its SHA-256 one bit for each 32, and for each eleven bits the word at that place.
fn mnemonic(count: usize, random: &mut Random) -> Option<String> {
    if !matches!(count, 12 | 15 | 18 | 21 | 24) {
        return None;
    }
    let list = include_str!("../../engine/judge/proof/bip39_english.txt");
    let list: Vec<_> = list.lines().collect();
    let mut bytes = random.bytes(count * 4 / 3);
    bytes.push(Sha256::digest(&bytes)[0]);
    let bit = |at: usize| usize::from(bytes[at / 8] >> (7 - at % 8) & 1);
    let word = |at: usize| list[(at * 11..at * 11 + 11).fold(0, |sum, at| sum << 1 | bit(at))];
    let phrase: Vec<_> = (0..count).map(word).collect();
    Some(phrase.join(" "))
}

/// A secret seed of Stellar (SEP-23): version, 32 bytes, their CRC-16/XMODEM, in base32.
fn stellar(random: &mut Random) -> String {
    let mut bytes = vec![18 << 3];
    bytes.extend(random.bytes(32));
    let mut sum = 0u16;
    for &byte in &bytes {
        sum ^= u16::from(byte) << 8;
        for _ in 0..8 {
            let carries = sum & 0x8000 != 0;
            sum = sum << 1 ^ if carries { 0x1021 } else { 0 };
        }
    }
    bytes.extend(sum.to_le_bytes());
    BASE32.encode(&bytes)
}

fn polymod(values: &[u8]) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
    values.iter().fold(1, |sum, &value| {
        let top = sum >> 25;
        let sum = (sum & 0x1ff_ffff) << 5 ^ u32::from(value);
        (0..5)
            .filter(|i| top >> i & 1 == 1)
            .fold(sum, |sum, i| sum ^ GENERATOR[i])
    })
}

/// Generators that draw bytes, each as a character.
pub(super) const BINARY: &[&str] = &["pkcs12", "jks-key"];

/// Each byte as the character of its number, but for those that templates mark secrets with.
fn characters(bytes: &[u8]) -> String {
    let plain = |&byte: &u8| match char::from(byte) {
        '«' | '»' => '\0',
        c => c,
    };
    bytes.iter().map(plain).collect()
}

/// The outline of a PKCS#12 container with a key under a password (RFC 7292): `PFX { version 3,
/// data { … PKCS-8ShroudedKeyBag … }, MAC }`.
fn pkcs12(random: &mut Random) -> Vec<u8> {
    const DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x82";
    const SHROUDED: &[u8] = b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x02";
    let mut bag = SHROUDED.to_vec();
    bag.extend(random.bytes(500));
    let mut data = DATA.to_vec();
    data.extend(long(bag.len() + 4));
    data.extend(b"\x04\x82");
    data.extend(long(bag.len()));
    data.extend(bag);
    let mut inside = b"\x02\x01\x03\x30\x82".to_vec();
    inside.extend(long(data.len()));
    inside.extend(data);
    inside.extend(random.bytes(60));
    sequence(&inside)
}

/// A private key as Sun's key store keeps it: `EncryptedPrivateKeyInfo` of PKCS#8 with the store's
/// own algorithm.
fn jks_key(random: &mut Random) -> Vec<u8> {
    let mut inside = b"\x30\x0e\x06\x0a+\x06\x01\x04\x01*\x02\x11\x01\x01\x05\x00\x04\x82".to_vec();
    inside.extend(long(700));
    inside.extend(random.bytes(700));
    sequence(&inside)
}

fn sequence(inside: &[u8]) -> Vec<u8> {
    let mut der = vec![0x30, 0x82];
    der.extend(long(inside.len()));
    der.extend(inside);
    der
}

/// A length of DER in two bytes.
fn long(length: usize) -> [u8; 2] {
    [(length >> 8) as u8, length as u8]
}

/// A PEM block. `RSA PRIVATE KEY` and `PRIVATE KEY` hold an RSA key; other labels the outline of a
/// key, a DER sequence of the right length or the head of an OpenSSH file, with random content.
fn pem(label: &str, random: &mut Random, newline: &str) -> String {
    const OUTLINE: usize = 304;
    let der = match label {
        "RSA PRIVATE KEY" => rsa(random),
        "PRIVATE KEY" => {
            // rsaEncryption (RFC 8017, A.1) with NULL for parameters.
            const ALGORITHM: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
            let parts = [der(2, &[0]), der(0x30, ALGORITHM), der(4, &rsa(random))];
            der(0x30, &parts.concat())
        }
        "OPENSSH PRIVATE KEY" => {
            let head = b"openssh-key-v1\0\0\0\0\x04none\0\0\0\x04none\0\0\0\0\0\0\0\x01";
            [&head[..], &random.bytes(OUTLINE - head.len())].concat()
        }
        _ => {
            let head = [0x30, 0x82, 0x01, 0x2c, 0x02, 0x01, 0x00];
            [&head[..], &random.bytes(OUTLINE - head.len())].concat()
        }
    };
    let body = BASE64.encode(&der);
    let lines: Vec<_> = body
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8_lossy(line))
        .collect();
    let lines = lines.join(newline);
    format!("-----BEGIN {label}-----{newline}{lines}{newline}-----END {label}-----")
}

/// The numbers of an RSA key of 1024 bits (RFC 8017, A.1.2). Its modulus is the product of its
/// factors, which is what can be checked without much work; they are odd, but need not be primes,
/// and the other numbers are random, so that it opens nothing.
fn rsa(random: &mut Random) -> Vec<u8> {
    const FACTOR: usize = 64;
    let mut odd = |size: usize| {
        let mut number = random.bytes(size);
        number[0] |= 0xc0;
        number[size - 1] |= 1;
        number
    };
    let (p, q) = (odd(FACTOR), odd(FACTOR));
    let mut numbers = vec![product(&p, &q), vec![1, 0, 1], odd(2 * FACTOR), p, q];
    numbers.extend([odd(FACTOR), odd(FACTOR), odd(FACTOR)]);
    // A leading zero keeps them positive.
    let fields = numbers.iter().flat_map(|number| match number[0] {
        0x80.. => der(2, &[&[0], &number[..]].concat()),
        _ => der(2, number),
    });
    let body: Vec<u8> = der(2, &[0]).into_iter().chain(fields).collect();
    der(0x30, &body)
}

/// An element of DER.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = (content.len() as u16).to_be_bytes();
    let head = match content.len() {
        0..=0x7f => vec![tag, low],
        0x80..=0xff => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [&head[..], content].concat()
}

/// The product of two big-endian numbers.
fn product(p: &[u8], q: &[u8]) -> Vec<u8> {
    let mut sum = vec![0u8; p.len() + q.len()];
    for (row, &left) in p.iter().enumerate().rev() {
        let mut carry = 0u16;
        for (column, &right) in q.iter().enumerate().rev() {
            let cell = &mut sum[row + column + 1];
            let wide = u16::from(left) * u16::from(right) + u16::from(*cell) + carry;
            *cell = wide as u8;
            carry = wide >> 8;
        }
        sum[row] = carry as u8;
    }
    sum
}
