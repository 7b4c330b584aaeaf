# shellcheck shell=bash
# Shared by the scripts: sourced, not run. Puts the caller at the root of the repository and gives it words to report with.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Continuous integration builds once and from nothing: incremental state would only be written, never read.
if [[ ${CI:-} == true ]]; then
    export CARGO_INCREMENTAL=0
fi

started_at=$SECONDS

# say WORDS…: one line for the reader.
say() { printf '%s\n' "$*"; }

# step WORDS…: a heading with the seconds gone since the script began.
step() { printf '\n== [%4ds] %s\n' $((SECONDS - started_at)) "$*"; }

# fail WORDS…: one line with the cure, and out.
fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# build: everything in the dev profile, tests and examples too. One selection of packages for all scripts: cargo chooses features by it, and
# builds what lies beneath anew when it differs.
build() { cargo test --locked --workspace --no-run --quiet; }

have() { command -v "$1" >/dev/null 2>&1; }

# at_least WANTED FOUND: whether version FOUND is WANTED or newer.
at_least() { [[ $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }
