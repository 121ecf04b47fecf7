import { until } from '../../test/until.ts';

const SECONDS_MAX = 300;

/** Waits until everything that was answered is in Temporal. */
export async function inboxEmpty(url: string): Promise<void> {
  let waiting = Number.NaN;
  await until(
    async () => {
      // what it asks counts anew; the metric by itself is up to a second old
      await fetch(`${url}/readyz`);
      const metrics = await (await fetch(`${url}/metrics`)).text();
      waiting = Number(/^doaas_inbox_waiting (\d+)/m.exec(metrics)?.[1]);
      return waiting === 0 ? true : undefined;
    },
    'the inbox to be empty',
    SECONDS_MAX,
    async () => `${waiting} wait`,
  );
}
