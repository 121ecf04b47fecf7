import { type Sh, sh } from '../shell/sh.ts';
import { encodeKey, type Fact, type FactQuery } from './fact.ts';

export interface SshdQuery extends FactQuery {
  readonly fact: 'sshd';
  readonly key: 'all';
}

/** What sshd would do if it were started now. Informational: what changes it are files, which are items of their own. */
export type SshdState =
  | { readonly present: false }
  /** It refuses its own configuration; its words. */
  | { readonly present: true; readonly problem: string }
  | {
      readonly present: true;
      /** Global values by lower-case keyword, as `sshd -T` prints them. */
      readonly settings: Readonly<Record<string, string>>;
      /** Where it listens, in order; each once. */
      readonly ports: readonly number[];
      /** `sshd_config` reads /etc/ssh/sshd_config.d first. */
      readonly includes: boolean;
      /** Keywords in lower case that a Match block sets, with the block's file. */
      readonly matches: readonly { readonly keyword: string; readonly file: string }[];
      /** What files set for all, in the order in which sshd reads them: of a keyword the first counts. Left out: nothing. */
      readonly lines?: readonly SshdLine[];
      /** Program of the SFTP subsystem that is not there. */
      readonly sftpMissing?: string;
    };

export interface SshdLine {
  readonly file: string;
  /** In lower case. */
  readonly keyword: string;
  /** As it stands there. */
  readonly value: string;
}

/** One sshd and one awk. */
const READ: Sh = {
  kind: 'sh',
  text: `doaas_sshd=$(command -v sshd || echo /usr/sbin/sshd)
if [ ! -x "$doaas_sshd" ]; then echo '~ absent'
elif ! doaas_out=$("$doaas_sshd" -T 2>&1); then printf '~ problem %s\\n' "$(printf %s "$doaas_out" | head -c 1000 | base64 -w0)"
else
  printf '%s\\n' "$doaas_out" | sed 's/^/~ set /'
  doaas_sftp=$(printf '%s\\n' "$doaas_out" | sed -n 's/^subsystem sftp \\([^ ]*\\).*/\\1/p')
  case $doaas_sftp in /*) [ -x "$doaas_sftp" ] || echo "~ sftp-missing $doaas_sftp" ;; esac
  awk '
  FNR == 1 { block = 0 }
  { sub(/^[ \\t]+/, ""); key = tolower($1) }
  key == "match" { block = !(tolower($2) == "all"); next }
  key == "include" && FILENAME == "/etc/ssh/sshd_config" && !block && /\\/?sshd_config\\.d\\/\\*\\.conf/ && !seen { print "~ includes" }
  FILENAME == "/etc/ssh/sshd_config" && key ~ /^[a-z]/ && key != "include" { seen = 1 }
  !block && key ~ /^[a-z]/ && key != "include" {
    value = $0; sub(/^[A-Za-z0-9]+[ \\t]*=?[ \\t]*/, "", value); sub(/[ \\t]+(#.*)?$/, "", value)
    sub(/[^a-z0-9].*/, "", key); print "~ line " key " " FILENAME " " value }
  block && key ~ /^[a-z]/ { print "~ match " key " " FILENAME }' /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf 2>/dev/null || :
fi`,
};

export const sshdFact: Fact<SshdQuery, SshdState> = {
  fact: 'sshd',
  read: (queries) => ({
    kind: 'sh',
    text: queries.map((q) => sh`echo ${`= ${encodeKey(q.key)}`}; ${READ}`.text).join('\n'),
  }),
  parse: parseSshd,
};

function parseSshd(output: readonly string[]): SshdState {
  const words = (name: string) =>
    output.filter((line) => line.startsWith(`~ ${name} `)).map((line) => line.slice(name.length + 3));
  if (output.includes('~ absent')) return { present: false };
  const [problem] = words('problem');
  if (problem !== undefined)
    return { present: true, problem: Buffer.from(problem, 'base64').toString('utf8') };
  const [sftpMissing] = words('sftp-missing');
  return {
    present: true,
    settings: Object.fromEntries(words('set').map(halves)),
    ports: portsOf(words('set').map(halves)),
    includes: output.includes('~ includes'),
    matches: words('match')
      .map(halves)
      .map(([keyword, file]) => ({ keyword, file })),
    lines: linesOf(words('line')),
    ...(sftpMissing === undefined ? {} : { sftpMissing }),
  };
}

/** sshd_config, which the host reads first here, includes the others at its very beginning. */
function linesOf(words: readonly string[]): readonly SshdLine[] {
  const lines = words.map((line) => {
    const [keyword, rest] = halves(line);
    const [file, value] = halves(rest);
    return { file, keyword, value };
  });
  const isMain = ({ file }: SshdLine) => file === '/etc/ssh/sshd_config';
  return [...lines.filter((line) => !isMain(line)), ...lines.filter(isMain)];
}

/** `listenaddress [::]:22`, also with `rdomain NAME`: a keyword for each address and port, whatever "Port" says (sshd_config(5)). */
function portsOf(settings: readonly (readonly [string, string])[]): readonly number[] {
  const listening = settings.flatMap(([keyword, value]) => {
    const [, port] = /:([0-9]{1,5})(?: |$)/.exec(keyword === 'listenaddress' ? value : '') ?? [];
    return port === undefined ? [] : [Number(port)];
  });
  return [...new Set(listening)].sort((a, b) => a - b);
}

function halves(text: string): readonly [string, string] {
  const at = text.indexOf(' ');
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
