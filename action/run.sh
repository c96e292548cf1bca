#!/usr/bin/env bash
# What action.yml does, one step a word: install, scan, summary, finish.
# All inputs come through INPUT_* variables and the runner's own; nothing is pasted into a script.
set -euo pipefail

here=${GITHUB_ACTION_PATH:?}
temporary=${RUNNER_TEMP:?}
results="$temporary/straykey"
mkdir -p "$results"

say() { echo "straykey: $*" >&2; }
# One line, as workflow commands need it.
error() {
  local text=${1//'%'/%25}
  text=${text//$'\r'/%0D}
  echo "::error title=straykey::${text//$'\n'/%0A}"
}
output() { printf '%s=%s\n' "$1" "$2" >> "$GITHUB_OUTPUT"; }
# fail CODE MESSAGE: the scan did not happen; the last step fails with CODE.
fail() {
  error "$2"
  output exit-code "$1"
  output findings 0
  output upload false
  exit 0
}
event() { jq -r "$1 // \"\"" "$GITHUB_EVENT_PATH"; }
enabled() { [ "${1:-}" = true ]; }

triple() {
  case "${RUNNER_OS:-}-${RUNNER_ARCH:-}" in
    Linux-X64) echo x86_64-unknown-linux-musl ;;
    Linux-ARM64) echo aarch64-unknown-linux-musl ;;
    macOS-X64) echo x86_64-apple-darwin ;;
    macOS-ARM64) echo aarch64-apple-darwin ;;
    Windows-X64) echo x86_64-pc-windows-msvc ;;
    *) echo unknown ;;
  esac
}

digest() {
  if command -v sha256sum > /dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

install() {
  local version=${INPUT_VERSION:-} target archive wanted bin="$temporary/straykey-bin"
  [ -n "$version" ] || version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$here/Cargo.toml" | head -n 1)
  version=${version#v}
  [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.-]*$ ]] || { error "version: \`$version\` is not like 1.2.3"; exit 2; }
  target=$(triple)
  case $target in
    *windows*) archive="straykey-$target-v$version.zip" ;;
    *) archive="straykey-$target-v$version.tar.gz" ;;
  esac
  mkdir -p "$bin"
  wanted=$(awk -v name="$archive" '$2 == name { print $1 }' "$here/action/checksums.txt")
  if [ -n "$wanted" ]; then
    download "$version" "$archive" "$wanted" "$bin"
  else
    build "$version" "$archive" "$bin"
  fi
  echo "$bin" >> "$GITHUB_PATH"
}

# download VERSION ARCHIVE DIGEST FOLDER
download() {
  local file="$temporary/$2" found
  curl -fsSL --retry 3 -o "$file" "https://github.com/straykey/straykey/releases/download/v$1/$2"
  found=$(digest "$file")
  [ "$found" = "$3" ] || { error "$2: SHA-256 is $found, expected $3"; exit 2; }
  case $2 in
    *.zip) unzip -q -o -j "$file" '*straykey.exe' -d "$4" ;;
    *) tar -xzf "$file" -C "$4" --strip-components 1 ;;
  esac
}

# build VERSION ARCHIVE FOLDER: what the action's own checkout holds, and no other version.
build() {
  local own
  own=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$here/Cargo.toml" | head -n 1)
  [ "$1" = "$own" ] || { error "no checksum of $2 is known to this version of the action; leave \`version\` empty"; exit 2; }
  say "no checksum of $2 is known: building from source with cargo install"
  cargo install --locked --quiet --path "$here" --root "$temporary/straykey-root"
  cp "$temporary"/straykey-root/bin/straykey* "$3/"
}

has() { git cat-file -e "$1^{commit}" 2> /dev/null; }

shallow() {
  fail 3 "$1 is not in this clone, so the changes cannot be told from the rest; set fetch-depth: 0 for actions/checkout"
}

