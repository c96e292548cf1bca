#!/usr/bin/env bash
# The hooks under the real pre-commit framework: tests/pre-commit.sh [BINARY]
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
binary=$(realpath "${1:-$root/target/release/straykey}")
[ -x "$binary" ] || { echo "pre-commit.sh: $binary: build it first" >&2; exit 1; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check 'pre-commit>=4,<5'
mkdir bin
ln -s "$binary" bin/straykey
PATH="$scratch/bin:$scratch/venv/bin:$PATH"
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
export PATH PRE_COMMIT_HOME="$scratch/cache" HOME="$scratch" GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.com
export GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.com

cases=0
pass() {
  cases=$((cases + 1))
  "$@" > out 2>&1 || { echo "pre-commit.sh: should pass: $*" >&2; cat out >&2; exit 1; }
}
# Blocked, and because of the finding.
blocked() {
  cases=$((cases + 1))
  if "$@" > out 2>&1; then
    echo "pre-commit.sh: should be blocked: $*" >&2; cat out >&2; exit 1
  fi
  grep -qF 'ghp_****' out || { echo "pre-commit.sh: no finding: $*" >&2; cat out >&2; exit 1; }
}

# The hooks file as it is: only its `system` entries run here, all of it is read.
git init -q -b main hooks
cp "$root/.pre-commit-hooks.yaml" hooks/
git -C hooks add -A
git -C hooks commit -qm hooks
rev=$(git -C hooks rev-parse HEAD)
pass pre-commit validate-manifest hooks/.pre-commit-hooks.yaml

git init -q --bare -b main origin.git
git init -q -b main work
git -C work remote add origin "$scratch/origin.git"
cat > work/.pre-commit-config.yaml <<CONFIG
repos:
  - repo: $scratch/hooks
    rev: $rev
    hooks:
      - id: straykey-system
      - id: straykey-push-system
CONFIG
work() { (cd work && "$@"); }
secret() { printf 'GITHUB_TOKEN=%s\n' "$(python3 "$root/tests/secret.py" "$1")"; }

pass work pre-commit install --install-hooks -t pre-commit -t pre-push

work git add .pre-commit-config.yaml
pass work git commit -m "clean"
secret 1 > work/a.env
work git add a.env
blocked work git commit -m "secret"
# pre-commit puts the unstaged fix aside; the index still has the secret.
echo 'GITHUB_TOKEN=' > work/a.env
blocked work git commit -m "secret in the index"
secret 2 > work/a.env
blocked work git commit -a -m "all"
work git rm -qf --cached a.env
rm work/a.env
echo hello > work/b.txt
work git add b.txt
pass work git commit -m "clean again"

pass work git push -q origin main
secret 3 > work/a.env
work git add a.env
work git commit -q --no-verify -m "add"
blocked work git push -q origin main
work git rm -q a.env
work git commit -q --no-verify -m "remove"
blocked work git push -q origin main
work git reset -q --hard origin/main
echo more >> work/b.txt
pass work git commit -q -a -m "more"
pass work git push -q origin main
pass work git push -q origin main:topic
pass work git push -q origin :topic

# A first push, with the root commit in it.
git init -q --bare -b main empty.git
work git remote add empty "$scratch/empty.git"
pass work git push -q empty main
git init -q --bare -b main other.git
work git remote add other "$scratch/other.git"
work git checkout -q --orphan fresh
secret 4 > work/a.env
work git add a.env
work git commit -q --no-verify -m "root with a secret"
blocked work git push -q other fresh

echo "pre-commit.sh: $cases cases pass with $(pre-commit --version)"
