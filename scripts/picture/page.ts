import { escaped, toHtml } from './markdown.ts';

/** A check as the box of a pull request lists it. */
export interface ShownCheck {
  readonly name: string;
  readonly good: boolean;
  readonly title: string;
}

/** One pull request at one moment, from top to bottom: comments and events, checks, and how it ended. */
export interface Scene {
  readonly caption: string;
  readonly title: string;
  readonly number: number;
  readonly author: string;
  readonly branch: string;
  /** Further down on the page of the scene before. */
  readonly continued?: boolean;
  readonly timeline: readonly (ShownComment | ShownEvent)[];
  readonly checks: readonly ShownCheck[];
  readonly end?: ShownEvent;
}

export interface ShownComment {
  readonly kind: 'comment';
  readonly by: string;
  readonly markdown: string;
}

export interface ShownEvent {
  readonly kind: 'approved' | 'merged';
  readonly by: string;
}

/** CSS pixels; GitHub shows a README's pictures in about as much. */
export const WIDTH = 900;

export function pageHtml(scenes: readonly Scene[]): string {
  return `<!doctype html><html><head><meta charset="utf-8"><style>${STYLE}</style></head>
<body>${scenes.map(sceneHtml).join('\n')}
<script>document.documentElement.dataset.height = Math.ceil(document.body.getBoundingClientRect().height)</script>
</body></html>`;
}

function sceneHtml(scene: Scene): string {
  const { caption, timeline, checks, end, continued = false } = scene;
  const entries = timeline.map((entry) => (entry.kind === 'comment' ? commentHtml(entry) : eventHtml(entry)));
  return `<section class="${continued ? 'continued' : ''}">
<div class="caption">${escaped(caption)}</div>
${continued ? '' : headHtml(scene)}
${entries.join('\n')}
${checksHtml(checks)}
${end === undefined ? '' : eventHtml(end)}
</section>`;
}

function headHtml({ title, number, author, branch }: Scene): string {
  return `<h1>${escaped(title)} <span>#${number}</span></h1>
<div class="meta"><b class="state">Open</b> <strong>${escaped(author)}</strong> wants to merge 1 commit into <code class="ref">main</code> from <code class="ref">${escaped(branch)}</code></div>`;
}

const ENGINE = 'doaas';

function nameHtml(login: string): string {
  return `<strong>${escaped(login)}</strong>${login === ENGINE ? '<i class="bot">bot</i>' : ''}`;
}

function avatarHtml(login: string): string {
  const initial = login.charAt(0);
  return login === ENGINE
    ? '<b class="avatar engine">⚙</b>'
    : `<b class="avatar ${initial}">${initial.toUpperCase()}</b>`;
}

function commentHtml({ by, markdown }: ShownComment): string {
  return `<div class="entry">${avatarHtml(by)}<article><header>${nameHtml(by)} commented</header>
<div class="body">${toHtml(markdown, true)}</div></article></div>`;
}

const EVENTS: Readonly<Record<ShownEvent['kind'], string>> = {
  approved: 'approved these changes',
  merged: 'merged this pull request into <code class="ref">main</code>',
};

function eventHtml({ kind, by }: ShownEvent): string {
  return `<div class="event"><b class="dot ${kind}">✓</b>${avatarHtml(by)}<span>${nameHtml(by)} ${EVENTS[kind]}</span></div>`;
}

function checksHtml(checks: readonly ShownCheck[]): string {
  if (checks.length === 0) return '';
  const bad = checks.filter(({ good }) => !good).length;
  const head = bad === 0 ? 'All checks have passed' : 'Some checks were not successful';
  const good = checks.length - bad;
  const counts = [
    ...(bad === 0 ? [] : [`${bad} failing`]),
    ...(good === 0 ? [] : [`${good} successful`]),
  ].join(', ');
  const rows = checks.map(
    (check) =>
      `<li><b class="mark ${check.good ? 'good' : 'bad'}">${check.good ? '✓' : '✕'}</b><strong>${escaped(check.name)}</strong><span>${escaped(check.title)}</span></li>`,
  );
  return `<div class="checks"><div class="head"><b class="dot ${bad === 0 ? 'good' : 'bad'}">${bad === 0 ? '✓' : '✕'}</b><div><strong>${head}</strong><br><small>${counts} ${checks.length === 1 ? 'check' : 'checks'}</small></div></div><ul>${rows.join('')}</ul></div>`;
}

