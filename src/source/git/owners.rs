//! Decides which place shows an object that several hold.
//!
//! Decided before anything is read, from the sorted ids alone, so that threads need not agree on
//! anything while they sweep. Invariant: of all places that hold an object of the kinds asked
//! for under an id, exactly one does not mark it as spare. What is known to be of another kind
//! counts for nothing: a made-up tree does not hide the blob that another pack has under its id.

use std::cmp::{Ordering, Reverse};

use rayon::prelude::*;

use super::loose::LooseObjects;
use super::object::Kinds;
use super::pack::{Draft, Pack};
use crate::model::ObjectId;

/// Some of the positions of one place: a pack, or an object directory.
#[derive(Clone, Default)]
pub(super) struct Marks(Vec<bool>);

impl Marks {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, position: usize) -> bool {
        self.0.get(position).is_some_and(|&spare| spare)
    }
}

/// What need not be shown because another place shows it: of all packs, and of all object
/// directories.
pub(super) fn decide(
    packs: &[Pack],
    drafts: &[Draft],
    loose: &[LooseObjects],
    kinds: Kinds,
) -> (Vec<Marks>, Vec<Marks>) {
    let places = places(packs, loose);
    if let [
        Place {
            order: Order::Strict,
            ..
        },
    ] = places.as_slice()
    {
        let all = |len| vec![Marks::default(); len];
        return (all(packs.len()), all(loose.len()));
    }
    let mut damaged: Vec<Marks> = vec![Marks::default(); places.len()];
    for (at, draft) in drafts.iter().enumerate() {
        for position in draft.damaged() {
            mark(&mut damaged[at], &places[at], position);
        }
    }
    let mut order: Vec<usize> = (0..places.len()).collect();
    // What a large pack shows needs no second look at a small one. Loose objects come last.
    order.sort_by_key(|&at| (at >= packs.len(), Reverse(places[at].len()), at));
    let others: Vec<_> = drafts
        .par_iter()
        .map(|draft| Marks(draft.of_other_kinds(kinds)))
        .collect();
    let is_other = |row: &Row| {
        let others = others.get(row.place as usize);
        others.is_some_and(|others| others.contains(row.position as usize))
    };
    let is_damaged = |row: &Row| damaged[row.place as usize].contains(row.position as usize);
    let spare = |first: u8| {
        let rows = rows(first, &places, &order, is_other);
        spare(&rows, &places, is_damaged)
    };
    let found: Vec<_> = (0..=u8::MAX).into_par_iter().map(spare).collect();
    let mut spares = vec![Marks::default(); places.len()];
    for row in found.into_iter().flatten() {
        let place = row.place as usize;
        mark(&mut spares[place], &places[place], row.position);
    }
    let loose = spares.split_off(packs.len());
    (spares, loose)
}

/// What holds objects.
struct Place<'a> {
    ids: Ids<'a>,
    order: Order,
}

/// In what order ids are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    /// In none: a damaged index may list them so.
    None,
    /// Some of them several times.
    Weak,
    /// Each once.
    Strict,
}

#[derive(Clone, Copy)]
enum Ids<'a> {
    Pack(&'a Pack),
    Loose(&'a LooseObjects),
}

fn places<'a>(packs: &'a [Pack], loose: &'a [LooseObjects]) -> Vec<Place<'a>> {
    let loose = loose.iter().map(Ids::Loose);
    let all: Vec<_> = packs.iter().map(Ids::Pack).chain(loose).collect();
    all.into_par_iter().map(Place::new).collect()
}

impl<'a> Place<'a> {
    fn new(ids: Ids<'a>) -> Self {
        let mut place = Self {
            ids,
            order: Order::Strict,
        };
        let pairs = (1..place.len()).into_par_iter().with_min_len(1 << 16);
        let pairs = pairs.map(|at| match place.id(at - 1).cmp(&place.id(at)) {
            Ordering::Less => Order::Strict,
            Ordering::Equal => Order::Weak,
            Ordering::Greater => Order::None,
        });
        place.order = pairs.min().unwrap_or(Order::Strict);
        place
    }

    fn len(&self) -> usize {
        match self.ids {
            Ids::Pack(pack) => pack.index.len(),
            Ids::Loose(loose) => loose.ids().len(),
        }
    }

    fn id(&self, position: usize) -> Option<ObjectId> {
        match self.ids {
            Ids::Pack(pack) => pack.index.id(position),
            Ids::Loose(loose) => loose.ids().get(position).copied(),
        }
    }

    /// Positions and ids of all that begin with `first`, and of no others.
    fn beginning(&self, first: u8) -> impl Iterator<Item = (usize, ObjectId)> {
        let range = match self.order {
            Order::None => 0..self.len(),
            _ => self.start(u16::from(first))..self.start(u16::from(first) + 1),
        };
        let all = range.filter_map(|position| Some((position, self.id(position)?)));
        all.filter(move |(_, id)| id.as_bytes()[0] == first)
    }

    /// The position of the first id that begins with no less than `first`.
    fn start(&self, first: u16) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let less = |id: ObjectId| u16::from(id.as_bytes()[0]) < first;
            match self.id(middle).is_some_and(less) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    }
}

/// One object in one place.
#[derive(Clone, Copy)]
struct Row {
    /// The first bytes of its id.
    key: u64,
    place: u32,
    position: u32,
}

fn id(row: &Row, places: &[Place<'_>]) -> Option<ObjectId> {
    places[row.place as usize].id(row.position as usize)
}

/// The rows of all ids that begin with `first`, by id and then in the `order` of places.
fn rows(first: u8, places: &[Place<'_>], order: &[usize], skip: impl Fn(&Row) -> bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for &at in order {
        let all = places[at].beginning(first).map(|(position, id)| Row {
            key: key(&id),
            place: at as u32,
            position: position as u32,
        });
        rows.extend(all.filter(|row| !skip(row)));
    }
    let id = |row: &Row| id(row, places);
    // Stable, so that places stay in their order; and quick on what is sorted in pieces.
    rows.sort_by(|a, b| a.key.cmp(&b.key).then_with(|| id(a).cmp(&id(b))));
    rows
}

/// All but one of the rows of each id.
fn spare(rows: &[Row], places: &[Place<'_>], is_damaged: impl Fn(&Row) -> bool) -> Vec<Row> {
    let mut spares = Vec::new();
    for same in rows.chunk_by(|a, b| a.key == b.key && id(a, places) == id(b, places)) {
        if same.len() > 1 {
            let owner = same.iter().position(|row| !is_damaged(row)).unwrap_or(0);
            spares.extend_from_slice(&same[..owner]);
            spares.extend_from_slice(&same[owner + 1..]);
        }
    }
    spares
}

fn key(id: &ObjectId) -> u64 {
    let first = id.as_bytes().first_chunk();
    u64::from_be_bytes(*first.expect("an id has more than eight bytes"))
}

fn mark(marks: &mut Marks, place: &Place<'_>, position: u32) {
    marks.0.resize(place.len(), false);
    if let Some(mark) = marks.0.get_mut(position as usize) {
        *mark = true;
    }
}