# Sets `range` to the revisions that the event brought.
pull_request_range() {
  local base=${INPUT_BASE:-$1} head=${INPUT_HEAD:-$2} fork
  has "$base" || shallow "base commit $base"
  has "$head" || shallow "head commit $head"
  fork=$(git merge-base "$base" "$head") || shallow "the common ancestor of $base and $head"
  # A merge base may be found although commits beside it are cut off.
  if [ "$(git rev-parse --is-shallow-repository)" = true ] && edge "$fork" "$head"; then
    shallow "the history between $base and $head"
  fi
  range="$fork..$head"
}

# edge BASE HEAD: whether the clone is cut off between them.
edge() {
  local cut
  cut=$(git rev-parse --git-path shallow)
  # Not grep -q: it would leave git writing into a closed pipe, which pipefail takes for a no.
  git rev-list "$1..$2" | grep -Fx -f "$cut" > /dev/null
}

push_range() {
  local before=${INPUT_BASE:-$(event .before)} after=${INPUT_HEAD:-$(event .after)} default
  if [[ $after =~ ^0+$ ]]; then
    say "a branch was deleted: nothing to scan"
    range=none
    return
  fi
  has "$after" || shallow "pushed commit $after"
  if [ -n "$before" ] && ! [[ $before =~ ^0+$ ]] && has "$before"; then
    if [ "$(git rev-parse --is-shallow-repository)" = true ] && edge "$before" "$after"; then
      shallow "the history between $before and $after"
    fi
    range="$before..$after"
    return
  fi
  # A new branch, or one that was pushed over: what the default branch does not have.
  [ "$(git rev-parse --is-shallow-repository)" = false ] || shallow "the commit before this push"
  default=$(event .repository.default_branch)
  if [ "${GITHUB_REF:-}" = "refs/heads/$default" ]; then
    range="" # nothing to compare with: all of it
  elif has "refs/remotes/origin/$default"; then
    range="refs/remotes/origin/$default..$after"
  else
    shallow "the default branch $default"
  fi
}

diff_range() {
  case "$GITHUB_EVENT_NAME" in
    pull_request | pull_request_target)
      pull_request_range "$(event .pull_request.base.sha)" "$(event .pull_request.head.sha)" ;;
    merge_group) pull_request_range "$(event .merge_group.base_sha)" "$(event .merge_group.head_sha)" ;;
    push) push_range ;;
    *)
      if [ -n "${INPUT_BASE:-}" ]; then
        pull_request_range "$INPUT_BASE" "${INPUT_HEAD:-HEAD}"
      else
        fail 2 "mode diff: a $GITHUB_EVENT_NAME event brings no changes; give \`base\`, or use mode tree"
      fi ;;
  esac
}

mode() {
  case "${INPUT_MODE:-auto}" in
    tree | diff | history) echo "$INPUT_MODE" ;;
    auto)
      case "$GITHUB_EVENT_NAME" in
        pull_request | pull_request_target | merge_group | push) echo diff ;;
        *) echo tree ;;
      esac ;;
    *) return 1 ;;
  esac
}

