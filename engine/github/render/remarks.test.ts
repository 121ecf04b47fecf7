import { expect, test } from 'vitest';
import { remarksList } from './remarks.ts';
import { render, renderComment } from './render.ts';
import { DECLARED, NAME } from './testing.ts';
import type { ApplyView } from './views.ts';

const applied = (remarks: Readonly<Record<string, readonly string[]>>, left: ApplyView['left'] = []) =>
  ({
    kind: 'apply',
    state: 'applied',
    name: NAME,
    seconds: 14,
    hosts: Object.keys(remarks).map((host) => ({
      host,
      steps: [{ summary: '1 update: openssl 3.0.15 -> 3.0.17', state: 'done' }],
    })),
    remarks: Object.entries(remarks).flatMap(([host, of]) => of.map((message) => ({ host, message }))),
    left,
  }) as const satisfies ApplyView;

test('the report of a run names what was restarted, and servers of which the same is true together', () => {
  const same = ['restarted nginx.service, ssh.service', 'rebooted, for linux-image-6.1.0-10-amd64'];
  const comment = renderComment(applied({ 'web-1': same, 'web-2': same, 'web-3': same.slice(0, 1) }));
  expect(comment).toContain(
    [
      '**What was done beside**',
      '',
      '- `web-1, web-2 and web-3`: restarted nginx.service, ssh.service',
      '- `web-1 and web-2`: rebooted, for linux-image-6.1.0-10-amd64',
      '',
    ].join('\n'),
  );
});

test('a run that leaves something says so in its title', () => {
  const message = 'a reboot waits, for linux-image-6.1.0-10-amd64; reboot the server, or declare "reboot"';
  const { title, body } = render(applied({ 'web-1': [] }, [{ host: 'web-1', message }]));
  expect(title).toBe('Applied 1 change on 1 server in 14 s; what is left is said below');
  expect(body).toContain(`**What is left**\n\n- \`web-1\`: ${message}`);
  expect(render(applied({ 'web-1': [] })).body).not.toContain('**What');
});

test('a run by the clock says the same in its issue', () => {
  const told = [{ host: 'web-1', message: 'restarted nginx.service' }];
  const left = [
    { host: 'web-1', message: 'a reboot waits, for dbus; only the run of a pull request makes it' },
  ];
  const view = { ...DECLARED, remarks: told, left };
  expect(render(view).title).toBe(`${render(DECLARED).title}; what is left is said below`);
  const comment = renderComment(view);
  expect(comment).toContain(
    '**What was done beside**\n\n- `web-1`: restarted nginx.service\n\n**What is left**',
  );
  expect(comment).toContain('- `web-1`: a reboot waits, for dbus; only the run of a pull request makes it');
});

test('words of a server are tame, and no more than are read', () => {
  const names = Array.from({ length: 60 }, (_, i) => `dev-\\x2d${i}@a:b.service`).join(', ');
  const whole = remarksList('Told', [{ host: 'web-1', message: `restarted ${names}` }]);
  expect(whole).toContain('dev-\\\\x2d59@&#8203;a:b.service');
  const hostile = 'restarted <img src=x> | `@all` [a](http://b)\n**x** #12';
  expect(
    remarksList('Told', [{ host: 'web-1', message: hostile }])
      .split('\n')
      .at(-1),
  ).toBe(
    '- `web-1`: restarted &lt;img src=x&gt; \\| \\`@&#8203;all\\` \\[a\\](http:&#8203;//b) \\*\\*x\\*\\* #&#8203;12',
  );
  const many = Array.from({ length: 100 }, (_, i) => ({ host: `web-${i}`, message: `restarted ${i}` }));
  expect(remarksList('Told', many).split('\n')).toHaveLength(23);
  expect(remarksList('Told', many)).toContain('- 80 more sentences not shown');
});
