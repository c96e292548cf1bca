#!/usr/bin/env python3
"""Fits the model that judges `key = value` and writes its weights.

    cargo build --release --example assignments
    pip install scikit-learn
    python3 corpus/train/train.py --labelled DIR [--negative FOLDER …] [--check]

DIR holds `labels.csv` and `data/` in the layout of the CredData development split: lines of public
code that people labelled true (T), false (F) or undecided (X), whose true values were replaced by
random ones of the same length and characters. A model fitted to that alone would take every word for
a false value, since true words became random letters. So each file is also read with words put back:
letters of true values become words of the same length, as people choose them.

`--negative` folders hold ordinary code; an assignment there counts as false, unless its line is in
`corpus/train/true.txt` (hash of path, line and value). `--check` prints what cross-validation by
repository says instead of writing.
"""
import argparse
import collections
import csv
import hashlib
import json
import pathlib
import random
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
DUMP = ROOT / "target/release/examples/assignments"
WEIGHTS = ROOT / "src/engine/judge/weights.tsv"

# What people call the secret when they make one up.
CHOSEN = """pass test root user demo temp guest admin super right login hello master secret passwd sesame
system monkey dragon access private letmein welcome example default manager testing changed password
sunshine superman football princess trustno1 passw0rd mysecret topsecret supersecret mypassword
testpassword verysecret adminadmin passphrase sharedsecret rootpassword userpassword""".split()


def words_by_length(folders):
    """Words of ordinary text, by length."""
    counts = collections.Counter()
    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob("*.md"))[:400]:
            counts.update(re.findall(r"[a-z]{3,14}", path.read_text(errors="replace").lower()))
    words = collections.defaultdict(list)
    for word, count in counts.most_common(8000):
        words[len(word)].append(word)
    for word in CHOSEN:
        words.setdefault(len(word), [])
    return words


def put_words_back(value, words, rng):
    """`value` with its runs of letters replaced by words."""
    def word(match):
        letters = match.group()
        chosen = [w for w in CHOSEN if len(w) == len(letters)]
        pool = chosen if chosen and rng.random() < 0.5 else words.get(len(letters), [])
        if not pool:
            half = len(letters) // 2
            if half < 3 or not words.get(half) or not words.get(len(letters) - half):
                return letters
            new = rng.choice(words[half]) + rng.choice(words[len(letters) - half])
        else:
            new = rng.choice(pool)
        if letters.isupper():
            return new.upper()
        return new.capitalize() if letters[0].isupper() else new
    return re.sub(r"[A-Z]?[a-z]{3,}|[A-Z]{3,}", word, value)


def is_chosen(value):
    """Whether a person may have made up the value: runs of letters are most of it."""
    runs = re.findall(r"(?:[A-Z]?[a-z]{3,}|[A-Z]{4,})", value)
    return sum(map(len, runs)) >= 0.7 * len(value) and len(value) <= 24


def read_labels(folder):
    files = collections.defaultdict(list)
    with open(folder / "labels.csv", newline="") as rows:
        for row in csv.DictReader(rows):
            files[row["path"]].append(row)
    return files


