//! Rebuilds the objects of one delta tree, depth first, each once.
//!
//! Invariant: the bytes of a base are held while a delta of it is still to come and no longer,
//! and [`super::plan`] puts the largest branch last, so few objects are held at a time. A tree
//! made to defeat that meets the limit on held bytes.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::plan::{NONE, Node, Role, Root, Start};
use super::{EntryKind, Pack, Plan, apply};
use crate::machine::prefetch;
use crate::model::{Copied, Kinship, ObjectId, Trace};
use crate::source::git::commit_log::CommitLog;
use crate::source::git::error::ObjectError;
use crate::source::git::inflate::Inflater;
use crate::source::git::object::{self, Descent, Kind, Mark, Object};

/// An object that is lost, or not what it should be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::source::git) struct Failure {
    /// Where it starts.
    pub(in crate::source::git) offset: u64,
    /// Its id, when the index says one.
    pub(in crate::source::git) id: Option<ObjectId>,
    /// Where the index lists it.
    pub(in crate::source::git) position: u32,
    /// What is wrong.
    pub(in crate::source::git) error: ObjectError,
}

impl Failure {
    pub(super) fn new(pack: &Pack, node: Node, error: ObjectError) -> Self {
        Self {
            offset: node.offset,
            id: pack.index.id(node.position as usize),
            position: node.position,
            error,
        }
    }

    /// Whether the object was shown all the same, as far as it could be read.
    pub(in crate::source::git) fn was_read(&self) -> bool {
        match self.error {
            ObjectError::Checksum => true,
            // Several ids for one entry, or an entry outside of the pack.
            ObjectError::Offset => self.offset != u64::MAX,
            _ => false,
        }
    }
}

/// Where rebuilt objects and failures go.
pub(in crate::source::git) struct Sink<'a> {
    /// Called for each object.
    pub(in crate::source::git) visit: &'a (dyn Fn(Object<'_>) -> ControlFlow<()> + Sync),
    /// Largest object, and the most bytes held for one delta tree.
    pub(in crate::source::git) limit: u64,
    /// Set when the visitor has seen enough.
    pub(in crate::source::git) stop: &'a AtomicBool,
    /// Whether to note the header lines of commits.
    pub(in crate::source::git) note_commits: bool,
    /// Whether to lend what blobs were made from.
    pub(in crate::source::git) lend: bool,
    /// What could not be read of this pack.
    pub(in crate::source::git) failures: &'a Mutex<Vec<Failure>>,
}

impl Sink<'_> {
    /// Whether the visitor has seen enough.
    pub(in crate::source::git) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Notes what a commit names, where that is asked for.
    pub(in crate::source::git) fn note(&self, object: &Object<'_>, commits: &mut CommitLog) {
        if object.kind == Kind::Commit && self.note_commits {
            commits.note(object.id, object.bytes);
        }
    }

    /// Shows an object, and notes it when it is a commit.
    pub(in crate::source::git) fn show(&self, object: Object<'_>, commits: &mut CommitLog) {
        if self.stopped() {
            return;
        }
        self.note(&object, commits);
        if (self.visit)(object).is_break() {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    /// Notes that `node` is lost, and with it every delta of it.
    fn fail(&self, pack: &Pack, plan: &Plan, node: u32, error: ObjectError) {
        let lost = plan.lost(pack, node, error);
        self.failures
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .extend(lost);
    }
}

/// Buffers of one thread.
pub(in crate::source::git) struct Scratch {
    inflater: Inflater,
    delta: Vec<u8>,
    copied: Vec<Copied>,
    spare: Vec<Vec<u8>>,
    spare_traces: Vec<Trace>,
    spare_marks: Vec<Mark>,
    stack: Vec<Frame>,
    /// Commits seen.
    pub(in crate::source::git) commits: CommitLog,
    /// Bytes of the objects on the stack.
    held: u64,
}

/// A rebuilt object some of whose deltas are still to come.
struct Frame {
    bytes: Vec<u8>,
    trace: Trace,
    mark: Mark,
    /// The next delta to take, of those before the last.
    next: u32,
    /// The delta to take last, [`NONE`] once taken.
    last: u32,
}

impl Frame {
    fn len(&self) -> u64 {
        (self.bytes.len() + self.trace.held() + self.mark.held()) as u64
    }

    fn base(&self) -> Base<'_> {
        Base {
            bytes: &self.bytes,
            trace: Some(&self.trace),
            mark: Some(&self.mark),
        }
    }

    /// The delta to take next, [`NONE`] when there is none.
    fn after(&self) -> u32 {
        match self.next {
            NONE => self.last,
            node => node,
        }
    }

    /// The delta to rebuild now.
    fn take(&mut self, plan: &Plan) -> u32 {
        match self.next {
            NONE => std::mem::replace(&mut self.last, NONE),
            node => {
                self.next = plan.nodes[node as usize].next;
                node
            }
        }
    }
}

