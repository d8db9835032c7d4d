#!/bin/sh
set -u
root=$1
bun=$2
cd "$root" || exit 1
mkdir -p .compiled && [ -w .compiled ] || exit 1
asked=$(mktemp .compiled/asked.XXXXXX) || exit 1
trap 'rm -f "$asked" "$asked.nx"' EXIT
exec 9>.compiled/lock || exit 1
flock 9 || exit 1
[ .compiled/nx -nt "$asked" ] && exit 0
touch "$asked"
"$bun" --no-env-file --config=/dev/null scripts/build.ts --client "$asked.nx" </dev/null &&
  ln -sf ../nexus-server .compiled/nexus-server &&
  touch -r "$asked" "$asked.nx" &&
  mv "$asked.nx" .compiled/nx
