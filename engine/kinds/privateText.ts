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
  // scheme://user:password@host
  /:\/\/[^\s/:@"']{0,256}:[^\s/@"']{1,1024}@/,
  // without a sign between, as redis and .netrc have it; what PAM says behind "password" is none
  /\b(password|passphrase|requirepass|masterauth)[ \t]+(?!requisite|required|sufficient|optional|include|substack|\[)["']?[^\s"'#]{4}/i,
  /(_auth|auth[_-]?token)["']?[ \t]*[:=][ \t]*["']?[^\s"'#]{4}/i,
  /authorization["']?[ \t]{0,8}[:=]?[ \t]{0,8}["']?(basic|bearer|token)[ \t]+[^\s"']{4}/i,
  /\bbearer[ \t]+[A-Za-z0-9._~+/-]{16}/i,
];

export function looksPrivate(text: string): boolean {
  return PRIVATE.some((pattern) => pattern.test(text));
}