/// What a delta is applied to.
#[derive(Clone, Copy)]
struct Base<'a> {
    bytes: &'a [u8],
    /// What the scan of it left, when it was scanned.
    trace: Option<&'a Trace>,
    mark: Option<&'a Mark>,
}

/// Buffers with more room than this are not kept.
pub(in crate::source::git) const KEEP: usize = 8 << 20;

impl Scratch {
    pub(in crate::source::git) fn new() -> Self {
        Self {
            inflater: Inflater::new(),
            delta: Vec::new(),
            copied: Vec::new(),
            spare: Vec::new(),
            spare_traces: Vec::new(),
            spare_marks: Vec::new(),
            stack: Vec::new(),
            commits: CommitLog::default(),
            held: 0,
        }
    }

    fn push(&mut self, frame: Frame) {
        self.held += frame.len();
        self.stack.push(frame);
    }

    fn pop(&mut self) -> Option<Frame> {
        let frame = self.stack.pop()?;
        self.held -= frame.len();
        Some(frame)
    }

    fn clear(&mut self) {
        self.stack.clear();
        self.held = 0;
    }

    fn recycle(&mut self, buffer: Vec<u8>, mut trace: Trace, mut mark: Mark) {
        if buffer.capacity() <= KEEP {
            self.spare.push(buffer);
        }
        if trace.held() <= KEEP {
            trace.clear();
            self.spare_traces.push(trace);
        }
        if mark.held() <= KEEP {
            mark.clear();
            self.spare_marks.push(mark);
        }
    }
}

impl Plan {
    /// Rebuilds the delta tree of `root`. `outside` is the kind and the bytes of the base when the root
    /// is a delta of an object outside the pack.
    pub(in crate::source::git) fn walk(
        &self,
        pack: &Pack,
        root: Root,
        outside: Option<(Kind, &[u8])>,
        scratch: &mut Scratch,
        sink: &Sink<'_>,
    ) {
        let kind = match (root.start, outside) {
            (Start::Whole(kind), _) | (Start::Outside(_), Some((kind, _))) => kind,
            (Start::Outside(base), None) => {
                return sink.fail(pack, self, root.node, ObjectError::MissingBase(base));
            }
        };
        let tree = Tree {
            pack,
            plan: self,
            kind,
            sink,
        };
        let base = outside.map(|(_, bytes)| Base {
            bytes,
            trace: None,
            mark: None,
        });
        if let Some(frame) = tree.visit(root.node, NONE, base, scratch) {
            scratch.push(frame);
            tree.descend(scratch);
        }
    }

    /// Says that the delta tree of `root` will be rebuilt soon.
    pub(in crate::source::git) fn expect(&self, pack: &Pack, root: &Root) {
        self.expect_node(pack, root.node);
    }

    /// Says that `node`, if it is one, will be rebuilt soon: its bytes, its id and what comes behind
    /// it are far from each other in memory, so all are asked for at once.
    fn expect_node(&self, pack: &Pack, node: u32) {
        if let Some(node) = self.nodes.get(node as usize) {
            pack.expect(node.offset);
            pack.index.expect(node.position as usize);
            prefetch(&self.nodes, node.first as usize);
            prefetch(&self.nodes, node.next as usize);
        }
    }

    /// The root cannot be rebuilt because its base outside the pack cannot be read.
    pub(in crate::source::git) fn lose(
        &self,
        pack: &Pack,
        root: Root,
        error: ObjectError,
        sink: &Sink<'_>,
    ) {
        sink.fail(pack, self, root.node, error);
    }
}

struct Tree<'a> {
    pack: &'a Pack,
    plan: &'a Plan,
    kind: Kind,
    sink: &'a Sink<'a>,
}

