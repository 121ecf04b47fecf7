import * as parse from './parsers.ts';
import { withDefault } from './setting.ts';

/** Of the security report. */
export const security = {
  cveUrl: withDefault(parse.urlOrOff, {
    name: 'DOAAS_CVE_URL',
    group: 'engine',
    fallback: 'https://security-tracker.debian.org/tracker/data/json',
    description:
      "Debian's security tracker as JSON, or a mirror of it, for the vulnerabilities (CVE) in the security report; asked at most every 6 hours, with its tag. `off`: nobody is asked.",
  }),
} as const;
