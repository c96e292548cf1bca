#!/usr/bin/env bash
# Validates a SARIF file by the rules of SARIF and of GitHub code scanning with Microsoft's
# sarif-multitool, which npm installs into a scratch folder. Usage: sarif-multitool.sh FILE
set -euo pipefail

if [ $# -ne 1 ] || [ ! -f "$1" ]; then
    echo "usage: $0 FILE.sarif" >&2
    exit 2
fi
file=$(realpath "$1")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cd "$scratch"
npm install --silent --no-audit --no-fund --prefix . @microsoft/sarif-multitool@5.7.0 >&2
# npm may skip the postinstall script that sets this.
multitool=$(echo node_modules/@microsoft/sarif-multitool-*/Sarif.Multitool)
chmod u+x "$multitool"

# It reads a copy in the scratch folder, so that the path of the original is in no message. It
# exits with 0 whatever it finds, so its messages decide. It is called past npm's wrapper, which
# hands the semicolon to a shell and so loses the second kind of rules.
cp "$file" report.sarif
"$multitool" validate report.sarif --rule-kind 'Sarif;Ghas' \
    --output results.sarif --log ForceOverwrite | tee messages.txt

if ! grep -q 'Analysis completed successfully' messages.txt; then
    echo "sarif-multitool did not come to an end" >&2
    exit 1
fi
if grep -q ': error ' messages.txt; then
    echo "sarif-multitool found errors in $1" >&2
    exit 1
fi
echo "no errors in $1"
