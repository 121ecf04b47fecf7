/** Characters of so many bytes in base64 (RFC 4648, section 4): a host that lies is not held to the bounds of its own shell. */
export function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}
