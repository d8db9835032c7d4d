#!/bin/sh
set -eu
source=${NEXUS_SOURCE-}
prefix=${PREFIX-}
[ -n "$prefix" ] || { [ "$(id -u)" -eq 0 ] && prefix=/usr/local || prefix=$HOME/.local; }

give_up() {
  printf 'install.sh: %s\n' "$1" >&2
  exit 1
}

name_platform() {
  case $(uname -s)-$(uname -m) in
    Linux-x86_64)
      if grep -qw avx2 /proc/cpuinfo 2>/dev/null; then echo linux-x64; else echo linux-x64-baseline; fi ;;
    Linux-aarch64) echo linux-arm64 ;;
    Darwin-x86_64) echo darwin-x64 ;;
    Darwin-arm64) echo darwin-arm64 ;;
    *) give_up "there is no build for $(uname -s) on $(uname -m)" ;;
  esac
}

fetch() {
  case $source in
    '') cp "$here/$1" "$2" ;;
    https://*)
      if command -v curl >/dev/null; then curl -fsSL --proto '=https' -o "$2" "$source/$1"
      else wget -q --https-only -O "$2" "$source/$1"; fi ;;
    *) give_up "NEXUS_SOURCE must begin with https://" ;;
  esac
}

digest() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

install_program() {
  file=$platform/$1
  expected=$(sed -n "s|^\([0-9a-f]\{64\}\)  $file\$|\1|p" "$work/SHA256SUMS")
  [ -n "$expected" ] || return 0
  fetch "$file" "$work/$1" || give_up "$file could not be fetched"
  [ "$(digest "$work/$1")" = "$expected" ] || give_up "$file does not match its checksum: nothing was installed"
}

place_program() {
  [ -e "$work/$1" ] || return 0
  chmod 755 "$work/$1"
  mv -f "$work/$1" "$prefix/bin/$1"
  printf 'installed %s\n' "$prefix/bin/$1"
}

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$prefix/bin" 2>/dev/null && [ -w "$prefix/bin" ] || give_up "$prefix/bin can't be written: set PREFIX, or use sudo"
work=$(mktemp -d "$prefix/bin/.nexus-install.XXXXXX")
trap 'rm -rf "$work"' EXIT
platform=$(name_platform)
fetch SHA256SUMS "$work/SHA256SUMS" || give_up "SHA256SUMS could not be fetched"
install_program nx
install_program nexus-server
[ -e "$work/nx" ] || give_up "there is no program for $platform here"
place_program nx
place_program nexus-server
ln -sf nx "$prefix/bin/nexus"
case :$PATH: in
  *:"$prefix/bin":*) ;;
  *) printf 'Add %s to your PATH to use them.\n' "$prefix/bin" ;;
esac
