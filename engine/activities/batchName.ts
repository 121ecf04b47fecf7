/** The batch of one wave of a run on a host; also the name of its systemd units there. */
export function batchName(run: string, wave: number): string {
  return `${run}-w${wave}`;
}

/** The run that a batch is of; undefined for another name. */
export function runOfBatch(batch: string): string | undefined {
  return /^(.+)-w\d+$/.exec(batch)?.[1];
}
