//! A text that every match of a pattern holds beside its keyword, to be looked for before the pattern
//! is run, or even compiled: `password` of `create user … password '…'`. Most statements, calls and
//! blocks that begin like one with a secret have none. `build.rs` includes this file.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Shorter texts stand everywhere.
const LEAST: usize = 4;

/// The longest text, in lower case, that all matches of `hir` hold in some case and none of `keywords`
/// tells; empty when there is none.
pub(super) fn required(hir: &Hir, keywords: &[String]) -> String {
    let mut runs = Runs::default();
    runs.read(hir);
    runs.cut();
    let keywords: Vec<_> = keywords
        .iter()
        .map(|word| word.to_ascii_lowercase())
        .collect();
    let told = |run: &str| {
        let mut words = keywords.iter();
        words.any(|word| word.contains(run) || run.contains(word.as_str()))
    };
    let mut best = String::new();
    for run in runs.done {
        if run.len() >= LEAST && run.len() > best.len() && !told(&run) {
            best = run;
        }
    }
    best
}

/// The texts that every match of an expression holds, in lower case.
#[derive(Default)]
struct Runs {
    done: Vec<String>,
    /// The one that ends where the expression has been read to.
    open: String,
}

impl Runs {
    fn read(&mut self, hir: &Hir) {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => literal.0.iter().for_each(|&byte| self.push(byte)),
            HirKind::Class(class) => match letter(class) {
                Some(byte) => self.push(byte),
                None => self.cut(),
            },
            HirKind::Capture(group) => self.read(&group.sub),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.read(part)),
            HirKind::Repetition(repetition) => {
                self.cut();
                if repetition.min > 0 {
                    self.read(&repetition.sub);
                    self.cut();
                }
            }
            HirKind::Alternation(_) => self.cut(),
        }
    }

    fn push(&mut self, byte: u8) {
        match byte.is_ascii() {
            true => self.open.push(char::from(byte.to_ascii_lowercase())),
            false => self.cut(),
        }
    }

    fn cut(&mut self) {
        self.done.push(std::mem::take(&mut self.open));
    }
}

/// The letter that a class has in both cases.
fn letter(class: &Class) -> Option<u8> {
    let Class::Bytes(class) = class else {
        return None;
    };
    let [upper, lower] = class.ranges() else {
        return None;
    };
    let is_one = upper.len() == 1 && lower.len() == 1;
    let folds =
        upper.start().is_ascii_uppercase() && upper.start().to_ascii_lowercase() == lower.start();
    (is_one && folds).then_some(lower.start())
}
