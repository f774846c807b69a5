package evm

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"coldkms/shared/chain"
)

func TestSelectors(t *testing.T) {
	for _, m := range methods {
		sum := Keccak256([]byte(m.signature))
		if m.selector != Selector(sum[:4]) {
			t.Errorf("%s has selector %x, not %s", m.signature, sum[:4], m.selector)
		}
	}
	for _, signature := range []string{"multicall(bytes[])", "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)"} {
		sum := Keccak256([]byte(signature))
		if _, ok := blindName(Selector(sum[:4])); !ok {
			t.Errorf("%s is not known as blind", signature)
		}
	}
}

const (
	wordA   = "000000000000000000000000aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	wordB   = "000000000000000000000000bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	word0   = "0000000000000000000000000000000000000000000000000000000000000000"
	word1   = "0000000000000000000000000000000000000000000000000000000000000001"
	word2   = "0000000000000000000000000000000000000000000000000000000000000002"
	word77  = "000000000000000000000000000000000000000000000000000000000000004d"
	wordMax = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	wordTop = "8000000000000000000000000000000000000000000000000000000000000000"
)

var (
	addrA  = Address(bytes.Repeat([]byte{0xaa}, 20))
	addrB  = Address(bytes.Repeat([]byte{0xbb}, 20))
	token  = Address(bytes.Repeat([]byte{0xcc}, 20))
	wordCC = strings.Repeat("00", 12) + strings.Repeat("cc", 20)
)

// offset and count make a word of a small number.
func small(n byte) string { return word0[:62] + hex.EncodeToString([]byte{n}) }

func sameCall(a, b Call) bool {
	return a.Kind == b.Kind && a.From == b.From && a.To == b.To && a.Spender == b.Spender && a.Amount == b.Amount && a.ID == b.ID &&
		a.Deadline == b.Deadline && bytes.Equal(a.Text, b.Text) && sameMoves(a.Moves, b.Moves)
}