def variant(text, rows, words, seed):
    """The text with true values changed, and the labels by place: (start, end, label)."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    edits, labels = [], []
    for row in rows:
        first, last = int(row["line_start"]) - 1, int(row["line_end"]) - 1
        if last >= len(starts) - 1:
            continue
        begin, end = int(row["value_start"]), int(row["value_end"])
        exact = begin >= 0 and end > 0
        start = starts[first] + (begin if exact else 0)
        stop = starts[last] + end if exact else starts[last + 1] - 1
        labels.append((start, stop, row["label"], exact))
        if row["label"] == "T" and exact and first == last and seed is not None:
            value = text[start:stop]
            rng = random.Random(f"{seed}/{value}")
            if is_chosen(value):
                edits.append((start, stop, put_words_back(value, words, rng)))
    # Same lengths, so that no place moves.
    out = list(text)
    for start, stop, value in edits:
        if len(value) == stop - start:
            out[start:stop] = value
    return "".join(out), labels


def dump(files):
    """Assignments of (path, text) pairs."""
    lines = "\n".join(json.dumps({"path": path, "text": text}) for path, text in files)
    result = subprocess.run([DUMP], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in result.stdout.splitlines()]


def labelled(folder, words, seed):
    """Examples of the labelled files: (assignment, label, weight, repository)."""
    texts, places = [], {}
    for path, rows in read_labels(folder).items():
        text = (folder / path).read_bytes().decode("utf-8", "replace")
        changed, labels = variant(text, rows, words, seed)
        texts.append((path, changed))
        places[path] = (changed, labels)
    examples = []
    for found in dump(texts):
        text, labels = places[found["path"]]
        # Places in bytes; those of labels in characters.
        raw = text.encode()
        start = len(raw[: found["start"]].decode("utf-8", "replace"))
        stop = len(raw[: found["end"]].decode("utf-8", "replace"))
        near = [label for label in labels if label[0] < stop and start < label[1]]
        exact = [label for label in near if label[3]] or near
        if not near:
            examples.append((found, None, 0.0, found["path"].split("/")[1]))
            continue
        true = any(label[2] == "T" for label in exact)
        undecided = not true and all(label[2] == "X" for label in exact)
        examples.append((found, int(true), 0.6 if undecided else 1.0, found["path"].split("/")[1]))
    return examples


def negatives(folders, share):
    """Assignments of ordinary code."""
    known = set()
    listed = ROOT / "corpus/train/true.txt"
    if listed.exists():
        known = {line.split()[0] for line in listed.read_text().splitlines() if line.strip()}
    examples = []
    for folder in folders:
        result = subprocess.run([DUMP, str(folder)], stdout=subprocess.PIPE, check=True)
        for line in result.stdout.splitlines():
            found = json.loads(line)
            found["path"] = str(pathlib.Path(found["path"]).relative_to(folder))
            if mark(found) in known:
                continue
            examples.append((found, 0, share, "reference"))
    return examples


def mark(found):
    text = f"{found['path']}\0{found['key']}\0{found['secret']}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def own(weight):
    """Assignments of our own cases."""
    result = subprocess.run([DUMP, "--corpus"], stdout=subprocess.PIPE, check=True)
    found = [json.loads(line) for line in result.stdout.splitlines()]
    return [(f, int(f["label"]), weight, f["path"].split("/")[0]) for f in found]


class Table:
    """Features by column."""

    def __init__(self, examples, least):
        counts = collections.Counter(f for e in examples for f in set(e[0]["features"]))
        names = sorted(name for name, count in counts.items() if count >= least)
        self.names, self.columns = names, {name: at for at, name in enumerate(names)}

    def matrix(self, examples):
        import numpy as np
        from scipy.sparse import csr_matrix

        rows, columns = [], []
        for at, example in enumerate(examples):
            for name in example[0]["features"]:
                column = self.columns.get(name)
                if column is not None:
                    rows.append(at)
                    columns.append(column)
        data = np.ones(len(rows))
        matrix = csr_matrix((data, (rows, columns)), shape=(len(examples), len(self.names)))
        matrix.sum_duplicates()
        return matrix


def fit(examples, strength, least):
    from sklearn.linear_model import LogisticRegression

    table = Table(examples, least)
    model = LogisticRegression(C=strength, max_iter=400, solver="liblinear")
    model.fit(
        table.matrix(examples),
        [e[1] for e in examples],
        sample_weight=[e[2] for e in examples],
    )
    return table, model


def report(name, scores, labels, at=0.0):
    import numpy as np

    scores, labels = np.array(scores), np.array(labels)
    for threshold in (at - 1, at - 0.5, at, at + 0.5, at + 1.4, at + 3):
        hit = scores >= threshold
        tp, fp = (hit & (labels == 1)).sum(), (hit & (labels == 0)).sum()
        p, r = tp / max(1, tp + fp), tp / max(1, (labels == 1).sum())
        print(f"{name:10} {threshold:+.1f}  P {p:.3f}  R {r:.3f}  F1 {2 * p * r / max(1e-9, p + r):.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--labelled", type=pathlib.Path, required=True)
    parser.add_argument("--negative", type=pathlib.Path, action="append", default=[])
    parser.add_argument("--strength", type=float, default=0.2, help="inverse of the L2 penalty")
    parser.add_argument("--least", type=int, default=6, help="examples that a feature needs")
    parser.add_argument("--share", type=float, default=0.15, help="weight of a negative of ordinary code")
    parser.add_argument("--own", type=float, default=0.2, help="weight of a case of our own")
    parser.add_argument("--shift", type=float, default=0.05, help="added to the bias")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--top", type=int, default=0, help="print so many of the most likely ordinary ones")
    args = parser.parse_args()

    words = words_by_length(args.negative)
    random_values = labelled(args.labelled, words, None)
    with_words = labelled(args.labelled, words, 1)
    ordinary = negatives(args.negative, args.share)
    half = lambda examples: [(e[0], e[1], e[2] / 2, e[3]) for e in examples if e[1] is not None]
    cases = own(args.own)
    examples = half(random_values) + half(with_words) + ordinary + cases
    print(f"{len(random_values)} assignments in labelled files, {len(ordinary)} in ordinary code,"
          f" {len(cases)} in our own cases")

    if args.check:
        import numpy as np
        from sklearn.model_selection import GroupKFold

        kinds = [0] * len(half(random_values)) + [1] * len(half(with_words)) + [2] * len(ordinary) + [3] * len(cases)
        groups = [e[3] if e[3] != "reference" else "r/" + e[0]["path"].split("/")[0] for e in examples]
        scores = np.zeros(len(examples))
        for train, test in GroupKFold(5).split(examples, groups=groups):
            table, model = fit([examples[i] for i in train], args.strength, args.least)
            part = [examples[i] for i in test]
            scores[test] = model.decision_function(table.matrix(part))
        for kind, name in ((0, "random"), (1, "words"), (3, "own")):
            chosen = [i for i, k in enumerate(kinds) if k == kind]
            report(name, scores[chosen], [examples[i][1] for i in chosen])
        chosen = [i for i, k in enumerate(kinds) if k == 2]
        for threshold in (-1, 0, 1.4, 3):
            print("ordinary", threshold, sum(scores[i] >= threshold for i in chosen), "of", len(chosen))
        for i in sorted(chosen, key=lambda i: -scores[i])[: args.top]:
            found = examples[i][0]
            print(f"{scores[i]:.2f} {mark(found)} {found['path']}:{found['line']} {found['key']} {found['secret']}")
        return

    table, model = fit(examples, args.strength, args.least)
    lines = ["# group, value, thousandths of a unit of log-odds; made by corpus/train/train.py"]
    lines.append(f"bias\t\t{round(1000 * (model.intercept_[0] + args.shift))}")
    for name, weight in zip(table.names, model.coef_[0]):
        points = round(1000 * weight)
        if abs(points) >= 20:
            lines.append(f"{name}\t{points}")
    WEIGHTS.write_text("\n".join(lines) + "\n")
    print(f"{len(lines) - 1} weights")


if __name__ == "__main__":
    main()
