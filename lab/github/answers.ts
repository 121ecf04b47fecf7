import type { ApiAnswer } from './context.ts';

export function answer(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): ApiAnswer {
  const content = body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body));
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: content,
  };
}

/** An error in GitHub's form. */
export function problem(status: number, message: string, errors?: readonly unknown[]): ApiAnswer {
  return answer(status, {
    message,
    ...(errors && { errors }),
    documentation_url: 'https://docs.github.com/rest',
  });
}

export function ok(found: ApiAnswer): boolean {
  return found.status >= 200 && found.status < 300;
}
