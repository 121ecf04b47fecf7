/** The answer to `/doaas help`. Markdown. */
export const HELP = [
  '`/doaas plan` plans again, on fresh facts.',
  '`/doaas apply` applies the plan shown above, once it is approved.',
  '`/doaas cancel` stops a running apply at the next safe point and asks whether to keep or to roll back; `/doaas cancel keep` keeps.',
  '`/doaas rollback` takes the change back: a running apply is stopped and undone, a merged one is undone and a revert pull request opened.',
  '`/doaas status` says what runs, and who holds which hosts.',
  '`/doaas unlock` frees hosts of this pull request that no living run holds.',
].join('\n');
