# shellcheck shell=bash
# Shared by the scripts: sourced, not run. Changes to the root of the repository and defines functions for building and reporting.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Continuous integration builds once and from nothing. Incremental state would only be written, never read, and nobody opens a debugger:
# a panic names its line without line tables.
if [[ ${CI:-} == true ]]; then
    export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=none
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

# build: everything in the dev profile, tests and examples too. All scripts select the same packages: cargo derives features from the
# selection and compiles dependencies again when it differs.
build() { cargo test --locked --workspace --no-run --quiet; }

# build_all: `build`, and the tests of the process, which a plain `cargo test` leaves out.
build_all() { build && cargo test --locked --workspace --no-run --quiet --test process; }

have() { command -v "$1" >/dev/null 2>&1; }

# at_least WANTED FOUND: whether version FOUND is WANTED or newer.
at_least() { [[ $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }
