// Writes what the peer draws for parts of a fountain, as JSON: the generator
// from the seed "Wolf" that the published tests use, the parts of its message of
// 256 bytes, and which fragments parts are mixed of, from 2 to 8,192 fragments.
// Run: npm ci && node fountain.mjs > ../fountain.json
import bcur from '@ngraveio/bc-ur';
import fountain from '@ngraveio/bc-ur/dist/fountainUtils.js';
import xoshiro from '@ngraveio/bc-ur/dist/xoshiro.js';
import { createHash } from 'node:crypto';

const Xoshiro = xoshiro.default;
const numbers = (seed, n) => { const x = new Xoshiro(Buffer.from(seed)); return Array.from({ length: n }, () => x.next().mod(100).toNumber()); };
const message = (n) => Buffer.from(new Xoshiro(Buffer.from('Wolf')).nextData(n));

const parts = (n, fragment, count) => {
  const e = new bcur.UREncoder(bcur.UR.fromBuffer(message(n)), fragment);
  return Array.from({ length: count }, () => e.nextPart());
};
const mixes = [];
for (const [fragments, count] of [[2, 20], [3, 20], [11, 40], [50, 40], [300, 20], [1000, 20], [8192, 3]]) {
  for (const checksum of [0x12345678, 0xffffffff]) {
    for (let i = 1; i <= count; i++) {
      const seq = fragments + i * i;
      const of = fountain.chooseFragments(seq, fragments, checksum);
      mixes.push({ fragments, checksum, seq, degree: of.length, sha256: createHash('sha256').update(of.join(' ')).digest('hex') });
    }
  }
}
console.log(JSON.stringify({ peer: '@ngraveio/bc-ur 1.1.13', wolf: numbers('Wolf', 100), message: message(256).toString('hex'), single: parts(50, 1000, 1), multi: parts(256, 30, 20), mixes }, null, 0));
