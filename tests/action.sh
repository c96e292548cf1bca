#!/usr/bin/env bash
# The action's script with made-up events: tests/action.sh [BINARY]
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
binary=$(realpath "${1:-$root/target/release/straykey}")
[ -x "$binary" ] || { echo "action.sh: $binary: build it first" >&2; exit 1; }
command -v jq > /dev/null || { echo "action.sh: jq is missing" >&2; exit 1; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
mkdir bin
ln -s "$binary" bin/straykey
unset "${!GITHUB_@}" "${!INPUT_@}" "${!RUNNER_@}" GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
export PATH="$scratch/bin:$PATH" HOME="$scratch" GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.com
export GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.com
export GITHUB_ACTION_PATH="$root" GITHUB_REPOSITORY=acme/app RUNNER_TEMP="$scratch/temp"
export RUNNER_OS=Linux RUNNER_ARCH=X64
export GITHUB_WORKSPACE="$scratch/repo" GITHUB_EVENT_PATH="$scratch/event.json"
export GITHUB_OUTPUT="$scratch/output" GITHUB_STEP_SUMMARY="$scratch/summary" GITHUB_PATH="$scratch/path"
mkdir temp

secret() { printf 'GITHUB_TOKEN=%s\n' "$(python3 "$root/tests/secret.py" "$1")"; }
zero=0000000000000000000000000000000000000000

git init -q -b main upstream
up() { git -C upstream "$@"; }
commit() { up add -A && up commit -q -m "$1" && up rev-parse HEAD; }
secret 1 > upstream/old.env
echo hello > upstream/README
root_commit=$(commit "root, with an old secret")
echo 'GITHUB_TOKEN=' > upstream/old.env
base=$(commit "the old secret is gone")
up checkout -q -b clean
echo more >> upstream/README
clean=$(commit "clean")
up checkout -q -b leak main
secret 2 > upstream/new.env
leak=$(commit "leak")
up checkout -q -b brief main
secret 3 > upstream/brief.env
commit "add" > /dev/null
up rm -q brief.env
up commit -q -m "remove"
brief=$(up rev-parse HEAD)
up checkout -q main
echo moved > upstream/main.txt
moved=$(commit "main moved on")
git clone -q upstream repo

failures=0
cases=0
# run STEP: its output is in `log`, its GITHUB_OUTPUT in `output`.
run() {
  : > output
  : > summary
  status=0
  bash "$root/action/run.sh" "$1" > log 2>&1 || status=$?
}
wrong() {
  failures=$((failures + 1))
  echo "action.sh: $name: $1" >&2
  sed 's/^/    /' output log >&2
}
# A later line of GITHUB_OUTPUT wins, as on the runner.
got() { sed -n "s/^$1=//p" output | tail -n 1; }
expect() {
  cases=$((cases + 1))
  [ "$(got "$1")" = "$2" ] || wrong "$1 is \`$(got "$1")\`, expected \`$2\`"
}
mentions() {
  cases=$((cases + 1))
  grep -qF -- "$1" log || wrong "does not say: $1"
}
# The checkout is what the runner has: the merge of head into base.
pull() {
  git -C repo checkout -q --detach "$1"
  git -C repo merge -q --no-ff -m merge "$2"
  export GITHUB_EVENT_NAME=pull_request GITHUB_REF=refs/pull/1/merge
  jq -n --arg base "$1" --arg head "$2" --arg repo "${3:-acme/app}" \
    '{pull_request: {base: {sha: $base}, head: {sha: $head, repo: {full_name: $repo}}}}' > event.json
}
push() {
  export GITHUB_EVENT_NAME=push GITHUB_REF="refs/heads/$1"
  jq -n --arg before "$2" --arg after "$3" \
    '{before: $before, after: $after, repository: {default_branch: "main"}}' > event.json
}

name="clean pull request"
pull "$moved" "$clean"
run scan
expect exit-code 0; expect findings 0; expect mode diff; expect category straykey-diff; expect upload true

name="pull request with a secret"
pull "$moved" "$leak"
run scan
expect exit-code 1; expect findings 1; expect upload true
mentions "::error"
sarif=$(got sarif-file) json=$(got json-file) report=$(got summary-file)
cases=$((cases + 1))
[ "$(jq '.runs[0].results | length' "$sarif")" = 1 ] || wrong "the SARIF report has not one result"
[ -s "$json" ] || wrong "no JSON report"
SUMMARY_FILE=$report run summary
cases=$((cases + 1))
[ -s summary ] || wrong "no job summary"
EXIT_CODE=1 FINDINGS=1 run finish
cases=$((cases + 1))
[ "$status" = 1 ] || wrong "the last step exits $status"
token=$(python3 "$root/tests/secret.py" 2)
cases=$((cases + 1))
if grep -qF "$token" log summary "$sarif" "$json" "$report"; then wrong "prints the secret"; fi

name="a secret added and removed again"
pull "$moved" "$brief"
run scan
expect exit-code 1; expect findings 1

name="pull request from a fork"
pull "$moved" "$leak" mallory/app
run scan
expect exit-code 1; expect upload false

# Nothing listens there, so that asking is told from not asking without a network.
there=$'--endpoint\ngithub=http://127.0.0.1:9\n--allow-net\n127.0.0.0/8'
liveness() {
  cases=$((cases + 1))
  local said
  said=$(jq -r '.findings[0].liveness | if . == null then "none" else "\(.outcome) \(.reason)" end' "$(got json-file)")
  [ "$said" = "$1" ] || wrong "liveness is \`$said\`, expected \`$1\`"
}

name="verification"
pull "$moved" "$leak"
run scan
expect exit-code 1; liveness none
INPUT_VERIFY=false run scan
expect exit-code 1; liveness none
INPUT_VERIFY=true INPUT_EXTRA_ARGS=$there run scan
expect exit-code 1; liveness "unknown refused"
INPUT_VERIFY=true INPUT_FAIL_ON=live INPUT_EXTRA_ARGS=$there run scan
expect exit-code 0; expect findings 1; liveness "unknown refused"
INPUT_VERIFY=detail INPUT_EXTRA_ARGS=$there run scan
expect exit-code 1; liveness "unknown refused"
INPUT_VERIFY=yes run scan
expect exit-code 2; expect upload false
mentions "is none of false, true, detail"

name="verification of a pull request from a fork"
pull "$moved" "$leak" mallory/app
INPUT_VERIFY=true run scan
expect exit-code 1; liveness none
mentions "nothing is verified"

pull "$moved" "$leak"
name="least severity"
INPUT_FAIL_ON=nonsense run scan
expect exit-code 2; expect upload false

name="an argument a line"
INPUT_EXTRA_ARGS=$'--only\ngitlab-pat' run scan
expect exit-code 0

name="a value that looks like a command"
# shellcheck disable=SC2016 # it must not be expanded
INPUT_BASE='$(touch pwned)' run scan
expect exit-code 3
cases=$((cases + 1))
[ ! -e repo/pwned ] || wrong "ran it"

name="merge group"
export GITHUB_EVENT_NAME=merge_group
jq -n --arg base "$base" --arg head "$leak" '{merge_group: {base_sha: $base, head_sha: $head}}' > event.json
run scan
expect exit-code 1; expect findings 1

name="push"
push main "$base" "$moved"
run scan
expect exit-code 0
push leak "$base" "$leak"
run scan
expect exit-code 1

name="push of a new branch"
push leak $zero "$leak"
run scan
expect exit-code 1; expect findings 1
push clean $zero "$clean"
run scan
expect exit-code 0

name="push over a branch whose old tip is gone"
push leak 1111111111111111111111111111111111111111 "$leak"
run scan
expect exit-code 1; expect findings 1

name="first push of the default branch"
push main $zero "$moved"
run scan
expect exit-code 1

name="deletion"
push leak "$leak" $zero
run scan
expect exit-code 0; expect upload false

name="schedule"
git -C repo checkout -q main
export GITHUB_EVENT_NAME=schedule GITHUB_REF=refs/heads/main
echo '{}' > event.json
run scan
expect mode tree; expect exit-code 0; expect category straykey; expect upload true
INPUT_MODE=history run scan
expect mode history; expect exit-code 1

name="diff without changes to look at"
INPUT_MODE="diff" run scan
expect exit-code 2
INPUT_MODE=diff INPUT_BASE=$root_commit INPUT_HEAD=$base run scan
expect exit-code 0

name="shallow clone"
git clone -q --depth 1 "file://$scratch/upstream" shallow
export GITHUB_WORKSPACE="$scratch/shallow"
export GITHUB_EVENT_NAME=pull_request
jq -n --arg base "$base" --arg head "$moved" \
  '{pull_request: {base: {sha: $base}, head: {sha: $head, repo: {full_name: "acme/app"}}}}' > event.json
run scan
expect exit-code 3; expect upload false
mentions "fetch-depth: 0"
EXIT_CODE=3 run finish
cases=$((cases + 1))
[ "$status" = 3 ] || wrong "the last step exits $status"
push main "$base" "$moved"
run scan
expect exit-code 3
GITHUB_EVENT_NAME=schedule INPUT_MODE=history run scan
expect exit-code 3

name="a long summary"
export GITHUB_WORKSPACE="$scratch/repo"
yes 'a line of a very long summary' | head -n 60000 > long.md || true
SUMMARY_FILE=$scratch/long.md run summary
cases=$((cases + 1))
[ "$(wc -c < summary)" -le 1048576 ] || wrong "is too long"
cases=$((cases + 1))
grep -q 'does not fit' summary || wrong "does not say that it is cut"

name="versions"
INPUT_VERSION='1; rm -rf /' run install
cases=$((cases + 1))
[ "$status" = 2 ] || wrong "exits $status"
mentions "is not like 1.2.3"
INPUT_VERSION=99.0.0 run install
cases=$((cases + 1))
[ "$status" = 2 ] || wrong "exits $status"
mentions "no checksum"

# No release exists to download, and a build takes minutes: stand-ins for curl and cargo, a real
# archive, real checksums.
name="installing"
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)
archive="straykey-x86_64-unknown-linux-musl-v$version.tar.gz"
mkdir -p copy/action stand-ins "pack/straykey-$version"
cp "$root/Cargo.toml" copy/
cp "$binary" "pack/straykey-$version/straykey"
tar -czf "$archive" -C pack "straykey-$version"
cat > stand-ins/curl <<'END'
#!/usr/bin/env bash
while [ "$1" != -o ]; do shift; done
echo "${*: -1}" > "$STAND_INS/asked"
cp "$STAND_INS/../$ARCHIVE" "$2"
END
cat > stand-ins/cargo <<'END'
#!/usr/bin/env bash
echo "$*" > "$STAND_INS/built"
while [ "$1" != --root ]; do shift; done
mkdir -p "$2/bin"
touch "$2/bin/straykey"
END
chmod +x stand-ins/*
installs() {
  rm -rf temp/straykey-bin temp/straykey-root stand-ins/asked stand-ins/built
  : > path
  GITHUB_ACTION_PATH="$scratch/copy" STAND_INS="$scratch/stand-ins" ARCHIVE="$archive" \
    PATH="$scratch/stand-ins:$PATH" run install
}
sum=$( (sha256sum "$archive" 2> /dev/null || shasum -a 256 "$archive") | cut -d ' ' -f 1)
echo "$sum  $archive" > copy/action/checksums.txt
installs
cases=$((cases + 4))
[ "$status" = 0 ] || wrong "a download exits $status"
cmp -s "$binary" temp/straykey-bin/straykey || wrong "the program is not the archive's"
grep -qFx "$scratch/temp/straykey-bin" path || wrong "the program is not on the path"
grep -qF "/v$version/$archive" stand-ins/asked || wrong "asks for $(cat stand-ins/asked)"
echo "${sum//[0-9]/0}  $archive" > copy/action/checksums.txt
installs
cases=$((cases + 2))
[ "$status" = 2 ] || wrong "a wrong checksum exits $status"
[ ! -e temp/straykey-bin/straykey ] || wrong "installs what has a wrong checksum"
mentions "SHA-256"
: > copy/action/checksums.txt
installs
cases=$((cases + 2))
[[ $status = 0 && -e temp/straykey-bin/straykey ]] || wrong "does not build"
grep -qF -- "--locked" stand-ins/built || wrong "builds with: $(cat stand-ins/built)"

if [ "$failures" != 0 ]; then echo "action.sh: $failures of $cases checks failed" >&2; exit 1; fi
echo "action.sh: $cases checks pass"
