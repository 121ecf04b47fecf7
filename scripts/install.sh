# Read by other scripts (`. scripts/install.sh`) from the root of the repository; needs nothing but a POSIX shell.

NODE_NEEDED='20.19'

say() { printf '%s\n' "$*"; }

need_node() {
  if ! command -v node >/dev/null 2>&1; then
    say "Node $NODE_NEEDED or newer is needed and there is none: install it from https://nodejs.org, then try again." >&2
    return 1
  fi
  node -e '
    const [major, minor] = process.versions.node.split(".").map(Number);
    const [needMajor, needMinor] = process.argv[1].split(".").map(Number);
    process.exit(major > needMajor || (major === needMajor && minor >= needMinor) ? 0 : 1);
  ' "$NODE_NEEDED" && return 0
  say "Node $NODE_NEEDED or newer is needed; this is $(node --version)." >&2
  return 1
}

# npm ci writes node_modules/.package-lock.json last, so an older one means an interrupted or outdated installation.
need_packages() {
  if [ -e node_modules/.package-lock.json ] && [ -z "$(find package-lock.json -newer node_modules/.package-lock.json)" ]; then
    return 0
  fi
  say 'Installing npm packages (about a minute, once) ...'
  npm ci --no-progress --loglevel=error
}
