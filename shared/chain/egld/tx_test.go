package egld

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"coldkms/shared/chain"
)

func address(t testing.TB, text string) Address {
	t.Helper()
	a, err := ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Alice and Bob of the tests of mx-chain-go and mx-sdk-js-core.
const (
	alice = "erd1qyu5wthldzr8wx5c9ucg8kjagg0jfs53s8nr3zpz3hypefsdd8ssycr6th"
	bob   = "erd1spyavw0956vq68xj8y4tenjpq2wd5a9p2c6j8gsz7ztyrnpxrruqzu66jx"
)

// hexOf returns the argument of a call that holds a text.
func hexOf(text string) string { return hex.EncodeToString([]byte(text)) }

// sound returns transactions of each kind.
func sound(t testing.TB) map[string]Tx {
	from, to := address(t, alice), address(t, bob)
	usdc, nft, payee := hexOf("USDC-c76f1f"), hexOf("VEC-123456"), hex.EncodeToString(to[:])
	list := map[string]Tx{}
	for name, data := range map[string]string{
		"payment": "", "note": "order 77", "note with accents": "Grüße", "word": "hello", "memo": "aB3xYz9KLmNo", "sentence": "Dear Mr. Smith",
		"tokens":      "ESDTTransfer@" + usdc + "@0f4240",
		"most tokens": "ESDTTransfer@" + usdc + "@" + strings.Repeat("ff", 32),
		"NFT":         "ESDTNFTTransfer@" + nft + "@01@01@" + payee,
		"several":     "MultiESDTNFTTransfer@" + payee + "@02@" + usdc + "@00@0f4240@" + nft + "@0a@01",
		"no number":   "MultiESDTNFTTransfer@" + payee + "@01@" + usdc + "@@0f4240",
	} {
		x := Tx{Nonce: 7, Receiver: to, Sender: from, Price: chain.NewAmount(1e9), Data: []byte(data), ChainID: "1", Version: 1}
		x.Gas = x.MinGas()
		switch name {
		case "NFT", "several", "no number":
			x.Receiver = from
		case "tokens", "most tokens":
		default:
			x.Value = chain.NewAmount(5)
		}
		list[name] = x
	}
	return list
}

func TestRoundTrip(t *testing.T) {
	for name, x := range sound(t) {
		if err := x.Check(chain.Mainnet); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got, err := Decode(x.Encode())
		if err != nil || !bytes.Equal(got.Encode(), x.Encode()) || got.Receiver != x.Receiver || got.Value != x.Value || !bytes.Equal(got.Data, x.Data) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, got, x)
		}
		s := Signature{1, 2, 3}
		got, again, err := DecodeSigned(x.Signed(s))
		if err != nil || again != s || !bytes.Equal(got.Encode(), x.Encode()) {
			t.Errorf("%s: signed: %v, %+v", name, err, got)
		}
		if _, err := Decode(x.Signed(s)); err == nil {
			t.Errorf("%s: a signature is read as none", name)
		}
		if _, _, err := DecodeSigned(x.Encode()); err == nil {
			t.Errorf("%s: read as signed", name)
		}
	}
}

