//! What a history said of the objects with findings, as bytes.
//!
//! Ids, paths, dates and messages; no bytes of an object.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::model::{CommitPoint, Diagnostic, DiagnosticKind, ObjectId, Reachability, Role};
use crate::source::git::Attribution;

/// What is asked of a history; as a hash, to see whether two questions are one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Question([u8; 32]);

impl Question {
    /// Which way do `wanted` come into the history, and where did the files at `paths` begin?
    pub fn new(wanted: &[ObjectId], paths: &[Vec<u8>]) -> Self {
        let mut hash = Sha256::new();
        hash.update((wanted.len() as u64).to_le_bytes());
        wanted.iter().for_each(|id| hash.update(id.as_bytes()));
        for path in paths {
            hash.update((path.len() as u64).to_le_bytes());
            hash.update(path);
        }
        Self(hash.finalize().into())
    }
}

/// Answers of one history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answers {
    /// What was asked.
    pub question: Question,
    /// A hash of the path of the repository that messages name; zeros without messages.
    place: [u8; 32],
    /// Where the wanted objects are.
    pub attributions: BTreeMap<ObjectId, Attribution>,
    /// Where the files at the paths began.
    pub origins: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What the repository lacks, whatever is asked.
    pub limits: BTreeSet<Diagnostic>,
    /// What the answers lack.
    pub doubts: BTreeSet<Diagnostic>,
}

impl Answers {
    /// No answers yet, from the repository at `place`.
    pub fn new(question: Question, place: &Path, limits: BTreeSet<Diagnostic>) -> Self {
        Self {
            question,
            place: place_hash(place),
            attributions: BTreeMap::new(),
            origins: BTreeMap::new(),
            limits,
            doubts: BTreeSet::new(),
        }
    }

    /// Whether a repository at `place` says the same. Messages name the place.
    pub(super) fn holds_at(&self, place: &Path) -> bool {
        let quiet = self.limits.is_empty() && self.doubts.is_empty();
        quiet || self.place == place_hash(place)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Writer(Vec::new());
        out.raw(&self.question.0);
        out.raw(&self.place);
        out.list(&self.attributions, |out, (id, attribution)| {
            out.raw(id.as_bytes());
            out.attribution(attribution);
        });
        out.list(&self.origins, |out, (path, origin)| {
            out.bytes(path);
            out.bytes(origin);
        });
        for told in [&self.limits, &self.doubts] {
            out.list(told, |out, diagnostic| {
                out.raw(&[diagnostic.kind as u8]);
                out.bytes(diagnostic.subject.as_bytes());
                out.bytes(diagnostic.message.as_bytes());
            });
        }
        out.0
    }

    /// `None` when the bytes make no sense.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut from = Reader(bytes);
        let answers = Self {
            question: Question(from.raw()?),
            place: from.raw()?,
            attributions: from
                .list(|from| Some((from.id()?, from.attribution()?)))?
                .into_iter()
                .collect(),
            origins: from
                .list(|from| Some((from.bytes()?, from.bytes()?)))?
                .into_iter()
                .collect(),
            limits: from.list(Reader::diagnostic)?.into_iter().collect(),
            doubts: from.list(Reader::diagnostic)?.into_iter().collect(),
        };
        from.0.is_empty().then_some(answers)
    }
}

fn place_hash(place: &Path) -> [u8; 32] {
    Sha256::digest(place.as_os_str().as_encoded_bytes()).into()
}

const ROLES: [Role; 4] = [
    Role::File,
    Role::CommitMessage,
    Role::TagMessage,
    Role::Note,
];
const KINDS: [DiagnosticKind; 2] = [DiagnosticKind::Incomplete, DiagnosticKind::Warning];

struct Writer(Vec<u8>);

impl Writer {
    fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn number(&mut self, number: usize) {
        self.raw(&(number as u64).to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len());
        self.raw(bytes);
    }

    fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
        mut each: impl FnMut(&mut Self, T),
    ) {
        let items = items.into_iter();
        self.number(items.len());
        items.for_each(|item| each(self, item));
    }

    fn point(&mut self, point: &CommitPoint) {
        self.raw(point.id.as_bytes());
        self.raw(&point.time.to_le_bytes());
    }

    fn attribution(&mut self, attribution: &Attribution) {
        let Attribution {
            role,
            path,
            other_paths,
            reachability,
            in_head,
            introduced,
            removed,
            origin,
        } = attribution;
        self.raw(&[*role as u8, *reachability as u8, (*in_head).into()]);
        self.list(path.as_slice(), |out, path| out.bytes(path));
        self.list(other_paths, |out, path| out.bytes(path));
        for point in [introduced, removed] {
            self.list(point.as_slice(), Self::point);
        }
        self.bytes(origin);
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn raw<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (raw, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*raw)
    }

    fn number(&mut self) -> Option<usize> {
        usize::try_from(u64::from_le_bytes(self.raw()?)).ok()
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        let len = self.number()?;
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes.to_vec())
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?).ok()
    }

    /// A list, made as long as what is read of it and not as long as it says to be.
    fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        for _ in 0..self.number()? {
            items.push(each(self)?);
        }
        Some(items)
    }

    /// A list of at most one.
    fn option<T>(&mut self, each: impl FnMut(&mut Self) -> Option<T>) -> Option<Option<T>> {
        let mut items = self.list(each)?;
        let item = items.pop();
        items.is_empty().then_some(item)
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        let [number] = self.raw()?;
        all.get(usize::from(number)).copied()
    }

    fn id(&mut self) -> Option<ObjectId> {
        self.raw().map(ObjectId::new)
    }

    fn point(&mut self) -> Option<CommitPoint> {
        Some(CommitPoint {
            id: self.id()?,
            time: i64::from_le_bytes(self.raw()?),
        })
    }

    fn attribution(&mut self) -> Option<Attribution> {
        Some(Attribution {
            role: self.one_of(&ROLES)?,
            reachability: self.one_of(&Reachability::ALL)?,
            in_head: self.one_of(&[false, true])?,
            path: self.option(Self::bytes)?,
            other_paths: self.list(Self::bytes)?,
            introduced: self.option(Self::point)?,
            removed: self.option(Self::point)?,
            origin: self.bytes()?,
        })
    }

    fn diagnostic(&mut self) -> Option<Diagnostic> {
        Some(Diagnostic {
            kind: self.one_of(&KINDS)?,
            subject: self.text()?,
            message: self.text()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribution(role: Role, reachability: Reachability, n: u8) -> Attribution {
        let point = |n| CommitPoint {
            id: ObjectId::new([n; 20]),
            time: -i64::from(n),
        };
        Attribution {
            role,
            path: n.is_multiple_of(2).then(|| vec![n, 0xff]),
            other_paths: vec![vec![n]; usize::from(n)],
            reachability,
            in_head: n > 2,
            introduced: (n > 1).then(|| point(n)),
            removed: (n > 3).then(|| point(n + 1)),
            origin: vec![b'o'; usize::from(n)],
        }
    }

    fn answers() -> Answers {
        let wanted = [ObjectId::new([1; 20])];
        let told = |kind, subject: &str| Diagnostic {
            kind,
            subject: subject.into(),
            message: "what happened".into(),
        };
        let place = Path::new("here");
        let question = Question::new(&wanted, &[b"a".to_vec()]);
        let mut answers = Answers::new(question, place, BTreeSet::new());
        for (n, class) in Reachability::ALL.into_iter().enumerate() {
            let about = attribution(ROLES[n % ROLES.len()], class, n as u8);
            answers
                .attributions
                .insert(ObjectId::new([n as u8; 20]), about);
        }
        answers.origins.insert(b"new".to_vec(), b"old".to_vec());
        answers
            .limits
            .insert(told(DiagnosticKind::Incomplete, "a clone"));
        answers
            .doubts
            .insert(told(DiagnosticKind::Warning, "a tree"));
        answers
    }

    #[test]
    fn answers_survive_as_bytes() {
        let answers = answers();
        let bytes = answers.encode();
        assert_eq!(Answers::decode(&bytes), Some(answers));
        for end in 0..bytes.len() {
            assert_eq!(Answers::decode(&bytes[..end]), None, "cut at {end}");
        }
    }

    #[test]
    fn messages_hold_at_their_place_only() {
        let mut answers = answers();
        assert!(answers.holds_at(Path::new("here")));
        assert!(!answers.holds_at(Path::new("there")));
        answers.limits.clear();
        answers.doubts.clear();
        assert!(answers.holds_at(Path::new("there")));
    }

    #[test]
    fn another_question_is_another_one() {
        let [one, two] = [1, 2].map(|n| ObjectId::new([n; 20]));
        let ask = |ids: &[ObjectId], paths: &[&str]| {
            let paths: Vec<_> = paths.iter().map(|path| path.as_bytes().to_vec()).collect();
            Question::new(ids, &paths)
        };
        assert_eq!(ask(&[one], &["a"]), ask(&[one], &["a"]));
        assert_ne!(ask(&[one], &["a"]), ask(&[two], &["a"]));
        assert_ne!(ask(&[one], &["a", "b"]), ask(&[one], &["ab"]));
        assert_ne!(ask(&[one], &[]), ask(&[one, two], &[]));
    }
}
