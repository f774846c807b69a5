package evm

import (
	"strings"
	"testing"

	"coldkms/shared/chain"
)

const paid = `"to":"0x5e7cD53D0286E140F2570569C40b854E1e174452","value":"1"`

// resolveFor resolves with what an honest network would say.
func resolveFor(c chain.Coin, text string, withdrawal bool) (Tx, error) {
	r, err := ReadRequest(c, text, withdrawal)
	if err != nil {
		return Tx{}, err
	}
	return r.Resolve(Address{9}, Quote{Nonce: 7, Gas: 30_000, Price: chain.NewAmount(1000)})
}

func TestResolve(t *testing.T) {
	coin := func(id chain.ID) chain.Coin { return chain.Coin{Chain: id, Network: chain.Mainnet} }
	base := Tx{ChainID: 1, Nonce: 7, Gas: 30_000, Price: chain.NewAmount(1000), Value: chain.NewAmount(1)}
	for name, c := range map[string]struct {
		coin       chain.Coin
		text       string
		withdrawal bool
		change     func(tx *Tx)
	}{
		"nothing stated":          {eth, `{` + paid + `}`, false, func(*Tx) {}},
		"all stated":              {eth, `{"from":0,` + paid + `,"nonce":9,"gas":"0x5208","gasPrice":"5","chainId":1,"data":"0x"}`, false, func(tx *Tx) { tx.Nonce, tx.Gas, tx.Price = 9, 21000, chain.NewAmount(5) }},
		"own account":             {eth, `{"from":"0x0900000000000000000000000000000000000000",` + paid + `}`, false, func(*Tx) {}},
		"null and empty":          {eth, `{` + paid + `,"nonce":null,"gas":"","gasPrice":"","data":"","chainId":null,"from":null}`, false, func(*Tx) {}},
		"zeros":                   {eth, `{` + paid + `,"nonce":0,"gas":0,"gasPrice":"0x0"}`, false, func(*Tx) {}},
		"gas of a withdrawal":     {eth, `{` + paid + `,"gas":"50000"}`, true, func(*Tx) {}},
		"gas of BSC's withdrawal": {coin("BSC"), `{` + paid + `,"gas":"50000"}`, true, func(tx *Tx) { tx.ChainID, tx.Gas = 56, 50000 }},
		"gas of XDC":              {coin("XDC"), `{` + paid + `,"gas":"50000"}`, false, func(tx *Tx) { tx.ChainID = 50 }},
		"gas of CELO":             {coin("CELO"), `{` + paid + `,"gasLimit":"50000","feeCurrency":null}`, false, func(tx *Tx) { tx.ChainID, tx.Gas = 42220, 50000 }},
		"EIP-1559": {eth, `{` + paid + `,"maxFeePerGas":"10","maxPriorityFeePerGas":"2"}`, false, func(tx *Tx) {
			tx.Type, tx.Price, tx.Tip = DynamicFee, chain.NewAmount(10), chain.NewAmount(2)
		}},
	} {
		want := base
		want.To = Address(unhex(t, "5e7cD53D0286E140F2570569C40b854E1e174452"))
		c.change(&want)
		got, err := resolveFor(c.coin, c.text, c.withdrawal)
		if err != nil || string(got.Encode()) != string(want.Encode()) || got.Type != want.Type {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, got, want)
		}
	}
}

func TestResolveRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		code chain.Code
	}{
		"broken":             {`{"to":"0x`, chain.Malformed},
		"access list":        {`{` + paid + `,"accessList":[]}`, chain.Malformed},
		"other case":         {`{` + paid + `,"Nonce":1}`, chain.Malformed},
		"input":              {`{` + paid + `,"input":"0x"}`, chain.Malformed},
		"gasLimit":           {`{` + paid + `,"gasLimit":"21000"}`, chain.Malformed},
		"feeCurrency":        {`{` + paid + `,"feeCurrency":null}`, chain.Malformed},
		"no destination":     {`{"value":"1"}`, chain.Malformed},
		"destination null":   {`{"to":null,"value":"1"}`, chain.Malformed},
		"destination number": {`{"to":1}`, chain.Malformed},
		"from 1":             {`{` + paid + `,"from":1}`, chain.Malformed},
		"from other":         {`{` + paid + `,"from":"0x0800000000000000000000000000000000000000"}`, OtherAccount},
		"nonce used":         {`{` + paid + `,"nonce":6}`, NonceUsed},
		"nonce text 0":       {`{` + paid + `,"nonce":"0"}`, NonceUsed},
		"nonce 2^64":         {`{` + paid + `,"nonce":"18446744073709551616"}`, chain.Malformed},
		"chain id 56":        {`{` + paid + `,"chainId":56}`, WrongChainID},
		"chain id 0":         {`{` + paid + `,"chainId":0}`, WrongChainID},
		"tip alone":          {`{` + paid + `,"maxPriorityFeePerGas":"2"}`, chain.Malformed},
		"maximum alone":      {`{` + paid + `,"maxFeePerGas":"2"}`, chain.Malformed},
		"two prices":         {`{` + paid + `,"gasPrice":"1","maxFeePerGas":"2","maxPriorityFeePerGas":"1"}`, chain.Malformed},
		"data without 0x":    {`{` + paid + `,"data":"aa"}`, chain.Malformed},
		"data odd":           {`{` + paid + `,"data":"0xaaa"}`, chain.Malformed},
		"data no text":       {`{` + paid + `,"data":{}}`, chain.Malformed},
		"data of 129 KiB":    {`{` + paid + `,"data":"0x` + strings.Repeat("00", MaxData+1) + `"}`, chain.Malformed},
		"value a list":       {`{"to":"0x5e7cD53D0286E140F2570569C40b854E1e174452","value":[]}`, chain.Malformed},
	} {
		if tx, err := resolveFor(eth, c.text, false); chain.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s (%+v)", name, err, c.code, tx)
		}
	}
}

func TestQuoteRefuses(t *testing.T) {
	r, err := ReadRequest(eth, `{`+paid+`}`, false)
	if err != nil {
		t.Fatal(err)
	}
	good := Quote{ChainID: 1, Gas: 21000, Price: chain.NewAmount(10)}
	enough, short, tip := chain.NewAmount(210_001), chain.NewAmount(210_000), chain.NewAmount(11)
	for name, c := range map[string]struct {
		change func(q *Quote)
		code   chain.Code // "" for none
	}{
		"good":            {func(*Quote) {}, ""},
		"enough":          {func(q *Quote) { q.Balance = &enough }, ""},
		"balance":         {func(q *Quote) { q.Balance = &short }, AboveBalance},
		"other chain":     {func(q *Quote) { q.ChainID = 56 }, WrongChainID},
		"no gas":          {func(q *Quote) { q.Gas = 0 }, GasRange},
		"much gas":        {func(q *Quote) { q.Gas = MaxGas + 1 }, GasRange},
		"no price":        {func(q *Quote) { q.Price = chain.Amount{} }, PriceRange},
		"tip above price": {func(q *Quote) { q.Tip = &tip }, PriceRange},
	} {
		q := good
		c.change(&q)
		if _, err := r.Resolve(Address{9}, q); err == nil != (c.code == "") || err != nil && chain.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %q", name, err, c.code)
		}
	}
}
