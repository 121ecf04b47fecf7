import { bundle } from '../../scripts/bundle.ts';
import { percentile, rounded } from '../measure.ts';
import type { Result } from '../report.ts';
import { memoryOfMany, PULLS_OPEN } from './memory.ts';
import { timesToStatus } from './times.ts';

const VALIDATE_BAR_S = 1;
const PLAN_BAR_S = 3;
const RSS_BAR_MB = 400;

export async function status(): Promise<Result> {
  await bundle();
  const times = await timesToStatus();
  const memory = await memoryOfMany();
  const json = {
    validate_p50_s: rounded(percentile(times.validate, 0.5)),
    plan_p50_s: rounded(percentile(times.plan, 0.5)),
    validate_max_s: rounded(Math.max(...times.validate)),
    plan_max_s: rounded(Math.max(...times.plan)),
    rss_mb: rounded(memory.engine.rss),
    rss_peak_mb: rounded(memory.engine.peak),
    temporal_rss_mb: rounded(memory.temporal.rss),
  };
  return {
    json,
    rows: [
      {
        what: 'pull request delivered to validated, median',
        value: json.validate_p50_s,
        unit: 's',
        bar: `<= ${VALIDATE_BAR_S}`,
      },
      { what: '  slowest', value: json.validate_max_s, unit: 's' },
      {
        what: 'pull request delivered to planned, 10 hosts, median',
        value: json.plan_p50_s,
        unit: 's',
        bar: `<= ${PLAN_BAR_S}`,
      },
      { what: '  slowest', value: json.plan_max_s, unit: 's' },
      {
        what: `engine with ${PULLS_OPEN} open pull requests`,
        value: json.rss_mb,
        unit: 'MB',
        bar: `<= ${RSS_BAR_MB}`,
      },
      { what: '  at its peak', value: json.rss_peak_mb, unit: 'MB' },
      { what: '  its Temporal dev server, beside it', value: json.temporal_rss_mb, unit: 'MB' },
    ],
  };
}