impl Tree<'_> {
    /// Rebuilds everything below the frame that `scratch` holds.
    fn descend(&self, scratch: &mut Scratch) {
        while let Some(mut top) = scratch.pop() {
            if self.sink.stopped() {
                return scratch.clear();
            }
            let node = top.take(self.plan);
            let after = top.after();
            let too_much = scratch.held > 0 && scratch.held + top.len() > self.sink.limit;
            let below = match too_much {
                true => {
                    self.sink
                        .fail(self.pack, self.plan, node, ObjectError::Memory);
                    None
                }
                false => self.visit(node, after, Some(top.base()), scratch),
            };
            match top.next == NONE && top.last == NONE {
                true => scratch.recycle(top.bytes, top.trace, top.mark),
                false => scratch.push(top),
            }
            if let Some(below) = below {
                scratch.push(below);
            }
        }
    }

    /// Rebuilds `node` from its base and shows it. Returns a frame when it has deltas. `after` will
    /// be rebuilt later, unless it is [`NONE`].
    fn visit(
        &self,
        node: u32,
        after: u32,
        base: Option<Base<'_>>,
        scratch: &mut Scratch,
    ) -> Option<Frame> {
        let entry = self.plan.nodes[node as usize];
        let leaf = entry.first == NONE;
        let mut bytes = scratch.spare.pop().unwrap_or_default();
        let trace = scratch.spare_traces.pop().unwrap_or_default();
        let base_bytes = base.map(|base| base.bytes);
        if let Err(error) = self.rebuild(entry.offset, base_bytes, scratch, &mut bytes) {
            scratch.recycle(bytes, trace, Mark::default());
            self.sink.fail(self.pack, self.plan, node, error);
            return None;
        }
        // What comes next is looked for in memory while this one is looked at.
        let next = match leaf {
            true => after,
            false => match self.plan.nodes[entry.first as usize].next {
                NONE => entry.first,
                next => next,
            },
        };
        self.plan.expect_node(self.pack, next);
        let id = self.pack.index.id(entry.position as usize)?;
        let trace = RefCell::new(trace);
        let mark = RefCell::new(scratch.spare_marks.pop().unwrap_or_default());
        let known = base.and_then(|base| base.trace);
        let object = Object {
            id,
            kind: self.kind,
            bytes: &bytes,
            kinship: (self.sink.lend && self.kind == Kind::Blob).then_some(Kinship {
                base: known.map(|trace| (trace, &*scratch.copied)),
                trace: &trace,
            }),
            descent: Some(Descent {
                base: base.map(|base| object::Base {
                    bytes: base.bytes,
                    copied: &scratch.copied,
                    mark: base.mark,
                }),
                mark: (!leaf).then_some(&mark),
            }),
        };
        match entry.role {
            Role::Shown => self.sink.show(object, &mut scratch.commits),
            Role::Known => self.sink.note(&object, &mut scratch.commits),
            Role::Spare => {}
        }
        let (trace, mark) = (trace.into_inner(), mark.into_inner());
        if leaf {
            scratch.recycle(bytes, trace, mark);
            return None;
        }
        Some(Frame {
            bytes,
            trace,
            mark,
            next: self.plan.nodes[entry.first as usize].next,
            last: entry.first,
        })
    }

    fn rebuild(
        &self,
        offset: u64,
        base: Option<&[u8]>,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), ObjectError> {
        let limit = self.sink.limit;
        let entry = self.pack.entry(offset)?;
        if entry.size > limit {
            let size = entry.size;
            return Err(ObjectError::TooLarge { size, limit });
        }
        let packed = self.pack.packed(entry.data);
        match (entry.kind, base) {
            (EntryKind::Whole(_), _) => scratch.inflater.inflate(packed, entry.size, out),
            (_, Some(base)) => {
                let Scratch {
                    inflater,
                    delta,
                    copied,
                    ..
                } = scratch;
                inflater.inflate(packed, entry.size, delta)?;
                copied.clear();
                let outcome = apply(base, delta, limit, out, |copy| join(copied, copy));
                if delta.capacity() > KEEP {
                    *delta = Vec::new();
                }
                outcome
            }
            (_, None) => Err(ObjectError::Delta),
        }
    }
}

/// Appends `next`, which starts where the last copy ends or behind it. Git cuts long copies.
fn join(copied: &mut Vec<Copied>, next: Copied) {
    match copied.last_mut() {
        Some(last) if last.from + last.len == next.from && last.to + last.len == next.to => {
            last.len += next.len;
        }
        _ => copied.push(next),
    }
}
