//! Attribution of every blob of random small histories against a plain one, which looks at the
//! files of all commits and knows nothing of trees, packs and deltas.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use sha1::Digest as _;
use straykey::model::{CommitPoint, Diagnostics, ObjectId, Reachability, Role};
use straykey::source::git::{Attribution, History, Repository, Store, StoreOptions};

use crate::git_fixture::{Fixture, START};

/// Histories that are made. `STRAYKEY_TEST_HISTORIES` says another number.
const HISTORIES: u64 = 40;

/// Contents of files, by number; the first is empty, no two have a line in common.
const CONTENTS: usize = 12;

/// The files of one commit: contents by path.
type Files = BTreeMap<String, usize>;

/// A linear congruential generator (the constants of Knuth's MMIX).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        const FACTOR: u64 = 6_364_136_223_846_793_005;
        const STEP: u64 = 1_442_695_040_888_963_407;
        self.0 = self.0.wrapping_mul(FACTOR).wrapping_add(STEP);
        (self.0 >> 33) as usize % limit
    }

    fn one_in(&mut self, number: usize) -> bool {
        self.below(number) == 0
    }

    fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

struct Commit {
    parents: Vec<usize>,
    files: Files,
    class: Reachability,
    id: ObjectId,
}

/// Commits, each after its parents, and what names them.
struct Model {
    commits: Vec<Commit>,
    tips: Vec<(Reachability, &'static str, usize)>,
}

#[test]
fn random_histories_equal_the_plain_attribution() {
    let histories = std::env::var("STRAYKEY_TEST_HISTORIES");
    let histories = histories.map_or(HISTORIES, |number| number.parse().expect("a number"));
    let mut seen = BTreeSet::new();
    for seed in 0..histories {
        let mut model = Model::random(seed);
        let fixture = Fixture::new();
        model.write(&fixture);
        match seed % 4 {
            0 => {}
            // Packed and, what no name reaches, loose; once with a loose copy of all.
            1 => drop(fixture.git(&["repack", "-Adfq", "--depth=20", "--window=40"])),
            2 => drop(fixture.git(&["repack", "-fq", "--depth=20", "--window=40"])),
            _ => drop(fixture.git(&["repack", "-adfkq", "--depth=20", "--window=40"])),
        }
        let expected = model.attributions();
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let found = pool.expect("threads").install(|| attributions(&fixture));
            for (number, expected) in expected.iter().enumerate() {
                let found = &found[&blob_id(number)];
                assert_eq!(
                    found, expected,
                    "content {number}, {threads} threads, seed {seed}"
                );
            }
        }
        for one in &expected {
            seen.insert((one.reachability, "removed", one.removed.is_some()));
            seen.insert((one.reachability, "in head", one.in_head));
            let is_renamed = one.path.as_ref().is_some_and(|path| *path != one.origin);
            seen.insert((one.reachability, "renamed", is_renamed));
        }
    }
    // The histories are of all kinds, or this test would say little.
    assert!(seen.len() > 20 || histories < HISTORIES, "{seen:?}");
}

fn attributions(fixture: &Fixture) -> BTreeMap<ObjectId, Attribution> {
    let diagnostics = Diagnostics::new();
    let repository = Repository::open(fixture.path()).expect("a repository");
    let store = Store::open(&repository, &StoreOptions::default(), &diagnostics).expect("opens");
    let history = History::open(&repository, &store, &diagnostics);
    let ids: Vec<_> = (0..CONTENTS).map(blob_id).collect();
    let answer = history.attribute(&ids, &diagnostics);
    assert_eq!(diagnostics.into_sorted(), []);
    answer
}

fn content(number: usize) -> String {
    match number {
        0 => String::new(),
        number => format!("the only line of content {number}\n"),
    }
}

fn blob_id(number: usize) -> ObjectId {
    let text = content(number);
    let object = format!("blob {}\0{text}", text.len());
    ObjectId::from_slice(&sha1::Sha1::digest(object)).expect("20 bytes")
}

/// Names that are files here and directories there, and such that git sorts in its own way.
const PATHS: [&str; 14] = [
    "a", "a/b", "a/b/c", "a/b/d", "a-b", "a.c", "b", "b/a", "b/b/a", "b/b/b", "c/d/e/f", "c/d/e/g",
    "c/x", "d",
];
const DIRECTORIES: [&str; 6] = ["a", "b", "c/d", "d", "b/b", "e/f"];

