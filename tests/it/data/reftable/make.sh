#!/usr/bin/env bash
# Makes the repository whose reftables are base.ref and update.ref: make.sh FOLDER. Needs git 2.45;
# 2.47.3 made them.
set -euo pipefail
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.org
export GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
git init -q --ref-format=reftable -b main "$1"; cd "$1"
for n in 1 2 3; do echo $n > f; git add f; git commit -qm "commit $n"; done
c1=$(git rev-parse HEAD~2); c2=$(git rev-parse HEAD~1)
for i in $(seq 1 300); do echo "create refs/heads/topic/number-$i $c1"; done | git update-ref --stdin
for i in 1 2 3; do git tag -a -m "tag $i" v$i HEAD~$((i-1)); done
git tag light "$c2"
git notes add -m note "$c1"
git pack-refs --all
echo changed > f; git stash -q
git update-ref -d refs/heads/topic/number-7
git symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/main
git update-ref refs/remotes/origin/main "$c2"
git update-ref refs/pull/7/head "$c1"
git update-ref ORIG_HEAD "$c1"
git branch -q feature; git checkout -q feature
ls .git/reftable
