/** The answer to `/doaas help`. Markdown. */
export const HELP = [
  '`/doaas plan` plans again, on fresh facts.',
  '`/doaas apply` applies the plan shown above, once it is approved. `--override REASON` and `--break-glass REASON` are for whom the policy names.',
  '`/doaas cancel` stops a running apply at the next safe point and asks whether to keep or to roll back; `/doaas cancel keep` keeps.',
  '`/doaas rollback` takes the change back: a running apply is stopped and undone, a merged one is undone and a revert pull request opened; where that could shut people out, the revert is to be applied instead.',
  '`/doaas status` says what runs, and who holds which hosts.',
  '`/doaas security` reports how secure the servers of the default branch are now.',
  '`/doaas unlock` frees hosts of this pull request that no living run holds.',
].join('\n');

export const NOT_OPEN = 'This pull request is not open, so there is nothing to plan or apply.';
export const FORK =
  'This pull request comes from a fork, so it is validated only: nothing is planned or applied. Somebody with write access who has read it may say `/doaas plan SHA` with the whole SHA of its head.';
export const PLANNING = 'Planning again on fresh facts; the comment above shows the result.';
export const REPORTING = 'The report is being made already; it comes where that was asked for.';
export const TAKING_BACK = 'It is being taken back already; the answer stands where that was asked for.';

/** Somebody merged on GitHub what was to be applied first. */
export function mergedUnapplied(trigger: string): string {
  return `This was merged without being applied: with \`trigger: ${trigger}\` the engine applies first and merges then, and a merge on GitHub begins nothing. Its servers may not be as the branch says now. The next pull request that changes something on them brings this along, and its plan shows it; or revert this one.`;
}