func sameMoves(a, b []Move) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestDecodeCall(t *testing.T) {
	n := chain.NewAmount
	text := small(2) + "6869" + strings.Repeat("00", 30)
	for data, want := range map[string]Call{
		"a9059cbb" + wordA + word77:         {Kind: Transfer, To: addrA, Amount: n(77)},
		"23b872dd" + wordA + wordB + word77: {Kind: TransferFrom, From: addrA, To: addrB, Amount: n(77)},
		"095ea7b3" + wordA + word77:         {Kind: Approve, Spender: addrA, Amount: n(77)},
		"095ea7b3" + word0 + word0:          {Kind: Approve},
		"39509351" + wordA + word77:         {Kind: IncreaseAllow, Spender: addrA, Amount: n(77)},
		"d73dd623" + wordA + word77:         {Kind: IncreaseAllow, Spender: addrA, Amount: n(77)},
		"a457c2d7" + wordA + word77:         {Kind: DecreaseAllow, Spender: addrA, Amount: n(77)},
		"d505accf" + wordA + wordB + word77 + word2 + small(27) + wordMax + wordMax: {Kind: Permit, From: addrA, Spender: addrB, Amount: n(77), Deadline: n(2)},
		"a22cb465" + wordA + word1:                                      {Kind: ApproveAll, Spender: addrA, Amount: n(1)},
		"42842e0e" + wordA + wordB + wordMax:                            {Kind: TransferNFT, From: addrA, To: addrB, ID: chain.MaxAmount()},
		"b88d4fde" + wordA + wordB + word77 + small(128) + text:         {Kind: TransferNFT, From: addrA, To: addrB, ID: n(77), Text: []byte("hi")},
		"f242432a" + wordA + wordB + word2 + word77 + small(160) + text: {Kind: TransferMulti, From: addrA, Moves: []Move{{ERC1155, token, addrB, n(2), n(77)}}, Text: []byte("hi")},
		"423f6cef" + wordA + word77:                                     {Kind: TransferNFT, To: addrA, ID: n(77)},
		"ae28b68c" + wordA + word2 + word77 + small(128) + word0:        {Kind: TransferMulti, Moves: []Move{{ERC1155, token, addrA, n(2), n(77)}}},
		"368b2842" + wordA + small(128) + small(192) + "0000000000000000000000000000000000000000000000000000000000000100" + word1 + word2 + word1 + word77 + word0: {
			Kind: TransferMulti, Moves: []Move{{ERC1155, token, addrA, n(2), n(77)}}},
		"50bb4e7f" + wordA + word77 + small(96) + text:          {Kind: Mint, To: addrA, ID: n(77), Text: []byte("hi")},
		"40c10f19" + wordA + word77:                             {Kind: Mint, To: addrA, Amount: n(77)},
		"42966c68" + word77:                                     {Kind: Burn, Amount: n(77)},
		"f2881e21" + wordB + word0 + wordA + word77 + word0:     {Kind: CustodyTransfer, Moves: []Move{{ERC20, addrB, addrA, n(0), n(77)}}},
		"f2881e21" + word0 + small(3) + wordA + word77 + word0:  {Kind: CustodyTransfer, Moves: []Move{{Native, Address{}, addrA, n(0), n(77)}}},
		"f7e290a4" + wordB + word1 + wordA + word0 + word77:     {Kind: CustodyApprove, Spender: addrA, Moves: []Move{{ERC721, addrB, addrA, n(77), n(0)}}},
		"ae666ab6" + wordA + small(64) + word2 + word1 + word77: {Kind: CustodyCreate, To: addrA, Amount: n(2)},
		"966f197c" + small(160) + small(224) + "0000000000000000000000000000000000000000000000000000000000000120" + "0000000000000000000000000000000000000000000000000000000000000160" + "00000000000000000000000000000000000000000000000000000000000001a0" +
			word1 + wordB + word1 + word0 + word1 + wordA + word1 + word77 + word1 + word0: {Kind: CustodyTransfer, Moves: []Move{{ERC20, addrB, addrA, n(0), n(77)}}},
	} {
		got, err := DecodeCall(token, unhex(t, data))
		if err != nil || !sameCall(got, want) || got.Contract != token {
			t.Errorf("%s: %v\n got %+v\nwant %+v", data[:8], err, got, want)
		}
		if m, ok := methodOf(Selector(unhex(t, data[:8]))); ok {
			wantMalformed(t, m.signature+" and a byte", data+"00")
			wantMalformed(t, m.signature+" and a word", data+word0)
			wantMalformed(t, m.signature+" less a byte", data[:len(data)-2])
			wantMalformed(t, m.signature+" less a word", data[:len(data)-64])
		}
	}
}

func wantMalformed(t *testing.T, name, data string) {
	t.Helper()
	if call, err := DecodeCall(token, unhex(t, data)); chain.CodeOf(err) != chain.Malformed {
		t.Errorf("%s: %v, %+v", name, err, call)
	}
}

func TestDecodeCallRefuses(t *testing.T) {
	big := "00000000000000000000000000000000000000000000000000000000ffffffff"
	for name, c := range map[string]struct {
		data string
		code chain.Code
	}{
		"nothing":                   {"", BlindCall},
		"three bytes":               {"a9059c", BlindCall},
		"unknown":                   {"deadbeef", BlindCall},
		"multicall":                 {"ac9650d8" + small(32) + word0, BlindCall},
		"Safe":                      {"6a761202" + word0, BlindCall},
		"dirty address":             {"a9059cbb" + "ff" + wordA[2:] + word77, chain.Malformed},
		"address with TRON's 41":    {"a9059cbb" + wordA[:22] + "41" + wordA[24:] + word77, chain.Malformed},
		"bool of 2":                 {"a22cb465" + wordA + word2, chain.Malformed},
		"bool of 2^8":               {"a22cb465" + wordA + word0[:60] + "0100", chain.Malformed},
		"uint8 of 256":              {"d505accf" + wordA + wordB + word77 + word2 + word0[:60] + "0100" + wordMax + wordMax, chain.Malformed},
		"offset elsewhere":          {"b88d4fde" + wordA + wordB + word77 + small(160) + word0 + word0, chain.Malformed},
		"offset of 2^256-1":         {"b88d4fde" + wordA + wordB + word77 + wordMax + word0, chain.Malformed},
		"length beyond the end":     {"b88d4fde" + wordA + wordB + word77 + small(128) + small(33) + wordMax, chain.Malformed},
		"length of 4 GiB":           {"b88d4fde" + wordA + wordB + word77 + small(128) + big, chain.Malformed},
		"length of 2^256-1":         {"b88d4fde" + wordA + wordB + word77 + small(128) + wordMax, chain.Malformed},
		"array of 4 GiB":            {"ae666ab6" + wordA + small(64) + big, chain.Malformed},
		"padding not zero":          {"b88d4fde" + wordA + wordB + word77 + small(128) + small(2) + "6869" + strings.Repeat("01", 30), chain.Malformed},
		"dirty address in array":    {"966f197c" + small(160) + small(224) + word0[:60] + "0120" + word0[:60] + "0160" + word0[:60] + "01a0" + word1 + wordMax + word1 + word0 + word1 + wordA + word1 + word77 + word1 + word0, chain.Malformed},
		"arrays do not pair":        {"368b2842" + wordA + small(128) + small(192) + word0[:60] + "00e0" + word1 + word2 + word0 + word0, chain.Malformed},
		"more amounts than ids":     {"368b2842" + wordA + small(128) + small(160) + word0[:60] + "00e0" + word0 + word1 + word77 + word0, chain.Malformed},
		"more amounts than ids, 2":  {"368b2842" + wordA + small(128) + small(192) + word0[:60] + "0120" + word1 + word2 + word2 + word77 + word77 + word0, chain.Malformed},
		"empty arrays":              {"368b2842" + wordA + small(128) + small(160) + small(192) + word0 + word0 + word0, chain.Malformed},
		"unknown kind of token":     {"f2881e21" + wordB + small(4) + wordA + word77 + word0, chain.Malformed},
		"unknown kind, approve":     {"f7e290a4" + wordB + wordMax + wordA + word77 + word0, chain.Malformed},
		"to zero":                   {"a9059cbb" + word0 + word77, ZeroAddress},
		"from to zero":              {"23b872dd" + wordA + word0 + word77, ZeroAddress},
		"NFT to zero":               {"423f6cef" + word0 + word77, ZeroAddress},
		"custody to zero":           {"f2881e21" + wordB + word0 + word0 + word77 + word0, ZeroAddress},
		"custody to its token":      {"f2881e21" + wordB + word0 + wordB + word77 + word0, ToToken},
		"to the token":              {"a9059cbb" + wordCC + word77, ToToken},
		"1155 to the token":         {"ae28b68c" + wordCC + word2 + word77 + small(128) + word0, ToToken},
		"more than can be":          {"a9059cbb" + wordA + wordTop, chain.ValueOutOfRange},
		"allows the zero address":   {"095ea7b3" + word0 + word77, ZeroAddress},
		"allows all to nobody":      {"a22cb465" + word0 + word1, ZeroAddress},
		"custody: allows nobody":    {"f7e290a4" + wordB + word0 + word0 + word77 + word0, ZeroAddress},
		"raises for nobody":         {"39509351" + word0 + word77, ZeroAddress},
		"permits nobody":            {"d505accf" + wordA + word0 + word77 + word2 + small(27) + wordMax + wordMax, ZeroAddress},
		"addresses owned by nobody": {"ae666ab6" + word0 + small(64) + word0, ZeroAddress},
	} {
		if call, err := DecodeCall(token, unhex(t, c.data)); chain.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s (%+v)", name, err, c.code, call)
		}
	}
}