/** Colours and sizes of GitHub's light theme. */
const STYLE = `
* { box-sizing: border-box; }
body { margin: 0; padding: 24px; width: ${WIDTH}px; background: #fff; color: #1f2328; font: 14px/1.5 Inter, 'Liberation Sans', sans-serif; }
section + section { margin-top: 32px; padding-top: 24px; border-top: 1px solid #d1d9e0; }
section.continued { margin-top: 20px; padding-top: 16px; border-top: 1px dashed #d1d9e0; }
.checks + .event { margin: 14px 0 0 60px; }
.caption { color: #59636e; font-size: 13px; font-style: italic; margin-bottom: 10px; }
h1 { font-size: 24px; font-weight: 500; line-height: 1.25; margin: 0 0 8px; }
h1 span { color: #59636e; font-weight: 300; }
.meta { color: #59636e; margin-bottom: 20px; }
.meta strong { color: #59636e; }
.state { display: inline-block; color: #fff; background: #1f883d; border-radius: 999px; padding: 3px 12px; font-weight: 500; margin-right: 8px; }

code { font: 12px 'JetBrains Mono', 'DejaVu Sans Mono', monospace; background: #818b981f; border-radius: 6px; padding: 2px 5px; }
code.ref { background: #ddf4ff; color: #0969da; }
.bot { font-style: normal; font-size: 11px; font-weight: 500; color: #59636e; border: 1px solid #d1d9e0; border-radius: 999px; padding: 0 6px; margin-left: 5px; }
.entry { display: flex; gap: 14px; margin-bottom: 16px; }
.avatar { flex: none; display: inline-flex; width: 36px; height: 36px; border-radius: 50%; align-items: center; justify-content: center; color: #fff; font-weight: 600; background: #bf8700; }
.avatar.r { background: #0969da; } .avatar.engine { background: #1f2328; border-radius: 8px; font-size: 18px; }
.event .avatar { width: 20px; height: 20px; font-size: 11px; margin: 0 5px 0 10px; }
article { flex: 1; min-width: 0; border: 1px solid #d1d9e0; border-radius: 6px; }
article header { background: #f6f8fa; border-bottom: 1px solid #d1d9e0; border-radius: 6px 6px 0 0; padding: 8px 16px; color: #59636e; }
article header strong { color: #1f2328; }
.body { padding: 4px 16px 8px; }
.body p, .body ul, .body table, .body pre, .body details { margin: 8px 0; }
h3 { font-size: 17px; font-weight: 600; margin: 12px 0 10px; }
table { border-collapse: collapse; } th, td { border: 1px solid #d1d9e0; padding: 4px 13px; text-align: left; } th { font-weight: 600; }
tr:nth-child(odd) td { background: #f6f8fa; }
pre { background: #f6f8fa; border-radius: 6px; padding: 12px 16px; font: 12px/1.5 'JetBrains Mono', 'DejaVu Sans Mono', monospace; white-space: pre-wrap; font-variant-ligatures: none; }
pre .new { color: #116329; background: #dafbe1; } pre .old { color: #82071e; background: #ffebe9; } pre .hunk { color: #8250df; font-weight: 600; }
summary { font-weight: 500; }
a { color: #0969da; }
.event { display: flex; align-items: center; margin: 0 0 16px 60px; color: #59636e; } .event strong { color: #1f2328; }
.dot { flex: none; display: inline-flex; width: 28px; height: 28px; border-radius: 50%; align-items: center; justify-content: center; color: #fff; font-size: 14px; }
.dot.good, .dot.approved { background: #1f883d; } .dot.merged { background: #8250df; } .dot.bad { background: #cf222e; }
.checks { margin-left: 50px; border: 1px solid #d1d9e0; border-radius: 6px; }
.head { display: flex; gap: 12px; align-items: center; padding: 12px 16px; border-bottom: 1px solid #d1d9e0; line-height: 1.35; } .head strong { font-size: 15px; } .head small { color: #59636e; font-size: 12px; }
.checks ul { list-style: none; margin: 0; padding: 0; } .checks li { display: flex; gap: 8px; padding: 8px 16px 8px 22px; font-size: 13px; } .checks li + li { border-top: 1px solid #d1d9e0b3; }
.checks li strong { flex: none; font-weight: 600; } .checks li span { color: #59636e; }
.mark { width: 16px; flex: none; } .mark.good { color: #1a7f37; } .mark.bad { color: #d1242f; }
`;
