#!/bin/sh
# The demo: installs what is missing, then plays two pull requests on three real hosts. Arguments go to the demo.
set -eu
cd "$(dirname "$0")/.."
. scripts/install.sh
need_node
need_packages
for argument in "$@"; do
  case $argument in -h | --help) exec node --import tsx lab/demo/main.ts "$@" ;; esac
done
node --import tsx scripts/prepare.ts
exec node --import tsx lab/demo/main.ts "$@"
