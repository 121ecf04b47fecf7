/** Answers to commands that are always the same. */
export const HELP = [
  '`/doaas plan` plans again, on fresh facts.',
  '`/doaas apply` applies the plan shown above, once it is approved. `--override REASON` and `--break-glass REASON` are for whom the policy names.',
  '`/doaas rollback` takes the change back: a running apply is stopped and undone, a merged one is undone and a revert pull request opened.',
  '`/doaas status` says what runs, and who holds which hosts.',
  '`/doaas unlock` frees hosts of this pull request that no living run holds.',
].join('\n');

export const PLANNING = 'Planning again on fresh facts; the comment above shows the result.';
export const FORK =
  'This pull request comes from a fork, so it is validated only. If you have read it, say `/doaas plan SHA` with the whole SHA of its head.';
