import { startEngine } from './compose.ts';
import { ConfigError, loadConfig } from './config/config.ts';
import { createLogger } from './log.ts';

/** `npm start`: the engine, with settings from the environment, until SIGINT or SIGTERM. */
async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const log = createLogger(config.logLevel);
  const engine = await startEngine(config, log);
  log.info({ url: engine.url, temporal: engine.temporalAddress }, 'the engine is up');
  const signal = new Promise<string>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  try {
    log.info({ signal: await Promise.race([signal, engine.failed]) }, 'stopping');
  } finally {
    await engine.stop();
  }
}

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
