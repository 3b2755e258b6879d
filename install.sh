#!/bin/sh
# Installs Kurir as a service: takes a binary or builds one, creates user, directories and unit, prints the claim link.
#
#   ./install.sh                      build from this checkout and install
#   ./install.sh --binary FILE        install FILE (with --sha256 SUM it is verified first)
#   ./install.sh --uninstall          remove program and unit, keep the data
#   ./install.sh --uninstall --purge  remove the data, too
#
# Nothing outside PREFIX (default /usr/local), /etc/systemd/system, /usr/lib/sysusers.d and /var/lib/kurir is touched.
set -eu

PREFIX=${PREFIX:-/usr/local}
UNIT_DIR=${UNIT_DIR:-/etc/systemd/system}
SYSUSERS_DIR=${SYSUSERS_DIR:-/usr/lib/sysusers.d}
DATA_DIR=/var/lib/kurir
binary='' sum='' uninstall='' purge=''

say() { printf '%s\n' "$*"; }
fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

while [ $# -gt 0 ]; do
  case $1 in
    --binary) [ $# -ge 2 ] || fail '--binary needs a file'; binary=$2; shift 2 ;;
    --sha256) [ $# -ge 2 ] || fail '--sha256 needs a sum'; sum=$2; shift 2 ;;
    --uninstall) uninstall=yes; shift ;;
    --purge) purge=yes; shift ;;
    -h | --help) sed -n '2,9p' "$0" | sed 's/^# \{0,1\}//'; exit 0 ;;
    *) fail "unknown option '$1' (see --help)" ;;
  esac
done

[ "$(id -u)" -eq 0 ] || fail 'run it as root, for example with sudo'
here=$(cd "$(dirname "$0")" && pwd)

# Without a running systemd (a container, an image being built) files are put in place and nothing is started.
running_systemd() { [ -d /run/systemd/system ]; }

if [ -n "$uninstall" ]; then
  if running_systemd; then
    systemctl disable --now kurir.service 2>/dev/null || true
  fi
  rm -f "$UNIT_DIR/kurir.service" "$SYSUSERS_DIR/kurir.conf" "$PREFIX/bin/kurir"
  if running_systemd; then systemctl daemon-reload; fi
  if [ -n "$purge" ]; then
    rm -rf "$DATA_DIR"
    say "removed kurir and its data in $DATA_DIR"
  else
    say "removed kurir; its data stays in $DATA_DIR (--purge removes it)"
  fi
  exit 0
fi
[ -z "$purge" ] || fail '--purge goes with --uninstall'

if [ -z "$binary" ]; then
  command -v cargo >/dev/null 2>&1 || fail 'cargo is missing: install Rust, or give a binary with --binary FILE'
  say 'building kurir, this takes some minutes'
  (cd "$here" && cargo build --profile dist --locked --bin kurir)
  binary=${CARGO_TARGET_DIR:-$here/target}/dist/kurir
fi
[ -f "$binary" ] || fail "there is no file '$binary'"
if [ -n "$sum" ]; then
  printf '%s  %s\n' "$sum" "$binary" | sha256sum -c - >/dev/null 2>&1 || fail "'$binary' does not have the checksum $sum"
fi
"$binary" --version >/dev/null 2>&1 || fail "'$binary' does not run on this machine"

mkdir -p "$PREFIX/bin" "$UNIT_DIR" "$SYSUSERS_DIR"
install -m 0755 "$binary" "$PREFIX/bin/kurir.new"
mv -f "$PREFIX/bin/kurir.new" "$PREFIX/bin/kurir"
install -m 0644 "$here/systemd/kurir.sysusers" "$SYSUSERS_DIR/kurir.conf"
sed "s|^ExecStart=/usr/local/bin/kurir|ExecStart=$PREFIX/bin/kurir|" "$here/systemd/kurir.service" >"$UNIT_DIR/kurir.service"
chmod 0644 "$UNIT_DIR/kurir.service"

if command -v systemd-sysusers >/dev/null 2>&1; then
  systemd-sysusers "$SYSUSERS_DIR/kurir.conf"
elif ! id kurir >/dev/null 2>&1; then
  useradd --system --home-dir "$DATA_DIR" --shell /usr/sbin/nologin kurir
fi
install -d -m 0700 -o kurir -g kurir "$DATA_DIR"
if [ ! -e "$DATA_DIR/kurir.toml" ]; then
  sed 's|^#: data_dir = .*|data_dir = "/var/lib/kurir"|' "$here/data/kurir.toml" >"$DATA_DIR/kurir.toml"
  chown kurir:kurir "$DATA_DIR/kurir.toml"
  chmod 0600 "$DATA_DIR/kurir.toml"
fi

if ! running_systemd; then
  say "installed; systemd does not run here, so start it yourself: $PREFIX/bin/kurir --data-dir $DATA_DIR"
  exit 0
fi
systemctl daemon-reload
systemctl enable kurir.service >/dev/null 2>&1
began=$(date '+%Y-%m-%d %H:%M:%S')
systemctl restart kurir.service || fail 'kurir did not start: see journalctl -u kurir'
link=''
tries=0
while [ -z "$link" ] && [ $tries -lt 20 ]; do
  link=$(journalctl -u kurir --since "$began" -o cat 2>/dev/null | sed -n 's/^claim this kurir.*: //p' | tail -n 1)
  [ -n "$link" ] || { journalctl -u kurir --since "$began" -o cat 2>/dev/null | grep -q '^listening on' && break; sleep 1; }
  tries=$((tries + 1))
done
say 'kurir is running'
if [ -n "$link" ]; then
  say 'open this link once within 30 minutes and choose the password of the owner:'
  say "  $link"
else
  say 'it has an owner already; log in as before'
fi
