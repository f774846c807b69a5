// Package utxo is the family of Bitcoin and its relatives: it decodes a
// transaction, proves what each input is worth from the previous transactions,
// explains every output, puts signatures in place and runs the scripts of the
// finished transaction. It holds no keys.
//
// Both halves use it on their own copy of the data, so that what the relay
// broadcasts has been judged by the same code as what the signer signed.
package utxo

import "coldkms/shared/chain"

// Name is the family's name in the bundle format.
const Name = "utxo"

// Params are the constants of one coin on one network.
type Params struct {
	chain.Coin

	PubKeyHashID  byte   // base58check version of P2PKH
	ScriptHashIDs []byte // base58check versions of P2SH; the first one is written, all are read
	HRP           string // bech32 prefix (BIP 173); "" where the coin has no segwit
	CashAddr      string // cashaddr prefix; "" where the coin has none
	WIF           byte   // version of a private key in wallet import format
	HDPublic      uint32 // magic of an extended public key as Tatum writes it (BIP 32)
	CoinType      uint32 // of the path m/44'/CoinType'/0'/0 (BIP 44, as Tatum uses it)

	MaxValue   int64 // smallest units; no output and, where supply is capped, no sum may exceed it
	Segwit     bool
	Taproot    bool
	ForkID     bool  // Bitcoin Cash's signature rules
	HasSupply  bool  // MaxValue is the supply, not only a limit per output
	DustFlat   int64 // a flat dust limit in smallest units; 0: by DustRate
	DustRate   int64 // fee rate of Bitcoin Core's dust formula, smallest units per vB
	MinFeeRate int64 // what nodes relay at least, smallest units per vB
	MaxFeeRate int64 // default cap, smallest units per vB
	MaxFee     int64 // default cap of one transaction's fee, smallest units
	Decimals   int   // digits after the point of a coin amount
}

const (
	xpubMagic = 0x0488b21e
	tpubMagic = 0x043587cf
)

// params of every coin of the family. Sources: each coin's chainparams.cpp;
// dust and least fee from policy.h, validation.h (Dogecoin Core: a tenth of the
// recommended fee) and, for Bitcoin Cash Node, policy.h; paths and extended key
// magics as Tatum's library writes them.
var params = [...]Params{
	{Coin: chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}, PubKeyHashID: 0x00, ScriptHashIDs: []byte{0x05}, HRP: "bc", WIF: 0x80, HDPublic: xpubMagic, CoinType: 0,
		MaxValue: 21e14, HasSupply: true, Segwit: true, Taproot: true,
		DustRate: 3, MinFeeRate: 1, MaxFeeRate: 1000, MaxFee: 1_000_000, Decimals: 8},
	{Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, PubKeyHashID: 0x6f, ScriptHashIDs: []byte{0xc4}, HRP: "tb", WIF: 0xef, HDPublic: tpubMagic, CoinType: 1,
		MaxValue: 21e14, HasSupply: true, Segwit: true, Taproot: true,
		DustRate: 3, MinFeeRate: 1, MaxFeeRate: 1000, MaxFee: 1_000_000, Decimals: 8},
	{Coin: chain.Coin{Chain: chain.LTC, Network: chain.Mainnet}, PubKeyHashID: 0x30, ScriptHashIDs: []byte{0x32, 0x05}, HRP: "ltc", WIF: 0xb0, HDPublic: 0x019da462, CoinType: 2,
		MaxValue: 84e14, HasSupply: true, Segwit: true, Taproot: true,
		DustRate: 30, MinFeeRate: 1, MaxFeeRate: 1000, MaxFee: 100_000_000, Decimals: 8},
	{Coin: chain.Coin{Chain: chain.LTC, Network: chain.Testnet}, PubKeyHashID: 0x6f, ScriptHashIDs: []byte{0x3a, 0xc4}, HRP: "tltc", WIF: 0xef, HDPublic: 0x0436f6e1, CoinType: 1,
		MaxValue: 84e14, HasSupply: true, Segwit: true, Taproot: true,
		DustRate: 30, MinFeeRate: 1, MaxFeeRate: 1000, MaxFee: 100_000_000, Decimals: 8},
	{Coin: chain.Coin{Chain: chain.DOGE, Network: chain.Mainnet}, PubKeyHashID: 0x1e, ScriptHashIDs: []byte{0x16}, WIF: 0x9e, HDPublic: xpubMagic, CoinType: 3,
		MaxValue: 1e18,
		DustFlat: 1_000_000, MinFeeRate: 100, MaxFeeRate: 2_000_000, MaxFee: 10_000_000_000, Decimals: 8},
	{Coin: chain.Coin{Chain: chain.DOGE, Network: chain.Testnet}, PubKeyHashID: 0x71, ScriptHashIDs: []byte{0xc4}, WIF: 0xf1, HDPublic: tpubMagic, CoinType: 1,
		MaxValue: 1e18,
		DustFlat: 1_000_000, MinFeeRate: 100, MaxFeeRate: 2_000_000, MaxFee: 10_000_000_000, Decimals: 8},
	{Coin: chain.Coin{Chain: chain.BCH, Network: chain.Mainnet}, PubKeyHashID: 0x00, ScriptHashIDs: []byte{0x05}, CashAddr: "bitcoincash", WIF: 0x80, HDPublic: xpubMagic, CoinType: 145,
		ForkID: true, MaxValue: 21e14, HasSupply: true,
		DustRate: 3, MinFeeRate: 1, MaxFeeRate: 1000, MaxFee: 10_000_000, Decimals: 8},
	{Coin: chain.Coin{Chain: chain.BCH, Network: chain.Testnet}, PubKeyHashID: 0x6f, ScriptHashIDs: []byte{0xc4}, CashAddr: "bchtest", WIF: 0xef, HDPublic: tpubMagic, CoinType: 145,
		ForkID: true, MaxValue: 21e14, HasSupply: true,
		DustRate: 3, MinFeeRate: 1, MaxFeeRate: 1000, MaxFee: 10_000_000, Decimals: 8},
}

// ParamsOf returns the constants of a coin, or a refusal with code
// UnsupportedChain or WrongNetwork.
func ParamsOf(coin chain.Coin) (Params, error) {
	found := false
	for _, p := range params {
		if p.Chain == coin.Chain {
			found = true
			if p.Coin == coin {
				return p, nil
			}
		}
	}
	if found {
		return Params{}, chain.Refuse(chain.WrongNetwork, "%s has no network %d", coin.Chain, coin.Network)
	}
	return Params{}, chain.Refuse(chain.UnsupportedChain, "%.20q is not a chain of this family", string(coin.Chain))
}
