// Package hd makes keys as Tatum KMS makes them: words (BIP 39), a seed, the
// extended key at m/44'/coin'/0'/0 (BIP 32, BIP 44), its children by index,
// and single keys in wallet import format.
//
// Secrets are []byte and never strings, so that they can be wiped. That is a
// best effort: Go's collector may have copied them, and the libraries below
// keep copies of their own for a moment.
package hd
