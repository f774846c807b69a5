// Reads our parts with the peers: JSON lines of the form that make.mjs writes,
// on stdin. Run from the project's root:
//   go test ./shared/transport -run TestPartsForPeers -parts /tmp/ours.jsonl
//   (cd shared/transport/testdata/peers && npm ci && node check.mjs < /tmp/ours.jsonl)
import bcur from '@ngraveio/bc-ur';
import registry from '@keystonehq/bc-ur-registry';
import { joinQRs } from 'bbqr';
import { createInterface } from 'node:readline';
import { payload, text } from './payload.mjs';

let good = 0, bad = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { lane, type, payload: [fill, n], parts } = JSON.parse(line);
  const want = fill === 'text' ? text(n) : payload(n);
  let got, by;
  try {
    if (lane === 'bbqr') {
      by = 'bbqr';
      got = Buffer.from(joinQRs(parts).raw);
    } else {
      const d = type === 'psbt' ? new registry.URRegistryDecoder() : new bcur.URDecoder();
      by = type === 'psbt' ? '@keystonehq/bc-ur-registry' : '@ngraveio/bc-ur';
      for (const p of parts) if (!d.isComplete()) d.receivePart(p);
      if (type === 'psbt') {
        // ur:psbt is newer than the registry, whose class reads the same CBOR
        got = Buffer.from(registry.CryptoPSBT.fromCBOR(d.resultUR().cbor).getPSBT());
      } else {
        got = d.resultUR().decodeCBOR();
      }
    }
  } catch (e) {
    got = Buffer.from(String(e));
  }
  const ok = Buffer.compare(got, want) === 0;
  ok ? good++ : bad++;
  console.log(`${ok ? 'ok  ' : 'FAIL'}  ${by}: ${lane} ${type}, ${n} bytes of ${fill} in ${parts.length} parts${ok ? '' : ': ' + got.toString().slice(0, 100)}`);
}
console.log(`${good} read, ${bad} not`);
process.exit(bad ? 1 : 0);