scan() {
  local chosen range="" code=0 path=${INPUT_PATH:-.} category=${INPUT_CATEGORY:-straykey}
  local sarif=${INPUT_SARIF_FILE:-$results/straykey.sarif} json="$results/straykey.json"
  local markdown="$results/summary.md"
  local -a args=()
  chosen=$(mode) || fail 2 "mode: \`${INPUT_MODE:-}\` is none of auto, tree, diff, history"
  cd "${GITHUB_WORKSPACE:-.}"
  [[ $sarif = /* || $sarif = ?:* ]] || sarif="$PWD/$sarif"
  rm -f "$sarif" "$json" "$markdown"
  cd "$path" 2> /dev/null || fail 2 "path: no folder \`$path\`"
  case $chosen in
    tree) args+=(--no-history) ;;
    history)
      [ "$(git rev-parse --is-shallow-repository)" = false ] || shallow "the whole history" ;;
    diff)
      diff_range
      category="$category-diff"
      case $range in
        none) : ;;
        "") args+=(--history-only) ;;
        *) args+=(--range "$range") ;;
      esac ;;
  esac
  [ -z "${INPUT_CONFIG:-}" ] || args+=(--config "$INPUT_CONFIG")
  [ -z "${INPUT_BASELINE:-}" ] || args+=(--baseline "$INPUT_BASELINE")
  [ -z "${INPUT_FAIL_ON:-}" ] || args+=(--fail-on "$INPUT_FAIL_ON")
  case ${INPUT_VERIFY:-false} in
    false) : ;;
    true | detail)
      # Whoever opens a pull request would have this runner try what they found elsewhere.
      if is_fork; then
        say "a pull request from a fork: nothing is verified"
      else
        args+=(--verify)
        [ "$INPUT_VERIFY" = true ] || args+=(--verify-detail)
      fi ;;
    *) fail 2 "verify: \`$INPUT_VERIFY\` is none of false, true, detail" ;;
  esac
  args+=(--format "sarif=$sarif" --format "json=$json" --format "markdown=$markdown")
  if enabled "${INPUT_ANNOTATIONS:-true}"; then args+=(--format github); else args+=(--format text); fi
  # One argument a line: no quoting to get wrong.
  while IFS= read -r word; do
    [ -z "$word" ] || args+=("$word")
  done <<< "${INPUT_EXTRA_ARGS:-}"

  output mode "$chosen"
  output category "$category"
  if [ "$range" = none ]; then
    output exit-code 0
    output findings 0
    output upload false
    return
  fi
  say "$chosen ${range:-all} in $path"
  straykey scan "${args[@]}" || code=$?
  output exit-code "$code"
  output findings "$(count "$json")"
  [ ! -f "$json" ] || output json-file "$json"
  [ ! -f "$markdown" ] || output summary-file "$markdown"
  if [ -f "$sarif" ]; then
    output sarif-file "$sarif"
    output upload "$(may_upload "$code")"
  else
    output upload false
  fi
}

count() { if [ -s "$1" ]; then jq '.findings | length' "$1"; else echo 0; fi; }

# Whether the event is a pull request of another repository.
is_fork() {
  local from
  from=$(event .pull_request.head.repo.full_name)
  [[ $GITHUB_EVENT_NAME = pull_request* && $from != "${GITHUB_REPOSITORY:-}" ]]
}

# A fork's token may not upload, and half a scan would close alerts that are still open.
may_upload() {
  if ! enabled "${INPUT_UPLOAD:-true}"; then
    echo false
  elif [ "$1" -gt 1 ]; then
    say "the scan is not complete: nothing is uploaded"
    echo false
  elif is_fork; then
    say "a pull request from a fork: nothing is uploaded"
    echo false
  else
    echo true
  fi
}

# A step's summary may have 1 MiB; more is dropped whole by the runner.
summary() {
  local file=${SUMMARY_FILE:-} most=$((1024 * 1024 - 200))
  enabled "${INPUT_SUMMARY:-true}" && [ -s "$file" ] || return 0
  if [ "$(wc -c < "$file")" -le $most ]; then
    cat "$file" >> "$GITHUB_STEP_SUMMARY"
  else
    # Whole lines only: awk counts what it lets through.
    LC_ALL=C awk -v most=$most '{ n += length($0) + 1 } n > most { exit } { print }' "$file" >> "$GITHUB_STEP_SUMMARY"
    printf '\nThe rest does not fit here; the JSON and SARIF reports have everything.\n' >> "$GITHUB_STEP_SUMMARY"
  fi
}

finish() {
  local code=${EXIT_CODE:-}
  case $code in
    0) ;;
    1) error "${FINDINGS:-some} findings; see the annotations and the summary" ;;
    3) error "the scan is not complete" ;;
    *) error "the scan failed" ;;
  esac
  exit "${code:-2}"
}

case "${1:-}" in
  install | scan | summary | finish) "$1" ;;
  *) echo "usage: run.sh install|scan|summary|finish" >&2; exit 2 ;;
esac
