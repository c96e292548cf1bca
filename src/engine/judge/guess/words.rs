//! What reads like a word, and words that are tried first.

/// Bits of letters that read like a word more or less; `None` when they read like random ones or
/// are too few to tell.
///
/// Two bits a letter for a word, rising to those of the alphabet as they read less like one: no
/// threshold that a random run falls under by a hair. A short word counts at most as one of a
/// dictionary of 2,000.
pub(super) fn word_bits(letters: &[u8], separated: bool) -> Option<f64> {
    const DICTIONARY: f64 = 11.0;
    const SHORT: usize = 9;
    let length = letters.len();
    if length < 2 || length < 4 && !separated {
        return None;
    }
    let cost = pair_cost(letters);
    // Few letters tell less: they have to read better to be taken for a word.
    let (word, random) = match length {
        2..=3 => (5.0, 7.0),
        4 => (3.4, 4.6),
        5 => (3.7, 4.7),
        6..=11 => (4.0, 4.8),
        _ => (4.0, 4.7),
    };
    let doubt = ((cost - word) / (random - word)).max(0.0);
    let as_word = (2.0 * length.min(SHORT) as f64).min(DICTIONARY)
        + 2.0 * length.saturating_sub(SHORT) as f64;
    let as_letters = 4.7 * length as f64;
    (doubt < 1.0).then_some(as_word + doubt * (as_letters - as_word))
}

/// Mean bits of a letter after the one before it; `letters` are two or more.
pub fn pair_cost(letters: &[u8]) -> f64 {
    let index = |c: u8| usize::from(c.to_ascii_lowercase() - b'a');
    let cost = |pair: &[u8]| (PAIRS[index(pair[0])] >> (4 * index(pair[1])) & 15) as u32;
    let total: u32 = letters.windows(2).map(cost).sum();
    f64::from(total) / (letters.len() - 1) as f64
}

/// Passwords that head every list of leaked and default ones; digits and signs at the end are
/// looked at apart.
pub(super) const LEAKED: &[&[u8]] = &[
    b"123456",
    b"123456789",
    b"abc123",
    b"admin",
    b"administrator",
    b"adminadmin",
    b"angel",
    b"baseball",
    b"changeit",
    b"changeme",
    b"cisco",
    b"default",
    b"demo",
    b"dragon",
    b"flower",
    b"football",
    b"foobar",
    b"guest",
    b"hello",
    b"hunter",
    b"iloveyou",
    b"letmein",
    b"login",
    b"lovely",
    b"manager",
    b"master",
    b"minioadmin",
    b"monkey",
    b"mysql",
    b"nopassword",
    b"oracle",
    b"p4ssw0rd",
    b"p@ssw0rd",
    b"p@ssword",
    b"pass",
    b"passw0rd",
    b"password",
    b"postgres",
    b"princess",
    b"qwerty",
    b"qwertz",
    b"root",
    b"secret",
    b"shadow",
    b"sunshine",
    b"superman",
    b"supersecret",
    b"system",
    b"temp",
    b"test",
    b"tiger",
    b"tomcat",
    b"toor",
    b"trustno1",
    b"user",
    b"welcome",
    b"zaq12wsx",
];

/// Cost in bits of a letter after another, four bits a pair: row `a` first, `a` in the lowest
/// bits. Counted over the words and identifiers of the standard libraries of Rust, Python and
/// Perl and of their documentation, each by the square root of its frequency.
const PAIRS: [u128; 26] = [
    0x96_7766_343a_5c34_36a5_a578_4458, // a
    0x85_9a93_644b_6366_2853_9863_6563, // b
    0xc7_a985_365a_7286_44b5_3973_6583, // c
    0xc6_8875_6459_7477_5882_9762_5764, // d
    0xa7_4768_4327_5735_48b7_8656_3474, // e
    0xc6_99a4_5549_7377_49b2_7733_6674, // f
    0x78_a874_643f_7446_4ad3_4572_7684, // g
    0xb6_9985_465b_8376_68f3_9992_7882, // h
    0x6d_6c5a_3459_5425_48c9_c555_5455, // i
    0xb8_b673_8477_6377_8575_9b62_6783, // j
    0xb6_a586_5379_6658_5883_8571_6774, // k
    0xa4_a975_558b_7378_38b3_9872_5783, // l
    0xd6_9b95_6599_3485_67c3_a982_6852, // m
    0x97_a866_338a_7468_76a4_8353_3484, // n
    0xa9_8554_543b_4524_4696_9667_4466, // o
    0xb5_a885_453a_4387_37b4_6873_7783, // p
    0xaa_9561_6446_8776_4ca7_a879_6a97, // q
    0xd5_b875_445b_6355_66c3_9672_5573, // r
    0xb6_9784_2477_4476_57a3_4873_7595, // s
    0x95_9785_543c_6487_69c2_4972_7683, // t
    0xab_8ba9_333d_4634_4ad5_b665_6545, // u
    0xb8_8a89_777c_7576_78e3_9871_9772, // v
    0xba_9798_744a_7348_68b3_3873_5882, // w
    0x86_5978_2578_2576_6bd3_6863_6474, // x
    0x77_9577_4369_2444_49a4_8564_6565, // y
    0x66_c768_766c_8586_67c3_7a71_9773, // z
];
