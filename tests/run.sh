#!/usr/bin/env bash
# Passes every test on a fresh machine: needs the Rust toolchain, Node 20.19 or newer with npm, and on Debian root rights
# when Chromium is missing. Everything it writes lies in target/, web/node_modules/, web/dist/ and tests/clients/*/node_modules/.
set -euo pipefail
cd "$(dirname "$0")/.."

target="${CARGO_TARGET_DIR:-target}"
began=$SECONDS

step() {
    printf '\n=== %s (after %d s)\n' "$1" "$((SECONDS - began))"
}

fail() {
    printf 'tests/run.sh: %s\n' "$1" >&2
    exit 1
}

has() {
    command -v "$1" >/dev/null 2>&1
}

need_tools() {
    has cargo || fail "cargo is missing: install the Rust toolchain from https://rustup.rs"
    for tool in clippy fmt; do
        cargo "$tool" --version >/dev/null 2>&1 && continue
        has rustup || fail "cargo $tool is missing: install it with the Rust toolchain"
        rustup component add clippy rustfmt
    done
    if ! has node || ! has npm; then
        fail "Node is missing: install Node 20.19 or newer with npm"
    fi
    node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' \
        || fail "Node $(node --version) is too old: install 20.19 or newer"
    has cc || install_packages build-essential
    has chromium || install_packages chromium
}

install_packages() {
    has apt-get || fail "$* is missing and this is no Debian: install it by hand"
    [ "$(id -u)" -eq 0 ] || fail "$* is missing: run 'sudo apt-get install $*' first"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

# Installs the packages of a folder unless what is there is as new as its lock file.
packages() {
    if [ ! -e "$1/node_modules/.package-lock.json" ] || [ "$1/package-lock.json" -nt "$1/node_modules/.package-lock.json" ]; then
        npm ci --prefix "$1" --no-audit --no-fund
    fi
}

features() {
    cargo tree --quiet --package kurir --edges normal,build --format '{p} {f}' "$@"
}

# What is shipped checks the network's certificates. The same look at a sandbox build shows that the look can find something.
certificates_are_checked() {
    local switch=danger-skip-cert-chain-verify found
    found=$(features --features sandbox | grep -c "$switch" || true)
    [ "$found" -gt 0 ] || fail "a sandbox build without $switch: this check looks at the wrong place"
    found=$(features | grep -c "$switch" || true)
    [ "$found" -eq 0 ] || fail "the normal build contains $switch"
}

# A normal build neither dials a simulated network nor brings one.
normal_build_refuses_sandboxes() {
    cargo build --package kurir --no-default-features
    local data said code arguments
    data=$(mktemp -d)
    for arguments in "serve --sandbox-url ws://127.0.0.1:7400/ws/chat" "sandbox"; do
        code=0
        # shellcheck disable=SC2086 # the words are arguments of their own
        said=$("$target/debug/kurir" $arguments --data-dir "$data" --listen 127.0.0.1:0 2>&1) || code=$?
        [ "$code" -eq 2 ] || fail "a normal build with '$arguments' ended with $code instead of 2: $said"
        case $said in
            *"build with --features sandbox"*) ;;
            *) fail "a normal build with '$arguments' does not say what to do: $said" ;;
        esac
    done
    rm -r "$data"
}

scripts_are_clean() {
    if has shellcheck; then
        shellcheck --severity=warning tests/run.sh .ci/run install.sh
    else
        echo "shellcheck is not installed, skipped"
    fi
}

licences_are_allowed() {
    if has cargo-deny; then
        cargo deny --all-features check licenses bans sources
    else
        echo "cargo-deny is not installed, skipped"
    fi
}

need_tools

step "packages of the dashboard and of the independent client"
packages web
packages tests/clients/zapo

step "formatting, features, licences, scripts"
cargo fmt --all --check
certificates_are_checked
licences_are_allowed
scripts_are_clean

step "the dashboard: types, texts, build"
npm --prefix web run -s check
npm --prefix web run -s test
npm --prefix web run -s build

step "clippy"
cargo clippy --workspace --all-targets -- -D warnings

step "the normal build refuses simulated networks"
normal_build_refuses_sandboxes

step "building the tests"
cargo test --workspace --no-run

step "the newcomer's path in a browser"
KURIR_BIN="$PWD/$target/debug/kurir"
[ "${target#/}" = "$target" ] || KURIR_BIN="$target/debug/kurir"
KURIR_BIN="$KURIR_BIN" npm --prefix web run -s test:browser

step "unit and integration tests"
cargo test --workspace
