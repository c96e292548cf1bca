//! Chooses the windows of the built-in anchors, and buckets for them, so that the prefilter's
//! sieves let little of ordinary code through:
//!
//! ```sh
//! python3 benches/reference.py
//! find target/reference/text -type f | LC_ALL=C sort | awk 'NR % 3 == 0' | tr '\n' '\0' |
//!     xargs -0 cat | cargo run --release --example buckets > src/engine/prefilter/buckets.txt
//! ```
//!
//! A line has the `bucket_key` of an anchor, the offset of its window and the number of its bucket, and
//! the offset of its window for the sieve of trigrams.
//!
//! Each anchor goes where it adds the least cost: places of a sample that no bucket took before,
//! and how often the window itself stands in the text. Then, for some rounds, each is taken out
//! and put where it costs least now. So it is with the trigrams, whose cost is how often one stands in
//! the text before a byte that may follow it. Takes a minute.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::sync::Arc;

use straykey::detector::DetectorSet;
use straykey::engine::Engine;
use straykey::engine::prefilter::{Anchor, BUCKETS, bucket_key, trigram, trigrams};

/// Bytes of a window.
const WIDTH: usize = 4;
/// Words of a set of samples.
const WORDS: usize = 4096;
/// Places of the text that are looked at.
const SAMPLES: usize = 64 * WORDS;
/// Windows of an anchor that are tried, the rarest first.
const TRIED: usize = 6;
/// What a place where a window stands costs, in places that pass.
const WINDOW: f64 = 6.0;
/// Bytes from the start of a window that are looked at before whole anchors are compared.
const LOOKED_AT: usize = 6;
/// What a comparison of anchors costs, in places that pass.
const COMPARED: u64 = 4;
/// Times that each anchor is put somewhere.
const ROUNDS: usize = 4;

/// A bit for each sample.
type Samples = Vec<u64>;

/// One way to put an anchor's window.
struct Window {
    offset: usize,
    /// What may stand at each place.
    bytes: [Vec<u8>; WIDTH],
    /// How much of the text it is.
    share: f64,
}

/// The samples whose byte at each place is one of the bucket's.
struct Bucket {
    /// How many windows have a byte, for each place.
    uses: [[u32; 128]; WIDTH],
    at: [Samples; WIDTH],
    taken: Samples,
}

struct Packing {
    /// The samples with a byte, for each place.
    with: [Vec<Samples>; WIDTH],
    buckets: Vec<Bucket>,
}

fn main() -> io::Result<()> {
    let mut text = Vec::new();
    io::stdin().read_to_end(&mut text)?;
    assert!(text.len() > SAMPLES + WIDTH, "more text is needed");
    let engine = Engine::new(Arc::new(DetectorSet::builtin()));
    let anchors = engine.anchors().iter();
    let anchors: Vec<&Anchor> = anchors
        .filter(|anchor| anchor.bytes().len() >= WIDTH)
        .collect();
    let windows = windows(&anchors, &text);

    let mut order: Vec<usize> = (0..anchors.len()).collect();
    let rarest = |number: usize| windows[number][0].share;
    order.sort_by(|&a, &b| rarest(b).total_cmp(&rarest(a)).then(a.cmp(&b)));
    let mut packing = Packing::new(&text);
    let mut places = vec![None; anchors.len()];
    for round in 1..=ROUNDS {
        for &number in &order {
            if let Some((bucket, window)) = places[number] {
                packing.take_out(bucket, &windows[number][window]);
            }
            let (bucket, window) = packing.best(&windows[number]);
            packing.put(bucket, &windows[number][window]);
            places[number] = Some((bucket, window));
        }
        eprintln!("round {round}: {:.2} % passes", 100.0 * packing.share());
    }

    let chosen = trigram_windows(&anchors, &text);

    let digit = |number: usize| char::from_digit(number as u32, BUCKETS as u32);
    let line = |number: usize| {
        let (bucket, window) = places[number]?;
        let key = String::from_utf8(bucket_key(anchors[number]).to_vec()).ok()?;
        let offset = windows[number][window].offset;
        let numbers = [offset, bucket, chosen[number]];
        let digits: Option<String> = numbers.into_iter().map(digit).collect();
        Some(format!("{key}{}\n", digits?))
    };
    let lines = (0..anchors.len()).filter_map(line);
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    io::stdout().write_all(lines.concat().as_bytes())
}

/// The offset of each anchor's window for the sieve of trigrams.
fn trigram_windows(anchors: &[&Anchor], text: &[u8]) -> Vec<usize> {
    let mut sieve = Trigrams::new(text);
    let seen = endings(anchors, text);
    let mut offsets = vec![None; anchors.len()];
    for round in 1..=ROUNDS {
        for (offset, anchor) in offsets.iter_mut().zip(anchors) {
            let bytes = anchor.bytes();
            if let Some(offset) = offset {
                sieve.change(trigrams(bytes, *offset), -1);
            }
            let last = bytes.len().saturating_sub(WIDTH + 1);
            let cost = |&offset: &usize| -> u64 {
                let both = trigrams(bytes, offset);
                let places: u64 = both.iter().map(|trigram| sieve.cost(trigram)).sum();
                places + COMPARED * seen[&ending(bytes, offset)]
            };
            let best = (0..=last).min_by_key(cost).expect("there is one");
            sieve.change(trigrams(bytes, best), 1);
            *offset = Some(best);
        }
        let share = sieve.passes() as f64 / text.len() as f64;
        eprintln!("round {round}: {:.2} % passes the trigrams", 100.0 * share);
    }
    offsets.into_iter().flatten().collect()
}

/// What anchors have from a window on, as far as it is looked at before anchors are compared, and
/// how often the text has it.
fn endings(anchors: &[&Anchor], text: &[u8]) -> HashMap<Vec<u8>, u64> {
    let mut seen = HashMap::new();
    for anchor in anchors {
        let bytes = anchor.bytes();
        let offsets = 0..=bytes.len() - WIDTH;
        seen.extend(offsets.map(|offset| (ending(bytes, offset), 0)));
    }
    for four in 0..text.len() - LOOKED_AT {
        for len in WIDTH..=LOOKED_AT {
            let there = text[four..four + len].iter().map(|byte| byte | 0x20);
            let there: Vec<u8> = there.collect();
            if let Some(count) = seen.get_mut(&there) {
                *count += 1;
            }
        }
    }
    seen
}

fn ending(anchor: &[u8], offset: usize) -> Vec<u8> {
    let ending = anchor[offset..].iter().take(LOOKED_AT);
    ending.map(|byte| byte | 0x20).collect()
}

/// The trigrams of a sieve, by the slot of its table.
struct Trigrams {
    /// How often one stands in the text before bytes with each number for their bits.
    followed: Vec<[u32; 256]>,
    /// How many windows have each of these numbers behind it.
    uses: HashMap<usize, HashMap<u8, i32>>,
}

impl Trigrams {
    fn new(text: &[u8]) -> Self {
        let mut followed = vec![[0; 256]; 1 << 16];
        for four in text.windows(4) {
            let (slot, next) = trigram(four);
            followed[slot][usize::from(next)] += 1;
        }
        let uses = HashMap::new();
        Self { followed, uses }
    }

    /// The bits of what may follow.
    fn bits(&self, slot: usize) -> u8 {
        let uses = self.uses.get(&slot).into_iter().flatten();
        let used = uses.filter(|(_, count)| **count > 0);
        used.fold(0, |all, (bits, _)| all | bits)
    }

    /// How many places of the text pass by a slot with `bits`.
    fn places(&self, slot: usize, bits: u8) -> u64 {
        let may = |next: &usize| bits != 0 && *next & !usize::from(bits) == 0;
        let counts = (0..256).filter(may).map(|next| self.followed[slot][next]);
        counts.map(u64::from).sum()
    }

    /// How many places more pass with a trigram.
    fn cost(&self, bytes: &[u8]) -> u64 {
        let (slot, next) = trigram(bytes);
        let bits = self.bits(slot);
        self.places(slot, bits | next) - self.places(slot, bits)
    }

    fn change(&mut self, both: [&[u8]; 2], by: i32) {
        for (slot, next) in both.map(trigram) {
            *self.uses.entry(slot).or_default().entry(next).or_default() += by;
        }
    }

    fn passes(&self) -> u64 {
        let slots = self.uses.keys();
        slots.map(|&slot| self.places(slot, self.bits(slot))).sum()
    }
}

/// The windows of each anchor, those first that the text has least.
fn windows(anchors: &[&Anchor], text: &[u8]) -> Vec<Vec<Window>> {
    let fold = |window: &[u8]| [0, 1, 2, 3].map(|at| window[at] | 0x20);
    let all = anchors
        .iter()
        .flat_map(|anchor| anchor.bytes().windows(WIDTH));
    let mut counts: HashMap<[u8; WIDTH], u64> = all.map(|window| (fold(window), 0)).collect();
    for window in text.windows(WIDTH) {
        if let Some(count) = counts.get_mut(&fold(window)) {
            *count += 1;
        }
    }
    let of = |anchor: &&Anchor| {
        let may = |byte: u8| {
            let mut may = vec![byte & 0x7f];
            if anchor.ignore_case() && byte.is_ascii_lowercase() {
                may.push(byte.to_ascii_uppercase());
            }
            may
        };
        let all = anchor.bytes().windows(WIDTH).enumerate();
        let all = all.map(|(offset, window)| Window {
            offset,
            bytes: [0, 1, 2, 3].map(|at| may(window[at])),
            share: counts[&fold(window)] as f64 / text.len() as f64,
        });
        let mut all: Vec<Window> = all.collect();
        all.sort_by(|a, b| a.share.total_cmp(&b.share));
        all.truncate(TRIED);
        all
    };
    anchors.iter().map(of).collect()
}

