#!/usr/bin/env python3
"""Measures how common pairs of bytes are in ordinary code, for the prefilter's choice of windows.

    git -C SOME-REPOSITORY archive HEAD | tar -xO | python3 benches/bigrams.py > src/engine/prefilter/bigrams.txt

Reads text from standard input. A byte counts by its ASCII case-folded form: 64 classes, the bytes
0x20-0x3f and 0x60-0x7f; pairs with other bytes are left out. Line N holds the pairs that begin with
class N, one character each: `0` for none, and one further in ASCII for each half of the logarithm
(base 2) of one more than the pair's count in 2^24 bytes. Standard library only.
"""
import math
import sys


def classes(text):
    return [(byte >> 1 & 0x20) | (byte & 0x1f) if byte < 128 else None for byte in text]


def main():
    counts = [0] * 4096
    text = sys.stdin.buffer.read()
    first = None
    for second in classes(text):
        if first is not None and second is not None:
            counts[first * 64 + second] += 1
        first = second
    scale = (1 << 24) / max(len(text), 1)
    for first in range(64):
        row = counts[first * 64:first * 64 + 64]
        print("".join(chr(48 + round(2 * math.log2(1 + count * scale))) for count in row))


if __name__ == "__main__":
    main()
