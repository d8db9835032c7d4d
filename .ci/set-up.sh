install_packages() {
  local mark=node_modules/.package-lock.json
  if [ ! -f "$mark" ] || [ package-lock.json -nt "$mark" ]; then
    npm ci --no-audit --no-fund </dev/null || return 1
    touch "$mark"
  fi
  node_modules/.bin/bun --version >/dev/null 2>&1 || (cd node_modules/bun && node install.js)
}

install_tools() {
  local tool missing=() as_root=()
  for tool in screen git tmux; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
  "${as_root[@]}" apt-get install -y --no-install-recommends "${missing[@]}" </dev/null >/dev/null 2>&1 && return 0
  "${as_root[@]}" apt-get update </dev/null >/dev/null 2>&1 &&
    "${as_root[@]}" apt-get install -y --no-install-recommends "${missing[@]}" </dev/null >/dev/null 2>&1 && return 0
  echo "Missing, and can't be installed from here: ${missing[*]}"
}
