// Writes the parts that the peers make of known payloads, a JSON line each:
//   {"peer","form","type","payload":[name, bytes],"parts":[…]}
// Run: npm ci && node make.mjs > ../peers.jsonl
import bcur from '@ngraveio/bc-ur';
import registry from '@keystonehq/bc-ur-registry';
import { splitQRs } from 'bbqr';
import { payload, text } from './payload.mjs';

const out = (o) => console.log(JSON.stringify(o));

for (const [n, fragment, rounds] of [[9, 200, 1], [150, 200, 1], [600, 100, 1], [3000, 150, 1], [3000, 150, 3], [20000, 300, 4]]) {
  const ur = bcur.UR.fromBuffer(payload(n));
  const e = new bcur.UREncoder(ur, fragment);
  let parts = [];
  for (let i = 0; i < e.fragmentsLength * rounds; i++) parts.push(e.nextPart());
  // of several rounds only what comes after the first: mixtures alone
  if (rounds > 1) parts = parts.slice(e.fragmentsLength);
  out({ peer: '@ngraveio/bc-ur 1.1.13', form: rounds > 1 ? 'fountain' : parts.length > 1 ? 'multi' : 'single', type: 'bytes', payload: ['payload', n], parts });
}
for (const [n, fragment] of [[150, 400], [3000, 200]]) {
  const e = new registry.CryptoPSBT(payload(n)).toUREncoder(fragment);
  const parts = [];
  for (let i = 0; i < e.fragmentsLength; i++) parts.push(e.nextPart());
  out({ peer: '@keystonehq/bc-ur-registry 0.8.0', form: parts.length > 1 ? 'multi' : 'single', type: 'psbt', payload: ['payload', n], parts });
}
for (const [n, encoding, version] of [[9, '2', 27], [500, 'H', 27], [3000, '2', 10], [3000, 'Z', 10], [20000, 'Z', 15]]) {
  for (const fill of ['payload', 'text']) {
    const data = fill === 'text' ? text(n) : payload(n);
    const { parts } = splitQRs(data, n === 3000 ? 'P' : 'B', { encoding, minVersion: version, maxVersion: version });
    out({ peer: 'bbqr 1.2.0', form: parts[0][2], type: n === 3000 ? 'psbt' : 'bytes', payload: [fill, n], parts });
  }
}