impl Model {
    fn random(seed: u64) -> Self {
        let mut random = Random(seed);
        let mut commits: Vec<Commit> = Vec::new();
        for number in 0..8 + random.below(40) {
            let mut parents = Vec::new();
            if number > 0 && !random.one_in(20) {
                let wanted = match random.below(10) {
                    0..=6 => 1,
                    7..=8 => 2,
                    _ => 3,
                };
                for _ in 0..wanted {
                    // Mostly the last ones, so that there are long lines of commits.
                    let far = random.below(8).min(number - 1);
                    let back = random.below(1 + far);
                    let parent = number - 1 - back;
                    if !parents.contains(&parent) {
                        parents.push(parent);
                    }
                }
            }
            let mut files = Self::merged(&commits, &parents, &mut random);
            for _ in 0..random.below(4) {
                change(&mut files, &mut random);
            }
            commits.push(Commit {
                parents,
                files,
                class: Reachability::Unreachable,
                id: ObjectId::NULL,
            });
        }
        let mut tips = Vec::new();
        let mut tip = |class, name| {
            let back = random.below(commits.len().min(12));
            tips.push((class, name, commits.len() - 1 - back));
        };
        tip(Reachability::Head, "refs/heads/main");
        tip(Reachability::Branch, "refs/heads/one");
        tip(Reachability::Branch, "refs/heads/two");
        tip(Reachability::Tag, "refs/tags/light");
        tip(Reachability::PullRef, "refs/pull/1/head");
        tip(Reachability::PullRef, "refs/pull/2/head");
        tip(Reachability::Stash, "refs/stash");
        tip(Reachability::Notes, "refs/notes/commits");
        let mut model = Self { commits, tips };
        model.classify();
        model
    }

    /// What a merge without conflicts, and with a careless person, could make of the parents.
    fn merged(commits: &[Commit], parents: &[usize], random: &mut Random) -> Files {
        let Some((first, rest)) = parents.split_first() else {
            // Enough entries that trees become deltas.
            let fill = |n: usize| (format!("fill{n:02}"), 1);
            return (0..6).map(fill).collect();
        };
        let mut files = commits[*first].files.clone();
        if random.one_in(4) {
            return files;
        }
        for parent in rest {
            for (path, content) in &commits[*parent].files {
                if random.below(3) > 0 {
                    put(&mut files, path, *content);
                }
            }
        }
        files
    }

    fn classify(&mut self) {
        for (class, _, tip) in &self.tips {
            let mut pending = vec![*tip];
            while let Some(number) = pending.pop() {
                let commit = &mut self.commits[number];
                if commit.class > *class {
                    commit.class = *class;
                    pending.extend(&commit.parents);
                }
            }
        }
    }

    /// Makes the repository, and learns the ids of the commits.
    fn write(&mut self, fixture: &Fixture) {
        let mut stream = String::new();
        for (number, commit) in self.commits.iter().enumerate() {
            let time = START + 60 * number as i64;
            write!(
                stream,
                "reset refs/temporary/tip\ncommit refs/temporary/tip\nmark :{}\n\
                 committer C <c@example.com> {time} +0000\ndata 2\nm\n",
                number + 1
            )
            .expect("a String takes all");
            for (at, parent) in commit.parents.iter().enumerate() {
                let word = if at == 0 { "from" } else { "merge" };
                writeln!(stream, "{word} :{}", parent + 1).expect("a String takes all");
            }
            stream.push_str("deleteall\n");
            for (path, number) in &commit.files {
                let text = content(*number);
                write!(
                    stream,
                    "M 100644 inline {path}\ndata {}\n{text}\n",
                    text.len()
                )
                .expect("a String takes all");
            }
        }
        for (_, name, tip) in &self.tips {
            write!(stream, "reset {name}\nfrom :{}\n\n", tip + 1).expect("a String takes all");
        }
        let marks = fixture.path().join(".git/marks");
        let export = format!("--export-marks={}", marks.display());
        fixture.git_input(
            &["fast-import", "--quiet", "--force", &export],
            stream.as_bytes(),
        );
        fixture.git(&["update-ref", "-d", "refs/temporary/tip"]);
        let marks = std::fs::read_to_string(marks).expect("written");
        for line in marks.lines() {
            let (mark, id) = line.split_once(' ').expect("a mark and an id");
            let number: usize = mark.trim_start_matches(':').parse().expect("a number");
            self.commits[number - 1].id = ObjectId::from_hex(id.as_bytes()).expect("an id");
        }
    }

    fn point(&self, number: usize) -> CommitPoint {
        CommitPoint {
            id: self.commits[number].id,
            time: START + 60 * number as i64,
        }
    }

    fn parents(&self, number: usize) -> impl Iterator<Item = &Files> + Clone {
        let parents = self.commits[number].parents.iter();
        parents.map(|&parent| &self.commits[parent].files)
    }
}

/// Puts a file where other files, or a file in place of its directory, may be.
fn put(files: &mut Files, path: &str, content: usize) {
    let below = format!("{path}/");
    files.retain(|other, _| !other.starts_with(&below) && !path.starts_with(&format!("{other}/")));
    files.insert(path.to_owned(), content);
}

