// Package wallet is the signer's encrypted wallet file: its identity, the
// relays it is paired with, the policy, the operators, and the keys by
// signature id.
//
// The file is a header of fixed size and a body. The header is authenticated
// together with the body, and by itself, so that a wrong password and a damaged
// file are told apart. All integers are big-endian.
//
//	0    8  magic "CKMSWAL" 00
//	8    1  version, 1
//	9    1  key derivation, 1: Argon2id (RFC 9106, version 13 hex)
//	10   1  lanes of Argon2id
//	11   1  zero
//	12   4  memory of Argon2id in KiB
//	16   4  passes of Argon2id
//	20   4  length of the body
//	24  32  salt
//	56  24  nonce
//	80  32  HMAC-SHA-256 of bytes 0 … 79
//	112  8  first bytes of SHA-256 of bytes 0 … 111: finds rot before the costly part
//	120     body: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), the header as additional data
//
// Argon2id over the password (NFC) gives 32 bytes, from which HKDF-SHA-256
// expands one key for the HMAC and one for the body. Salt and nonce are fresh
// for every write. The body is deterministic CBOR (RFC 8949, 4.2.1); a body
// that is not in its one encoding is refused.
//
// Beside PATH lies PATH.prev, the generation before. It opens with the
// password of its time and still has what was removed since. Changing the
// password deletes it, so that the old password opens nothing here; copies
// made elsewhere, and blocks that a drive has not reused, are out of reach.
//
// Two processes must not work on one wallet: callers hold a lock. As a second
// line, Save refuses when the file is not the one that was read or written.
package wallet
