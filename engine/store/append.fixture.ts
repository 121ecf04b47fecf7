import { openStore } from './store.ts';

/** Run by postgres.e2e.test.ts, several at once: appends entries as an engine of its own. */
const [url = '', who = '', count = '0'] = process.argv.slice(2);

const store = await openStore({ url });
for (let n = 0; n < Number(count); n += 1)
  await store.audit.append({ who, what: `${n}`, repository: 'acme/together', detail: { n } });
await store.close();