impl Packing {
    fn new(text: &[u8]) -> Self {
        let none = || vec![0; WORDS];
        let mut with = [0; WIDTH].map(|_| vec![none(); 128]);
        let step = (text.len() - WIDTH) / SAMPLES;
        for sample in 0..SAMPLES {
            // Not at the same distance from each other.
            let at = sample * step + sample * 7919 % step;
            for (place, with) in with.iter_mut().enumerate() {
                let byte = usize::from(text[at + place] & 0x7f);
                with[byte][sample / 64] |= 1 << (sample % 64);
            }
        }
        let bucket = || Bucket {
            uses: [[0; 128]; WIDTH],
            at: [0; WIDTH].map(|_| none()),
            taken: none(),
        };
        let buckets = (0..BUCKETS).map(|_| bucket()).collect();
        Self { with, buckets }
    }

    /// The samples with one of `bytes` at a place.
    fn with(&self, place: usize, bytes: impl IntoIterator<Item = u8>) -> Samples {
        let mut all = vec![0; WORDS];
        for byte in bytes {
            let with = &self.with[place][usize::from(byte)];
            all.iter_mut()
                .zip(with)
                .for_each(|(all, with)| *all |= with);
        }
        all
    }

    /// The samples that a bucket takes.
    fn taken(&self) -> Samples {
        let word = |at: usize| {
            self.buckets
                .iter()
                .fold(0, |all, bucket| all | bucket.taken[at])
        };
        (0..WORDS).map(word).collect()
    }

    fn share(&self) -> f64 {
        let ones: u32 = self.taken().iter().map(|word| word.count_ones()).sum();
        f64::from(ones) / SAMPLES as f64
    }

    /// The bucket and the window that cost least.
    fn best(&self, windows: &[Window]) -> (usize, usize) {
        let before = self.taken();
        let mut best = (f64::INFINITY, 0, 0);
        for (number, window) in windows.iter().enumerate() {
            let with = [0, 1, 2, 3].map(|place| self.with(place, window.bytes[place].clone()));
            for (at, bucket) in self.buckets.iter().enumerate() {
                let (passes, wider) = bucket.cost(window, &with, &before);
                // How much wider a bucket becomes decides between equals.
                let cost = (f64::from(passes) + 1e-5 * f64::from(wider)) / SAMPLES as f64;
                let cost = cost + WINDOW * window.share;
                if cost < best.0 {
                    best = (cost, at, number);
                }
            }
        }
        (best.1, best.2)
    }

    fn put(&mut self, bucket: usize, window: &Window) {
        for (place, bytes) in window.bytes.iter().enumerate() {
            for &byte in bytes {
                self.buckets[bucket].uses[place][usize::from(byte)] += 1;
            }
        }
        self.renew(bucket);
    }

    fn take_out(&mut self, bucket: usize, window: &Window) {
        for (place, bytes) in window.bytes.iter().enumerate() {
            for &byte in bytes {
                self.buckets[bucket].uses[place][usize::from(byte)] -= 1;
            }
        }
        self.renew(bucket);
    }

    fn renew(&mut self, bucket: usize) {
        let uses = &self.buckets[bucket].uses;
        let at = [0, 1, 2, 3].map(|place| {
            let used = (0..128).filter(|&byte| uses[place][usize::from(byte)] > 0);
            self.with(place, used)
        });
        let bucket = &mut self.buckets[bucket];
        bucket.taken = (0..WORDS)
            .map(|word| at.iter().fold(!0, |all, at| all & at[word]))
            .collect();
        bucket.at = at;
    }
}

impl Bucket {
    /// How many more samples than `before` pass when `window` is put here, and how many bytes more
    /// its places take, in samples. `with` are the samples with the window's bytes.
    fn cost(&self, window: &Window, with: &[Samples; WIDTH], before: &Samples) -> (u32, u32) {
        let places = window.bytes.iter().zip(&self.uses);
        let mut new =
            places.map(|(bytes, uses)| bytes.iter().any(|&byte| uses[usize::from(byte)] == 0));
        if !new.any(|new| new) {
            return (0, 0);
        }
        let (mut passes, mut wider) = (0, 0);
        for word in 0..WORDS {
            let mut all = !before[word];
            for place in 0..WIDTH {
                let (at, with) = (self.at[place][word], with[place][word]);
                all &= at | with;
                wider += (with & !at).count_ones();
            }
            passes += all.count_ones();
        }
        (passes, wider)
    }
}