func TestArrayOfTooMany(t *testing.T) {
	for n, want := range map[int]bool{maxElements: true, maxElements + 1: false} {
		data := "ae666ab6" + wordA + small(64) + hex.EncodeToString(countWord(n)) + strings.Repeat(word1, n)
		if _, err := DecodeCall(token, unhex(t, data)); (err == nil) != want {
			t.Errorf("%d elements: %v", n, err)
		}
	}
}

func TestUnlimited(t *testing.T) {
	below := strings.Repeat("7f", 1) + strings.Repeat("ff", 31)
	for data, want := range map[string]struct{ unlimited, allows bool }{
		"095ea7b3" + wordA + wordMax:                         {true, true},
		"095ea7b3" + wordA + wordTop:                         {true, true},
		"095ea7b3" + wordA + below:                           {false, true},
		"095ea7b3" + wordA + word0:                           {false, true}, // token 0 of an ERC-721
		"095ea7b3" + word0 + word0:                           {false, false},
		"39509351" + wordA + wordMax:                         {true, true},
		"a457c2d7" + wordA + wordMax:                         {false, false},
		"a22cb465" + wordA + word1:                           {true, true},
		"a22cb465" + wordA + word0:                           {false, false},
		"a9059cbb" + wordA + word77:                          {false, false},
		"f7e290a4" + wordB + word0 + wordA + wordMax + word0: {true, true},
		"f7e290a4" + wordB + word1 + wordA + word0 + word77:  {false, true},
	} {
		call, err := DecodeCall(token, unhex(t, data))
		if err != nil || call.Unlimited() != want.unlimited || call.Allows() != want.allows {
			t.Errorf("%s: %v: unlimited %v, allows %v", data[:8], err, call.Unlimited(), call.Allows())
		}
	}
}

func TestCallOfTx(t *testing.T) {
	transfer := unhex(t, "a9059cbb"+wordA+word77)
	for name, c := range map[string]struct {
		tx   Tx
		code chain.Code
	}{
		"value on a call":   {Tx{To: token, Data: transfer, Value: chain.NewAmount(1)}, ValueOnCall},
		"contract creation": {Tx{Creates: true, Data: transfer}, BlindCall},
		"zero address":      {Tx{Data: transfer}, ZeroAddress},
		"memo":              {Tx{To: addrA, Data: []byte("invoice 4711")}, BlindCall},
	} {
		if _, err := c.tx.Call(); chain.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	call, err := Tx{To: addrA, Value: chain.NewAmount(5)}.Call()
	if err != nil || call.Kind != Pay || call.To != addrA || call.Amount != chain.NewAmount(5) {
		t.Errorf("%+v, %v", call, err)
	}
	if call, err := (Tx{To: token, Data: transfer}).Call(); err != nil || call.Kind != Transfer || call.Contract != token {
		t.Errorf("%+v, %v", call, err)
	}
}

func FuzzCall(f *testing.F) {
	for _, s := range []string{
		"a9059cbb" + wordA + word77,
		"b88d4fde" + wordA + wordB + word77 + small(128) + small(2) + "6869" + strings.Repeat("00", 30),
		"ae666ab6" + wordA + small(64) + word2 + word1 + word77,
		"368b2842" + wordA + small(128) + small(192) + word0[:60] + "0100" + word1 + word2 + word1 + word77 + word0,
	} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		call, err := DecodeCall(token, data)
		if err != nil {
			return
		}
		m, _ := methodOf(Selector(data))
		args, err := decodeArgs(m.types(), data[4:])
		if err != nil || !bytes.Equal(encodeArgs(m.types(), args), data[4:]) || call.Kind == UnknownKind {
			t.Errorf("%x: %+v, %v", data, call, err)
		}
	})
}
