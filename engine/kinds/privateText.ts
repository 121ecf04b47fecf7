/**
 * What a repository must not get to hold, since a commit is for ever: keys, tokens, hashes of passwords. Wrong guesses
 * only mean that a person has to write the change by hand.
 */
const PRIVATE: readonly RegExp[] = [
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----/i,
  /PuTTY-User-Key-File-/i,
  /AGE-SECRET-KEY-/i,
  /\b(gh[pousr]_[A-Za-z0-9]{20}|github_pat_|xox[abeprs]-|hvs\.[A-Za-z0-9_-]{20}|A[KS]IA[0-9A-Z]{16})/,
  /\beyJ[A-Za-z0-9_-]{10,512}\.[A-Za-z0-9_-]{10,}\./,
  // crypt(5): "$" before an id, and a salt
  /\$(1|2[abxy]?|5|6|7|y|gy|sha1|argon2(id?|d))\$[./A-Za-z0-9$=,]{8}/,
  /(?:\b|_)(pass(word|wd|phrase)?|secret|token|credentials?|(api|access|private|secret)[_-]?key)["']?[ \t]*[:=][ \t]*["']?[^\s"'#]{4}/i,
];

export function looksPrivate(text: string): boolean {
  return PRIVATE.some((pattern) => pattern.test(text));
}
