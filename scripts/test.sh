#!/bin/sh
# All tests, or those below the paths given: npm test -- engine/plan
set -eu
cd "$(dirname "$0")/.."
. scripts/install.sh
need_node
need_packages
exec node --import tsx scripts/test.ts "$@"
