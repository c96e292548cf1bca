#!/usr/bin/env bash
# Verifiers against real servers on the loopback: tests/live/run.sh BINARY
#
# Every other file here is a test of its own: it gets the binary, installs what it lacks outside of
# the repository, prints `ok` or `FAIL` for each check and fails when one did. They run at once.
set -euo pipefail
binary=$(realpath "$1")
cd "$(dirname "$0")"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
declare -A running
for script in *.py; do
  if [ "$script" != common.py ]; then
    python3 "$script" "$binary" > "$scratch/$script" 2>&1 &
    running[$script]=$!
  fi
done
failed=0
for script in *.py; do
  if [ -n "${running[$script]:-}" ]; then
    wait "${running[$script]}" || { failed=1; echo "FAIL $script" >> "$scratch/$script"; }
    echo "== tests/live/$script"
    cat "$scratch/$script"
  fi
done
exit "$failed"