// Every byte of a transaction matters: with any bit flipped it is another one,
// or none.
func TestEveryBitCounts(t *testing.T) {
	for _, name := range []string{"note", "tokens"} {
		x := sound(t)[name]
		raw := x.Signed(Signature{9})
		for i := range 8 * len(raw) {
			other := bytes.Clone(raw)
			other[i/8] ^= 1 << (i % 8)
			if got, s, err := DecodeSigned(other); err == nil && !bytes.Equal(got.Signed(s), other) {
				t.Errorf("%s: bit %d: %s comes back as %s", name, i, other, got.Signed(s))
			}
		}
		for i := range raw {
			if _, _, err := DecodeSigned(raw[:i]); err == nil {
				t.Errorf("%s: its first %d bytes are read", name, i)
			}
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	text := string(sound(t)["note"].Encode())
	for name, change := range map[string][2]string{
		"a guardian":         {`,"version":1`, `,"version":1,"guardian":"` + bob + `"`},
		"options":            {`,"version":1`, `,"version":1,"options":2`},
		"a relayer":          {`,"version":1`, `,"version":1,"relayer":"` + bob + `"`},
		"a user name":        {`"sender"`, `"senderUsername":"YWxpY2U=","sender"`},
		"fields swapped":     {`{"nonce":7,"value":"5"`, `{"value":"5","nonce":7`},
		"a field twice":      {`"nonce":7`, `"nonce":7,"nonce":7`},
		"a blank":            {`"nonce":7`, `"nonce": 7`},
		"nonce as text":      {`"nonce":7`, `"nonce":"7"`},
		"nonce 7.0":          {`"nonce":7`, `"nonce":7.0`},
		"nonce below 0":      {`"nonce":7`, `"nonce":-7`},
		"nonce 2^64":         {`"nonce":7`, `"nonce":18446744073709551616`},
		"value as number":    {`"value":"5"`, `"value":5`},
		"value 05":           {`"value":"5"`, `"value":"05"`},
		"value NaN":          {`"value":"5"`, `"value":"NaN"`},
		"value 5.1":          {`"value":"5"`, `"value":"5.1"`},
		"value below 0":      {`"value":"5"`, `"value":"-5"`},
		"no value":           {`"value":"5",`, ``},
		"other chain":        {`"chainID":"1"`, `"chainID":"2"`},
		"no chain":           {`,"chainID":"1"`, ``},
		"capitals":           {alice, strings.ToUpper(alice)},
		"escapes":            {`"chainID":"1"`, `"chainID":"\u0031"`},
		"data not base64":    {`"data":"`, `"data":"?`},
		"data empty":         {`"data":"b3JkZXIgNzc="`, `"data":""`},
		"data without =":     {`b3JkZXIgNzc=`, `b3JkZXIgNzc`},
		"data with bits":     {`b3JkZXIgNzc=`, `b3JkZXIgNzd=`},
		"something behind":   {`"version":1}`, `"version":1} `},
		"hash signing":       {`,"version":1`, `,"version":2,"options":1`},
		"an unknown field":   {`,"version":1`, `,"version":1,"x":1`},
		"signature not read": {`,"version":1`, `,"version":1,"signature":""`},
	} {
		other := strings.ReplaceAll(text, change[0], change[1])
		if other == text {
			t.Errorf("%s: nothing changed", name)
		}
		if got, err := Decode([]byte(other)); err == nil {
			t.Errorf("%s: read as %+v", name, got)
		}
	}
}

func TestCall(t *testing.T) {
	list := sound(t)
	to := address(t, bob)
	for name, want := range map[string]Call{
		"payment":     {Kind: Pay, To: to},
		"note":        {Kind: Pay, To: to, Note: []byte("order 77")},
		"tokens":      {Kind: Transfer, To: to, Moves: []Move{{"USDC-c76f1f", 0, chain.NewAmount(1_000_000)}}},
		"most tokens": {Kind: Transfer, To: to, Moves: []Move{{"USDC-c76f1f", 0, chain.MaxAmount()}}},
		"NFT":         {Kind: TransferNFT, To: to, Moves: []Move{{"VEC-123456", 1, chain.NewAmount(1)}}},
		"several":     {Kind: TransferMulti, To: to, Moves: []Move{{"USDC-c76f1f", 0, chain.NewAmount(1_000_000)}, {"VEC-123456", 10, chain.NewAmount(1)}}},
	} {
		got, err := list[name].Call()
		if err != nil || got.Kind != want.Kind || got.To != want.To || string(got.Note) != string(want.Note) || len(got.Moves) != len(want.Moves) {
			t.Errorf("%s: %+v, %v", name, got, err)
			continue
		}
		for i := range want.Moves {
			if got.Moves[i] != want.Moves[i] {
				t.Errorf("%s: %+v, want %+v", name, got.Moves[i], want.Moves[i])
			}
		}
	}
}

func TestCallRefuses(t *testing.T) {
	to := address(t, bob)
	usdc, payee := hexOf("USDC-c76f1f"), hex.EncodeToString(to[:])
	for data, code := range map[string]chain.Code{
		"GuardAccount":                      BlindCall,
		"UnGuardAccount":                    BlindCall,
		"ClaimDeveloperRewards":             BlindCall,
		"NewFunctionOfTomorrow":             BlindCall,
		"ESDTPause":                         BlindCall,
		"esdtTransfer":                      BlindCall,
		"SetGuardian@" + payee + "@78":      BlindCall,
		"ChangeOwnerAddress@" + payee:       BlindCall,
		"SaveKeyValue@01@02":                BlindCall,
		"relayedTx@00":                      BlindCall,
		"ESDTBurn@" + usdc + "@01":          BlindCall,
		"a@b":                               BlindCall,
		"@":                                 BlindCall,
		"ESDTTransfer":                      chain.Malformed,
		"ESDTTransfer@":                     chain.Malformed,
		"ESDTTransfer@" + usdc:              chain.Malformed,
		"ESDTTransfer@" + usdc + "@":        chain.Malformed,
		"ESDTTransfer@" + usdc + "@00":      chain.Malformed,
		"ESDTTransfer@" + usdc + "@0001":    chain.Malformed,
		"ESDTTransfer@" + usdc + "@1":       chain.Malformed,
		"ESDTTransfer@" + usdc + "@0x01":    chain.Malformed,
		"ESDTTransfer@" + usdc + "@01@":     BlindCall,
		"ESDTTransfer@" + usdc + "@01@7377": BlindCall,
		"ESDTTransfer@" + usdc + "@01" + strings.Repeat("00", 32):                   chain.Malformed,
		"ESDTTransfer@" + hexOf("usdc-c76f1f") + "@01":                              chain.Malformed,
		"ESDTTransfer@" + hexOf("USDC-C76F1F") + "@01":                              chain.Malformed,
		"ESDTTransfer@" + hexOf("USDC") + "@01":                                     chain.Malformed,
		"ESDTTransfer@" + hexOf("US-c76f1f") + "@01":                                chain.Malformed,
		"ESDTTransfer@" + hexOf("USDC-c76f1f\x00") + "@01":                          chain.Malformed,
		"ESDTNFTTransfer@" + usdc + "@01@01@" + payee:                               NotToSelf,
		"ESDTNFTTransfer@" + usdc + "@01@01@" + hexOf(bob):                          chain.Malformed,
		"ESDTNFTTransfer@" + usdc + "@01@01":                                        chain.Malformed,
		"MultiESDTNFTTransfer@" + payee + "@01@" + usdc + "@00@01":                  NotToSelf,
		"MultiESDTNFTTransfer@" + payee + "@00":                                     chain.Malformed,
		"MultiESDTNFTTransfer@" + payee + "@ffffffffffffffff":                       chain.Malformed,
		"MultiESDTNFTTransfer@" + payee + "@02@" + usdc + "@00@01":                  chain.Malformed,
		"MultiESDTNFTTransfer@" + payee + "@02@" + usdc + "@00@01@" + usdc + "@@01": chain.Malformed,
		"MultiESDTNFTTransfer@" + payee + "@01@" + usdc + "@00@01@66756e63":         BlindCall,
	} {
		x := sound(t)["tokens"]
		x.Data = []byte(data)
		if got, err := x.Call(); chain.CodeOf(err) != code {
			t.Errorf("%s: %+v, %v, want %s", data, got, err, code)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	contract := Address{8: 5, 31: 1}
	for name, c := range map[string]struct {
		of     string
		change func(x *Tx)
		code   chain.Code
	}{
		"chain D":          {"payment", func(x *Tx) { x.ChainID = "D" }, WrongChainID},
		"chain T":          {"payment", func(x *Tx) { x.ChainID = "T" }, WrongChainID},
		"no chain":         {"payment", func(x *Tx) { x.ChainID = "" }, WrongChainID},
		"version 0":        {"payment", func(x *Tx) { x.Version = 0 }, Version},
		"version 3":        {"payment", func(x *Tx) { x.Version = 3 }, Version},
		"last nonce":       {"payment", func(x *Tx) { x.Nonce = ^uint64(0) }, chain.ValueOutOfRange},
		"more than exists": {"payment", func(x *Tx) { x.Value = chain.MaxAmount() }, chain.ValueOutOfRange},
		"little gas":       {"note", func(x *Tx) { x.Gas-- }, GasRange},
		"gas of a payment": {"payment", func(x *Tx) { x.Gas = 500_001 }, GasRange},
		"gas of tokens":    {"tokens", func(x *Tx) { x.Gas += maxTransferGas + 1 }, GasRange},
		"price 0":          {"payment", func(x *Tx) { x.Price = chain.Amount{} }, PriceRange},
		"price 10^15":      {"payment", func(x *Tx) { x.Price = chain.NewAmount(1e15) }, PriceRange},
		"zero address":     {"payment", func(x *Tx) { x.Receiver = Address{} }, ZeroAddress},
		"what Tatum shows": {"payment", func(x *Tx) { x.Receiver = address(t, EmptyWordsMainnet) }, EmptyWords},
		"tokens to it":     {"tokens", func(x *Tx) { x.Receiver = address(t, EmptyWordsTestnet) }, EmptyWords},
		"a contract":       {"payment", func(x *Tx) { x.Receiver = contract }, ToContract},
		"tokens to one":    {"tokens", func(x *Tx) { x.Receiver = contract }, ToContract},
		"value and tokens": {"tokens", func(x *Tx) { x.Value = chain.NewAmount(1) }, ValueOnCall},
		"long data":        {"note", func(x *Tx) { x.Data = bytes.Repeat([]byte{'1'}, MaxData+1); x.Gas = x.MinGas() }, chain.TooLarge},
	} {
		x := sound(t)[c.of]
		c.change(&x)
		if err := x.Check(chain.Mainnet); chain.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	x := sound(t)["payment"]
	for _, id := range []string{"D", "T"} {
		x.ChainID = id
		if err := x.Check(chain.Testnet); err != nil {
			t.Errorf("chain %s: %v", id, err)
		}
	}
	if err := x.Check(chain.Network(0)); chain.CodeOf(err) != WrongChainID {
		t.Errorf("no network: %v", err)
	}
}

// The transactions of mx-chain-go's own tests.
func TestTxID(t *testing.T) {
	for _, c := range []struct {
		nonce            uint64
		value, data      string
		gas              uint64
		signature, proto string
		txID             string
	}{
		{
			89, "0", "", 50_000,
			"b56769014f2bdc5cf9fc4a05356807d71fcf8775c819b0f1b0964625b679c918ffa64862313bfef86f99b38cb84fcdb16fa33ad6eb565276616723405cd8f109",
			"0859120200001a208049d639e5a6980d1cd2392abcce41029cda74a1563523a202f09641cc2618f82a200139472eff6886771a982f3083da5d421f24c29181e63888228dc81ca60d69e1388094ebdc0340d08603520d6c6f63616c2d746573746e657458016240",
			"eb30c50c8831885ebcfac986d27e949ec02cf25676e22a009b7a486e5431ec2e",
		},
		{
			92, "123456789000000000000000000000", "for the spaceship", 100_000,
			"39938d15812708475dfc8125b5d41dbcea0b2e3e7aabbbfceb6ce4f070de3033676a218b73facd88b1432d7d4accab89c6130b3abe5cc7bbbb5146e61d355b03",
			"085c120e00018ee90ff6181f3761632000001a208049d639e5a6980d1cd2392abcce41029cda74a1563523a202f09641cc2618f82a200139472eff6886771a982f3083da5d421f24c29181e63888228dc81ca60d69e1388094ebdc0340a08d064a11666f722074686520737061636573686970520d6c6f63616c2d746573746e657458016240",
			"e4a6048d92409cfe50f12e81218cb92f39966c618979a693b8d16320a06061c1",
		},
	} {
		value, err := chain.ParseAmount(c.value)
		if err != nil {
			t.Fatal(err)
		}
		x := Tx{
			Nonce: c.nonce, Value: value, Receiver: address(t, bob), Sender: address(t, alice), Price: chain.NewAmount(1e9),
			Gas: c.gas, Data: []byte(c.data), ChainID: "local-testnet", Version: 1,
		}
		var s Signature
		if _, err := hex.Decode(s[:], []byte(c.signature)); err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(x.proto(s)); got != c.proto+c.signature {
			t.Errorf("%d: %s", c.nonce, got)
		}
		if id := x.TxID(s); hex.EncodeToString(id[:]) != c.txID {
			t.Errorf("%d: %x", c.nonce, id)
		}
	}
}

func FuzzTx(f *testing.F) {
	for _, x := range sound(f) {
		f.Add(x.Encode())
		f.Add(x.Signed(Signature{1}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if x, err := Decode(b); err == nil {
			if !bytes.Equal(x.Encode(), b) {
				t.Errorf("%s comes back as %s", b, x.Encode())
			}
			_ = x.Check(chain.Mainnet)
		}
		if x, s, err := DecodeSigned(b); err == nil && !bytes.Equal(x.Signed(s), b) {
			t.Errorf("%s comes back as %s", b, x.Signed(s))
		}
	})
}

// What a call is said to do is all that it does: made anew it is the same data.
func FuzzCall(f *testing.F) {
	for _, x := range sound(f) {
		f.Add(string(x.Data), x.Receiver == x.Sender)
	}
	f.Fuzz(func(t *testing.T, data string, self bool) {
		x := sound(t)["tokens"]
		x.Data = []byte(data)
		if self {
			x.Receiver = x.Sender
		}
		call, err := x.Call()
		if err != nil || call.Kind == Pay {
			return
		}
		if n := strings.Count(data, divider); n != map[Kind]int{Transfer: 2, TransferNFT: 4, TransferMulti: 2 + 3*len(call.Moves)}[call.Kind] {
			t.Errorf("%q has %d arguments, and is read as %+v", data, n, call)
		}
		for _, m := range call.Moves {
			if !strings.Contains(strings.ToLower(data), hexOf(m.Token)) || m.Amount.IsZero() {
				t.Errorf("%q is read as %+v", data, call)
			}
		}
	})
}
