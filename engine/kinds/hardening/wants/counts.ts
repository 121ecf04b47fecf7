import type { LinesWish } from '../control.ts';
import { OWN_FILES } from '../ownFiles.ts';
import { attention, type Verdict, type View } from '../view.ts';

/** What lines set, by the name that the survey has for it: an option of apt, or `[Section]Key` of systemd. */
export function settingsOf(lines: readonly string[]): readonly (readonly [name: string, value: string])[] {
  const section = lines.find((line) => line.startsWith('[')) ?? '';
  return lines.flatMap((line) => {
    const [, name = '', value = ''] = /^([A-Za-z:]+)(?:=| ")([^";]*)/.exec(line) ?? [];
    return name === '' ? [] : [[`${section}${name}`, value] as const];
  });
}

/** Our file is as wanted, and others still win over it. */
export function outranked({ file, lines }: LinesWish, { survey }: View): Verdict | undefined {
  const { shownBy } = OWN_FILES[file];
  if (shownBy === undefined) return undefined;
  for (const [name, value] of settingsOf(lines)) {
    const said = survey.counts?.[name];
    if (said === undefined) return attention(`nothing tells what counts for ${name}: look at ${shownBy}`);
    if (plain(said) !== plain(value))
      return attention(
        `another file, which is read later, sets ${name} to "${said}": look at ${shownBy}, and take that line out`,
      );
  }
  return undefined;
}

/** What is loaded before our file is there stays, and nothing here takes it out: it may be in use. */
export function stillLoaded({ module }: LinesWish, { survey }: View): Verdict | undefined {
  if (module === undefined || survey.modules?.includes(module) !== true) return undefined;
  return attention(
    `${module} is loaded until the next reboot: reboot this host, or run modprobe -r ${module} where nothing needs it`,
  );
}

/** Words for the same; "Boolean arguments" of systemd.syntax(7). */
function plain(value: string): string {
  if (/^(?:0|n|no|f|false|off)$/i.test(value)) return 'no';
  return /^(?:1|y|yes|t|true|on)$/i.test(value) ? 'yes' : value;
}
