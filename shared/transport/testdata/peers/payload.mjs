// The payloads of the vectors: bytes that anyone can make again.
import { createHash } from 'node:crypto';

// payload is SHA-256 of "coldkms 0", "coldkms 1" and so on, cut to n bytes.
export function payload(n) {
  const blocks = [];
  for (let i = 0; i * 32 < n; i++) blocks.push(createHash('sha256').update(`coldkms ${i}`).digest());
  return Buffer.concat(blocks).subarray(0, n);
}

// text compresses, as a PSBT with many outputs does.
export function text(n) {
  return Buffer.from('one output is much like another; '.repeat(Math.ceil(n / 33))).subarray(0, n);
}