fn change(files: &mut Files, random: &mut Random) {
    let known: Vec<String> = files.keys().cloned().collect();
    match random.below(8) {
        0..=2 => put(files, random.pick(&PATHS), random.below(CONTENTS)),
        3 => drop(files.remove(random.pick(&PATHS))),
        4 | 5 if !known.is_empty() => {
            let content = files.remove(&random.pick(&known)).unwrap_or(1);
            put(files, random.pick(&PATHS), content);
        }
        6 => {
            let to = random.pick(&DIRECTORIES);
            let from = format!("{}/", random.pick(&DIRECTORIES));
            let moved: Vec<_> = known
                .iter()
                .filter(|path| path.starts_with(&from))
                .collect();
            for path in moved {
                let content = files.remove(path).unwrap_or(1);
                put(files, &path.replacen(&from, &format!("{to}/"), 1), content);
            }
        }
        _ => {
            if let Some(content) = files.get(random.pick(&PATHS)).copied() {
                put(files, random.pick(&PATHS), content);
            }
        }
    }
}

/// A path and whether it is a directory.
type Place<'a> = (&'a str, bool);

fn has(files: &Files, (path, is_tree): Place<'_>) -> bool {
    match is_tree {
        false => files.contains_key(path),
        true => files.keys().any(|file| is_below(file, path)),
    }
}

fn is_below(file: &str, directory: &str) -> bool {
    let rest = file.strip_prefix(directory);
    rest.is_some_and(|rest| rest.starts_with('/'))
}

/// `path` and the directories above it, topmost first.
fn prefixes(path: &str) -> Vec<&str> {
    let slashes = path.match_indices('/').map(|(at, _)| at);
    slashes
        .chain([path.len()])
        .filter_map(|end| path.get(..end))
        .collect()
}

/// Where one content came and went among the commits of one class.
#[derive(Default)]
struct Life {
    begins: BTreeSet<(usize, String)>,
    ends: BTreeSet<(usize, String)>,
}

impl Model {
    fn attributions(&self) -> Vec<Attribution> {
        (0..CONTENTS)
            .map(|content| self.attribution(content))
            .collect()
    }

    fn attribution(&self, content: usize) -> Attribution {
        let classes = [
            Reachability::Head,
            Reachability::Branch,
            Reachability::Tag,
            Reachability::PullRef,
            Reachability::Stash,
            Reachability::Notes,
            Reachability::Unreachable,
        ];
        let lives = classes.map(|class| (class, self.life(class, content)));
        match lives.iter().find(|(_, life)| !life.begins.is_empty()) {
            Some((class, life)) => self.of_life(*class, content, life),
            None => Attribution {
                role: Role::File,
                path: None,
                other_paths: Vec::new(),
                reachability: Reachability::Unreachable,
                in_head: false,
                introduced: None,
                removed: None,
                origin: Vec::new(),
            },
        }
    }

    fn life(&self, class: Reachability, content: usize) -> Life {
        let mut life = Life::default();
        for (number, commit) in self.commits.iter().enumerate() {
            if commit.class != class {
                continue;
            }
            let is_there = |files: &Files, path: &str| files.get(path) == Some(&content);
            for path in commit
                .files
                .keys()
                .filter(|path| is_there(&commit.files, path))
            {
                if !self.parents(number).any(|files| is_there(files, path)) {
                    life.begins.insert((number, path.clone()));
                }
            }
            let Some(first) = self.parents(number).next() else {
                continue;
            };
            for path in first.keys() {
                let was_there = self.parents(number).all(|files| is_there(files, path));
                if was_there && !is_there(&commit.files, path) && self.is_common(number, path) {
                    life.ends.insert((number, path.clone()));
                }
            }
        }
        life
    }

    /// Whether the topmost directory above `path` that the commit has not, is the same in all
    /// parents.
    fn is_common(&self, number: usize, path: &str) -> bool {
        let files = &self.commits[number].files;
        let mut above = prefixes(path).into_iter();
        let Some(gone) = above.find(|&one| one != path && !has(files, (one, true))) else {
            return true;
        };
        let below = |files: &Files| -> Files {
            let of = files.iter().filter(|(file, _)| is_below(file, gone));
            of.map(|(file, content)| (file.clone(), *content)).collect()
        };
        let mut parents = self.parents(number).map(below);
        let first = parents.next();
        parents.all(|other| Some(other) == first)
    }

