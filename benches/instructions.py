#!/usr/bin/env python3
"""Counts the instructions of three fixed jobs, beside the last recorded ones.

    cargo build --release
    python3 benches/instructions.py            # prints, never fails on a difference
    python3 benches/instructions.py --update   # also writes benches/record/instructions.json

The jobs are scans of a tree, of a history with deltas, and of one staged file, on inputs that are
drawn anew each time from a fixed seed. They run under valgrind's callgrind with one thread and the
prefilter's portable kernel (valgrind knows no AVX-512); zlib and memchr choose theirs by what
valgrind offers. A count moves by 0.1 % from run to run and by more with another compiler, and says
nothing of memory and cache. Fails when a job does not run or does not find what was planted.
Needs git and valgrind; standard library only.
"""
import argparse
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = ROOT / "target" / "release" / "straykey"
RECORD = ROOT / "benches" / "record" / "instructions.json"

WORDS = """if return static struct int char const void for while buffer length index object commit tree parse
option config error string list node next path file name value token state flags result self def import
class None True function var let this -> == != && ( ) { } ; , = + 0 1 NULL "%s" /* */ password user secret
client server access the of and to elastic figma curl sync_with_upstream getElementById""".split()

FILES, LINES = 240, 600
VERSIONS = 60


class Random:
    """A linear congruential generator (the constants of Knuth's MMIX), the same everywhere."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % limit


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--update", action="store_true", help="write the record")
    update = parser.parse_args().update
    known = json.loads(RECORD.read_text()) if RECORD.is_file() else {"jobs": {}}
    now = {"valgrind": first_line("valgrind", "--version"), "rustc": first_line("rustc", "--version"),
           "kernel": "scalar", "jobs": {}}
    for name in ("valgrind", "rustc", "kernel"):
        if known.get(name) not in (None, now[name]):
            print(f"{name}: {now[name]}, recorded with {known[name]}")
    # Outside of this repository, whose ignore rules would be read along.
    with tempfile.TemporaryDirectory() as folder:
        for name, make in JOBS.items():
            place = pathlib.Path(folder) / name
            place.mkdir()
            arguments, planted, digest = make(place)
            count = instructions(name, place, arguments, planted)
            now["jobs"][name] = {"instructions": count, "input": digest}
            print(f"{name:9} {count:14,} instructions, {beside(known['jobs'].get(name), count, digest)}")
    if update:
        RECORD.write_text(json.dumps(now, indent=2) + "\n")


def beside(last, count, digest):
    if not last:
        return "no record"
    other = "" if last["input"] == digest else ", of another input"
    return f"{count / last['instructions']:.4f} of {last['instructions']:,}{other}"


def instructions(name, place, arguments, planted):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", str(BINARY), *arguments,
               "-j1", "--quiet", "--exit-zero", "--no-config", "--color", "never", "--format", "jsonl"]
    environment = bare_environment(place) | {"STRAYKEY_SIMD": "scalar"}
    ran = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
    found = {record["id"] for record in map(json.loads, ran.stdout.splitlines())
             if record["detector"] == "github-pat"}
    collected = re.search(r"Collected : (\d+)", ran.stderr)
    if ran.returncode != 0 or not collected:
        sys.exit(f"{name}: does not run\n{ran.stderr}")
    if len(found) != planted:
        sys.exit(f"{name}: {planted} secrets planted, {len(found)} found")
    return int(collected.group(1))


def tree(place):
    """Source files, one in twenty with a secret, one in thirty with a wall of base64."""
    digest = hashlib.sha256()
    planted = 0
    for number in range(FILES):
        random = Random(number)
        lines = text(random, LINES)
        if number % 20 == 0:
            lines[random.below(LINES)] = f"deploy {token(number)}"
            planted += 1
        if number % 30 == 1:
            letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
            lines += ["".join(letters[random.below(64)] for _ in range(76)) for _ in range(100)]
        data = ("\n".join(lines) + "\n").encode()
        digest.update(data)
        path = place / f"d{number % 16}" / f"f{number}.c"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    return ["scan", "--no-history", "."], planted, digest.hexdigest()


def history(place):
    """Twelve files with sixty versions each, whose pack has a chain of deltas for each file."""
    git(place, "init", "--quiet", "--bare", "--template=", "--initial-branch=main", ".")
    stream, planted = [], 0
    files = 12
    for number in range(files):
        random = Random(1000 + number)
        lines = text(random, LINES)
        for version in range(VERSIONS):
            for _ in range(3):
                lines[random.below(len(lines))] = text(random, 1)[0]
            if version % 20 == 7:
                lines[random.below(len(lines))] = f"deploy {token(1000 * number + version)}"
                planted += 1
            data = "\n".join(lines) + "\n"
            stream.append(f"blob\nmark :{1 + version * files + number}\ndata {len(data)}\n{data}\n")
    for version in range(VERSIONS):
        message = f"version {version}\n"
        date = f"A <a@straykey.example> {1700000000 + 3600 * version} +0000"
        stream.append(f"commit refs/heads/main\ncommitter {date}\ndata {len(message)}\n{message}")
        for number in range(files):
            stream.append(f"M 100644 :{1 + version * files + number} f{number}.c\n")
        stream.append("\n")
    settings = ["fastimport.unpackLimit=0", "core.compression=6", "pack.indexVersion=2"]
    options = [word for setting in settings for word in ("-c", setting)]
    git(place, *options, "fast-import", "--quiet", "--depth=50", "--date-format=raw",
        input="".join(stream).encode())
    pack, = place.glob("objects/pack/*.pack")
    return ["scan", "--history-only", "."], planted, hashlib.sha256(pack.read_bytes()).hexdigest()


def start_up(place):
    """What a commit hook does for a commit of one small file."""
    git(place, "init", "--quiet", "--template=", "--initial-branch=main", ".")
    data = f"GITHUB_TOKEN={token(1)}\n".encode()
    (place / "a.env").write_bytes(data)
    git(place, "add", "a.env")
    return ["scan", "--staged", "."], 1, hashlib.sha256(data).hexdigest()


def text(random, lines):
    line = lambda: " " * (4 * random.below(4)) + " ".join(
        WORDS[random.below(len(WORDS))] for _ in range(2 + random.below(9)))
    return [line() for _ in range(lines)]


def token(seed):
    return first_line("python3", ROOT / "tests" / "secret.py", seed)


def git(place, *arguments, **options):
    subprocess.run(["git", *arguments], cwd=place, env=bare_environment(place), check=True, **options)


def bare_environment(place):
    return {"PATH": os.environ["PATH"], "HOME": str(place), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}


def first_line(*command):
    ran = subprocess.run([str(word) for word in command], capture_output=True, check=True, text=True)
    return ran.stdout.splitlines()[0]


JOBS = {"tree": tree, "history": history, "start-up": start_up}

if __name__ == "__main__":
    main()
