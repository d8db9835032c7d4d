#!/bin/sh
set -u
root=$1
[ -n "${HOME-}" ] || unset HOME
cd "$root" || exit 1
mark=node_modules/.nexus-setup
lock=.nexus-setup.lock
beside=.nexus-setup.new
output=$(mktemp) || exit 1
trap 'rm -f "$output"' EXIT

say() { printf 'nexus: %s\n' "$1"; }

give_up() {
  say "$1"
  exit 1
}

is_done() { [ -x node_modules/bun/bin/bun.exe ] && [ -e "$mark" ] && [ ! package-lock.json -nt "$mark" ]; }

install_packages() {
  if command -v npm >/dev/null; then
    npm ci --no-audit --no-fund
  elif command -v bun >/dev/null; then
    bun install --no-save
  else
    give_up "Node.js (with npm) or Bun is needed: install one of them, then try again"
  fi
}

install_bun() {
  [ -x node_modules/bun/bin/bun.exe ] && return 0
  if command -v node >/dev/null; then (cd node_modules/bun && node install.js); else (cd node_modules/bun && bun install.js); fi
}

install_beside() {
  rm -rf "$beside" && mkdir "$beside" && cp package.json package-lock.json "$beside" &&
    (cd "$beside" && install_packages && install_bun)
}

take_over() {
  if [ -e node_modules ]; then mv node_modules "$beside/old" || return 1; fi
  mv "$beside/node_modules" node_modules
}

list_missing() {
  command -v screen >/dev/null || printf ' screen'
  command -v git >/dev/null || printf ' git'
  command -v script >/dev/null || printf ' bsdutils'
  command -v setpriv >/dev/null || printf ' util-linux'
  command -v tar >/dev/null || printf ' tar'
}

install_tools() {
  missing=$(list_missing)
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null || give_up "these programs are missing, please install them:$missing"
  if [ "$(id -u)" -eq 0 ]; then sudo=; else sudo="sudo -n"; fi
  [ -z "$sudo" ] || $sudo true 2>/dev/null || give_up "these programs are missing: sudo apt-get install$missing"
  say "installing$missing"
  $sudo apt-get install -y -q --no-install-recommends $missing >/dev/null 2>&1 && return 0
  $sudo apt-get update -q >/dev/null 2>&1 && $sudo apt-get install -y -q --no-install-recommends $missing >/dev/null 2>&1 ||
    give_up "these programs can't be installed from here: apt-get install$missing"
}

exec 9>"$lock" || exit 1
flock 9
is_done && exit 0
trap 'rm -rf "$output" "$beside"' EXIT
say "setting up, once (a minute at most) …"
install_beside </dev/null >"$output" 2>&1 && take_over >>"$output" 2>&1 || {
  tail -n 5 "$output"
  give_up "the packages could not be installed"
}
install_tools
touch "$mark"
sh scripts/build-client.sh "$root" "$root/node_modules/bun/bin/bun.exe" >/dev/null 2>&1
say "ready"
