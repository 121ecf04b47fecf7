#!/bin/sh
# Records histories of all that workflows do, from real runs, into workflows/histories; see scripts/record-histories.ts. After a
# change of workflows/*.ts: run this, take what is recorded by now out of UNRECORDED in workflows/replay.test.ts, and run that.
set -eu
cd "$(dirname "$0")/.."
export DOAAS_RECORD_HISTORIES=1

# story: histories begun anew; rollout: its engine is a process of its own, of which only a shared Temporal can be asked
for file in story rollout; do
  DOAAS_TEST_TOPOLOGY=many sh scripts/test.sh "test/e2e/$file"
done
# held: unlock, isRunning, buttons; policy: overrides, hosts looked at again; gate: what is merged without a plan; reverts: windows that are cancelled, reverts that are refused; locks: runs that are cancelled before they did anything;
# heads: overtaken plans, moved bases; talk, queue: commands while runs wait or go on; correct, drift: corrections, issues; repositories, app: what
# GitHub no longer shows; room: servers that fall silent, or fail, in a batch; many: sites, their security, what is adopted there; login: hosts that go away
# before a plan is applied
for file in e2e/held e2e/policy e2e/gate e2e/reverts e2e/locks e2e/heads e2e/talk e2e/queue e2e/correct e2e/drift e2e/room bad/repositories bad/app bad/login e2e/many; do
  sh scripts/test.sh "test/$file"
done
# fleets larger than one activity plans, here and at a site
node --import tsx test/recordFleet.ts
