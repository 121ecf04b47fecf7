import { startEngine } from './compose.ts';
import { ConfigError, loadConfig } from './config/config.ts';
import { createLogger } from './log.ts';

/** `npm start`: the engine, with settings from the environment, until SIGINT or SIGTERM. */
async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const log = createLogger(config.logLevel);
  const engine = await startEngine(config, log);
  log.info({ url: engine.url, temporal: engine.worker?.temporalAddress }, 'the engine is up');
  const signal = new Promise<string>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  try {
    log.info({ signal: await Promise.race([signal, engine.failed]) }, 'stopping');
  } catch (error) {
    console.error(`The engine cannot go on: ${messageOf(error)}\n${START_AGAIN}`);
    await engine.stop(STOP_MAX_MS);
    process.exit(1);
  }
  await engine.stop(STOP_MAX_MS);
}

/** Below the 15 s that docs/upgrading.md promises. Whoever stops the engine waits for it, also where a part has died or a server does not answer. */
const STOP_MAX_MS = 14_000;

const START_AGAIN =
  'Start it again (a supervisor such as systemd does so by itself): every run carries on from where it was.';

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(
      error instanceof ConfigError ? error.message : `The engine cannot go on: ${messageOf(error)}`,
    );
    process.exit(1);
  },
);

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