    fn of_life(&self, class: Reachability, content: usize, life: &Life) -> Attribution {
        let mut paths: Vec<&str> = Vec::new();
        for (_, path) in &life.begins {
            if !paths.contains(&path.as_str()) {
                paths.push(path);
            }
        }
        let tips: Vec<usize> = match class {
            Reachability::Unreachable => {
                let of_class = |number: &usize| self.commits[*number].class == class;
                let has_child = |number: &usize| {
                    let others = self.commits.iter().filter(|one| one.class == class);
                    others.clone().any(|one| one.parents.contains(number))
                };
                let all = 0..self.commits.len();
                all.filter(of_class).filter(|one| !has_child(one)).collect()
            }
            _ => {
                let of_class = self.tips.iter().filter(|tip| tip.0 == class);
                of_class.map(|tip| tip.2).collect()
            }
        };
        let is_at =
            |number: usize, path: &str| self.commits[number].files.get(path) == Some(&content);
        let held = |path: &&str| tips.iter().any(|&tip| is_at(tip, path));
        let now = paths.iter().copied().find(held);
        let last = life.ends.last();
        let path = match (now, last) {
            (Some(path), _) => path,
            (None, Some((_, path))) => path,
            (None, None) => paths[0],
        };
        let mut other_paths: Vec<&str> = paths.iter().copied().filter(|one| *one != path).collect();
        other_paths.sort_unstable();
        let first = life.begins.first().expect("found").0;
        let removed = match (now, last) {
            (Some(_), _) => None,
            (None, Some((number, _))) => Some(*number),
            (None, None) => self.dropped(class, life, |number| {
                paths.iter().any(|path| is_at(number, path))
            }),
        };
        let begins = life.begins.iter().find(|begin| begin.1 == path);
        let origin = begins.map(|(number, path)| self.origin(path.clone(), *number));
        Attribution {
            role: match class {
                Reachability::Notes => Role::Note,
                _ => Role::File,
            },
            path: Some(path.as_bytes().to_vec()),
            other_paths: other_paths
                .iter()
                .map(|one| one.as_bytes().to_vec())
                .collect(),
            reachability: class,
            in_head: class == Reachability::Head && now.is_some(),
            introduced: Some(self.point(first)),
            removed: removed.map(|number| self.point(number)),
            origin: origin.unwrap_or_else(|| path.to_owned()).into_bytes(),
        }
    }

    /// The last commit that lost a content which some parent still had.
    fn dropped(
        &self,
        class: Reachability,
        life: &Life,
        has_it: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let mut alive: BTreeSet<usize> = life.begins.iter().map(|begin| begin.0).collect();
        let mut last = None;
        for (number, commit) in self.commits.iter().enumerate() {
            let from = commit.parents.iter().any(|parent| alive.contains(parent));
            if commit.class == class && from {
                match has_it(number) {
                    true => drop(alive.insert(number)),
                    false => last = Some(number),
                }
            }
        }
        last
    }

    fn origin(&self, mut path: String, mut at: usize) -> String {
        for _ in 0..64 {
            let ancestors = self.ancestors(at);
            let begins = |number: &usize| {
                prefixes(&path).into_iter().any(|prefix| {
                    [false, true].into_iter().any(|is_tree| {
                        let place = (prefix, is_tree);
                        has(&self.commits[*number].files, place)
                            && !self.parents(*number).any(|files| has(files, place))
                    })
                })
            };
            let Some(beginning) = ancestors.into_iter().rev().find(begins) else {
                break;
            };
            let Some(before) = self.name_before(beginning, &path) else {
                break;
            };
            let mut parents = self.commits[beginning].parents.iter();
            let Some(parent) =
                parents.find(|&&parent| self.commits[parent].files.contains_key(&before))
            else {
                break;
            };
            at = *parent;
            path = before;
        }
        path
    }

    /// A commit and all its ancestors, in order.
    fn ancestors(&self, number: usize) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut pending = vec![number];
        while let Some(number) = pending.pop() {
            if found.insert(number) {
                pending.extend(&self.commits[number].parents);
            }
        }
        found
    }

    /// The file that went away in a commit and has the content of `path`.
    fn name_before(&self, number: usize, path: &str) -> Option<String> {
        let files = &self.commits[number].files;
        let content = files.get(path).filter(|&&content| content != 0)?;
        let first = self.parents(number).next()?;
        let is_gone = |file: &str| {
            // The topmost place above the file, or the file, that the commit has not.
            let places = prefixes(file).into_iter().map(|one| (one, one != file));
            let gone = places.into_iter().find(|&place| !has(files, place));
            gone.is_some_and(|place| self.parents(number).all(|files| has(files, place)))
        };
        let name = |path: &str| path.rsplit('/').next().map(str::to_owned);
        let mut gone: Vec<_> = first.iter().filter(|(file, _)| is_gone(file)).collect();
        gone.sort_by_key(|(file, _)| (name(file) != name(path), (*file).clone()));
        let found = gone.into_iter().find(|(_, other)| *other == content);
        found.map(|(file, _)| file.clone())
    }
}
