package xrp

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"coldkms/shared/chain"
)

// request returns the JSON of a payment with changed members; "" drops one.
func request(change ...string) string {
	members := [][2]string{
		{"TransactionType", `"Payment"`}, {"Account", `"` + payer.String() + `"`}, {"Destination", `"` + payee.String() + `"`},
		{"Amount", `"5"`}, {"Fee", `"10"`}, {"Sequence", `7`}, {"LastLedgerSequence", `500`}, {"Flags", `0`},
	}
	for i := 0; i < len(change); i += 2 {
		found := false
		for k := range members {
			if members[k][0] == change[i] {
				members[k][1], found = change[i+1], true
			}
		}
		if !found {
			members = append(members, [2]string{change[i], change[i+1]})
		}
	}
	var list []string
	for _, m := range members {
		if m[1] != "" {
			list = append(list, fmt.Sprintf("%q:%s", m[0], m[1]))
		}
	}
	return "{" + strings.Join(list, ",") + "}"
}

func issued(value, currency, by string) string {
	return fmt.Sprintf(`{"value":%s,"currency":%q,"issuer":%q}`, value, currency, by)
}

func TestReadRequest(t *testing.T) {
	list := sound()
	memo := `[{"Memo":{"MemoType":"74","MemoData":"68656C6C6F"}}]`
	withMemo := list["payment"]
	withMemo.Memos = []Memo{{Type: []byte("t"), Data: []byte("hello")}}
	tagged := list["payment"]
	tagged.Tag = Some(12345)
	for name, c := range map[string]struct {
		text string
		want Tx
	}{
		"payment":        {request(), list["payment"]},
		"no flags":       {request("Flags", ""), list["no flags"]},
		"tags":           {request("DestinationTag", "0", "SourceTag", "4294967295"), list["tags"]},
		"ticket":         {request("Sequence", "0", "TicketSequence", "9"), list["ticket"]},
		"for ever":       {request("LastLedgerSequence", ""), list["for ever"]},
		"issued":         {request("Amount", issued(`"12.5"`, "USD", issuer.String())), list["issued"]},
		"issued hex":     {request("Amount", issued(`"1e+20"`, "5453542D33356335366100000000000000000000", issuer.String())), list["issued hex"]},
		"memo":           {request("Memos", memo), withMemo},
		"X-address":      {request("Destination", `"`+payee.X(Some(12345), chain.Mainnet)+`"`), tagged},
		"X without tag":  {request("Destination", `"`+payee.X(Number{}, chain.Mainnet)+`"`), list["payment"]},
		"trust":          {request("TransactionType", `"TrustSet"`, "Amount", "", "Destination", "", "LimitAmount", issued(`"649810"`, "USD", issuer.String())), list["trust"]},
		"setting":        {request("TransactionType", `"AccountSet"`, "Amount", "", "Destination", "", "SetFlag", "1"), list["require a tag"]},
		"nothing at all": {request("TransactionType", `"AccountSet"`, "Amount", "", "Destination", ""), list["cancel"]},
	} {
		r, err := ReadRequest(chain.Mainnet, c.text)
		if err != nil || !bytes.Equal(r.Tx.Encode(), c.want.Encode()) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, r.Tx, c.want)
		}
	}
}

func TestReadRequestRefuses(t *testing.T) {
	quoted := func(s string) string { return `"` + s + `"` }
	for name, c := range map[string]struct {
		text string
		code chain.Code
	}{
		"broken":                  {request()[:40], chain.Malformed},
		"an array":                {"[" + request() + "]", chain.Malformed},
		"something follows":       {request() + "{}", chain.Malformed},
		"Amount twice":            {strings.Replace(request(), `"Amount":"5"`, `"Amount":"5","Amount":"6"`, 1), chain.Malformed},
		"other case":              {request("amount", quoted("6")), OtherField},
		"unknown field":           {request("Remark", quoted("x")), OtherField},
		"SendMax":                 {request("SendMax", quoted("5")), OtherField},
		"DeliverMin":              {request("DeliverMin", quoted("5")), OtherField},
		"DeliverMax":              {request("DeliverMax", quoted("5")), OtherField},
		"Paths":                   {request("Paths", "[]"), OtherField},
		"NetworkID":               {request("NetworkID", "1"), OtherField},
		"Delegate":                {request("Delegate", quoted(issuer.String())), OtherField},
		"AccountTxnID":            {request("AccountTxnID", quoted("00")), OtherField},
		"LimitAmount too":         {request("LimitAmount", issued(`"5"`, "USD", issuer.String())), OtherField},
		"hash":                    {request("hash", quoted("00")), OtherField},
		"SetFlag":                 {request("SetFlag", "1"), OtherField},
		"empty key":               {request("SigningPubKey", `""`), chain.ForeignScript},
		"signature":               {request("TxnSignature", quoted("00")), chain.ForeignScript},
		"signers":                 {request("Signers", "[]"), chain.ForeignScript},
		"no type":                 {request("TransactionType", ""), OtherType},
		"type as number":          {request("TransactionType", "0"), OtherType},
		"account delete":          {request("TransactionType", quoted("AccountDelete")), OtherType},
		"no account":              {request("Account", ""), chain.Malformed},
		"no destination":          {request("Destination", ""), chain.Malformed},
		"no amount":               {request("Amount", ""), chain.Malformed},
		"no fee":                  {request("Fee", ""), chain.Malformed},
		"no sequence":             {request("Sequence", ""), chain.Malformed},
		"null amount":             {request("Amount", "null"), chain.Malformed},
		"null destination":        {request("Destination", "null"), chain.Malformed},
		"amount as number":        {request("Amount", "5"), chain.Malformed},
		"amount with a sign":      {request("Amount", quoted("+5")), chain.Malformed},
		"amount padded":           {request("Amount", quoted("05")), chain.Malformed},
		"amount of a fraction":    {request("Amount", quoted("5.0")), chain.Malformed},
		"amount in hex":           {request("Amount", quoted("0x5")), chain.Malformed},
		"amount with an exponent": {request("Amount", quoted("5e1")), chain.Malformed},
		"amount empty":            {request("Amount", quoted("")), chain.Malformed},
		"above all XRP":           {request("Amount", quoted("100000000000000001")), chain.Malformed},
		"fee as number":           {request("Fee", "10"), chain.Malformed},
		"fee in XRP":              {request("Fee", quoted("0.00001")), chain.Malformed},
		"sequence as text":        {request("Sequence", quoted("7")), chain.Malformed},
		"sequence with exponent":  {request("Sequence", "7e0"), chain.Malformed},
		"sequence of a fraction":  {request("Sequence", "7.0"), chain.Malformed},
		"sequence negative":       {request("Sequence", "-7"), chain.Malformed},
		"sequence above 2^32":     {request("Sequence", "4294967303"), chain.Malformed},
		"tag -0":                  {request("DestinationTag", "-0"), chain.Malformed},
		"tag null":                {request("DestinationTag", "null"), chain.Malformed},
		"tag of 2^32":             {request("DestinationTag", "4294967296"), chain.Malformed},
		"tag as text":             {request("DestinationTag", quoted("5")), chain.Malformed},
		"X and its own tag":       {request("Destination", quoted(payee.X(Some(5), chain.Mainnet)), "DestinationTag", "5"), chain.Malformed},
		"X and another tag":       {request("Destination", quoted(payee.X(Some(5), chain.Mainnet)), "DestinationTag", "6"), chain.Malformed},
		"X without, and a tag":    {request("Destination", quoted(payee.X(Number{}, chain.Mainnet)), "DestinationTag", "6"), chain.Malformed},
		"X of the other network":  {request("Destination", quoted(payee.X(Some(5), chain.Testnet))), chain.WrongNetwork},
		"X as account":            {request("Account", quoted(payer.X(Number{}, chain.Mainnet))), chain.Malformed},
		"value as number":         {request("Amount", issued(`12.5`, "USD", issuer.String())), chain.Malformed},
		"value negative":          {request("Amount", issued(`"-12.5"`, "USD", issuer.String())), chain.Malformed},
		"value 0":                 {request("Amount", issued(`"0"`, "USD", issuer.String())), chain.ValueOutOfRange},
		"currency XRP":            {request("Amount", issued(`"5"`, "XRP", issuer.String())), chain.Malformed},
		"currency XRP in hex":     {request("Amount", issued(`"5"`, "0000000000000000000000005852500000000000", issuer.String())), chain.Malformed},
		"currency of four":        {request("Amount", issued(`"5"`, "USDT", issuer.String())), chain.Malformed},
		"currency with an accent": {request("Amount", issued(`"5"`, "UÉ", issuer.String())), chain.Malformed},
		"currency in lower hex":   {request("Amount", issued(`"5"`, "5453542d33356335366100000000000000000000", issuer.String())), chain.Malformed},
		"no issuer":               {request("Amount", `{"value":"5","currency":"USD"}`), chain.Malformed},
		"MPT":                     {request("Amount", `{"value":"5","mpt_issuance_id":"00"}`), chain.Malformed},
		"a fourth member":         {request("Amount", `{"value":"5","currency":"USD","issuer":"`+issuer.String()+`","x":1}`), chain.Malformed},
		"trust line with tag":     {request("TransactionType", `"TrustSet"`, "Amount", "", "Destination", "", "LimitAmount", issued(`"5"`, "USD", issuer.String()), "DestinationTag", "1"), OtherField},
		"trust line, no limit":    {request("TransactionType", `"TrustSet"`, "Amount", "", "Destination", ""), chain.Malformed},
		"memos empty":             {request("Memos", "[]"), chain.Malformed},
		"memos of numbers":        {request("Memos", "[1]"), chain.Malformed},
		"memo not wrapped":        {request("Memos", `[{"MemoData":"00"}]`), chain.Malformed},
		"memo empty":              {request("Memos", `[{"Memo":{}}]`), chain.Malformed},
		"memo beside another":     {request("Memos", `[{"Memo":{"MemoData":"00"},"Signer":{}}]`), chain.Malformed},
		"memo not hex":            {request("Memos", `[{"Memo":{"MemoData":"hello"}}]`), chain.Malformed},
		"memo with more":          {request("Memos", `[{"Memo":{"MemoData":"00","Other":"00"}}]`), chain.Malformed},
		"invoice of 31 bytes":     {request("InvoiceID", quoted(strings.Repeat("00", 31))), chain.Malformed},
		"to self":                 {request("Destination", quoted(payer.String())), ToSelf},
		"special":                 {request("Destination", quoted("rrrrrrrrrrrrrrrrrrrrrhoLvTp")), chain.Malformed},
	} {
		if r, err := ReadRequest(chain.Mainnet, c.text); chain.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s\n%s\n%+v", name, err, c.code, c.text, r)
		}
	}
}

func TestResolve(t *testing.T) {
	r := Request{Tx: sound()["payment"]}
	got, err := r.Resolve(payer, Quote{Sequence: 7, Ledger: 600, LastLedger: 9000})
	if err != nil || got.LastLedger != Some(9000) || got.CheckRenewed(r.Tx) != nil {
		t.Errorf("%v: %+v", err, got)
	}
	if got, err := r.Resolve(payer, Quote{}); err != nil || !bytes.Equal(got.Encode(), r.Tx.Encode()) {
		t.Errorf("%v: %+v", err, got)
	}
	if _, err := (Request{Tx: sound()["ticket"]}).Resolve(payer, Quote{Sequence: 100}); err != nil {
		t.Errorf("a ticket: %v", err)
	}
	for name, c := range map[string]struct {
		account Account
		quote   Quote
		code    chain.Code
	}{
		"another account":      {payee, Quote{}, OtherAccount},
		"sequence used":        {payer, Quote{Sequence: 8}, SequenceUsed},
		"expired":              {payer, Quote{Ledger: 500}, Expired},
		"expired when renewed": {payer, Quote{Ledger: 500, LastLedger: 499}, Expired},
	} {
		if got, err := r.Resolve(c.account, c.quote); chain.CodeOf(err) != c.code {
			t.Errorf("%s: %v (%+v)", name, err, got)
		}
	}
}

// Addresses of the tests of ripple-address-codec.
func TestAddress(t *testing.T) {
	const classic = "r9cZA1mLK5R5Am25ArfXFmqgNwjZgnfk59"
	a, err := ParseAccount(classic)
	if err != nil || a.String() != classic {
		t.Fatalf("%s, %v", a, err)
	}
	for x, c := range map[string]struct {
		network chain.Network
		tag     Number
	}{
		"X7AcgcsBL6XDcUb289X4mJ8djcdyKaB5hJDWMArnXr61cqZ": {chain.Mainnet, Number{}},
		"T719a5UwUCnEs54UsxG9CJYYDhwmFCqkr7wxCcNcfZ6p5GZ": {chain.Testnet, Number{}},
		"X7AcgcsBL6XDcUb289X4mJ8djcdyKaGZMhc9YTE92ehJ2Fu": {chain.Mainnet, Some(1)},
		"T719a5UwUCnEs54UsxG9CJYYDhwmFCvbJNZbi37gBGkRkbE": {chain.Testnet, Some(1)},
	} {
		got, tag, err := ParseX(x, c.network)
		if err != nil || got != a || tag != c.tag || a.X(tag, c.network) != x {
			t.Errorf("%s: %s %+v %v, made %s", x, got, tag, err, a.X(c.tag, c.network))
		}
		if _, _, err := ParseX(x, 3-c.network); chain.CodeOf(err) != chain.WrongNetwork {
			t.Errorf("%s on the other network: %v", x, err)
		}
	}
	for _, s := range []string{
		"", "r", classic[:33], classic + "r", "r" + classic, classic[:33] + "8", "R" + classic[1:], " " + classic, classic + "\n",
		"rrrrrrrrrrrrrrrrrrrrrhoLvT", "rrrrrrrrrrrrrrrrrrrrrrhoLvTp", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "snoPBrXtMeMyMHUVTgbuqAfg1SUTb",
		strings.Repeat("r", 100), strings.Repeat("z", 64),
	} {
		if a, err := ParseAccount(s); err == nil {
			t.Errorf("%q: %s", s, a)
		}
	}
	bad := func(flag byte, tag ...byte) string {
		return EncodeBase58(prefixX(chain.Mainnet), append(append(a[:], flag), tag...))
	}
	for _, x := range []string{bad(0, 1, 0, 0, 0, 0, 0, 0, 0), bad(1, 1, 0, 0, 0, 1, 0, 0, 0), bad(2, 1, 0, 0, 0, 0, 0, 0, 0), bad(1, 1, 0, 0, 0, 0, 0, 0), classic} {
		if a, tag, err := ParseX(x, chain.Mainnet); err == nil {
			t.Errorf("%s: %s %+v", x, a, tag)
		}
	}
}

func TestValue(t *testing.T) {
	for s, want := range map[string]string{
		"12.5": "12.5", "1.25e+20": "125000000000000000000", "1.25E20": "125000000000000000000", "0": "0", "0.0": "0", "0e5": "0",
		"0.01123456789012349": "0.01123456789012349", "1e-5": "0.00001", "100.00": "100", "1000000": "1000000",
		"9999999999999999": "9999999999999999", "1234567890123456000": "1234567890123456000", "12.500e1": "125",
	} {
		v, err := ParseValue(s)
		if err != nil || v.String() != want {
			t.Errorf("%s = %s (%v), want %s", s, v, err, want)
			continue
		}
		if again, err := ParseValue(v.String()); err != nil || again != v {
			t.Errorf("%s comes back as %+v: %v", s, again, err)
		}
	}
	for _, s := range []string{
		"", "-1", "+1", ".5", "5.", "01", "1e", "1e+", "e5", "1e1e1", "1,5", " 1", "0x5", "NaN", "Infinity", "1_000", "1.2.3", "1e99999999999999999999",
		"1.2345678901234567", "12345678901234567", "1e97", "1e-82", "1e201", "0." + strings.Repeat("0", 300) + "1", "１",
	} {
		if v, err := ParseValue(s); err == nil {
			t.Errorf("%q = %s", s, v)
		}
	}
	if q, ok := usd("12.5").Quantity(); !ok || q.String() != "12500000000000000000000000000000" {
		t.Errorf("12.5 = %s of 10^-30, %v", q, ok)
	}
	if a, b := usd("5"), (Amount{Drops: 1_500_000}); a.Token() != "USD."+issuer.String() || b.Token() != "" || b.String() != "1.500000 XRP (1500000)" || !strings.Contains(a.String(), issuer.String()) {
		t.Errorf("%s, %s", a, b)
	}
}

func FuzzRequest(f *testing.F) {
	for _, text := range []string{
		request(), request("Amount", issued(`"12.5"`, "USD", issuer.String())), request("Memos", `[{"Memo":{"MemoData":"00"}}]`),
		request("Destination", `"`+payee.X(Some(5), chain.Mainnet)+`"`), request("TransactionType", `"AccountSet"`, "Amount", "", "Destination", "", "SetFlag", "1"),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ReadRequest(chain.Mainnet, s)
		if err != nil {
			return
		}
		again, err := Decode(r.Tx.Encode())
		if err != nil || !bytes.Equal(again.Encode(), r.Tx.Encode()) {
			t.Errorf("%q: %v", s, err)
		}
	})
}

func FuzzValue(f *testing.F) {
	for _, s := range []string{"12.5", "1.25e+20", "0", "9999999999999999e80", "1e-81"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseValue(s)
		if err != nil {
			return
		}
		if again, err := ParseValue(v.String()); err != nil || again != v {
			t.Errorf("%q is %s, which is %+v: %v", s, v, again, err)
		}
	})
}

func FuzzAddress(f *testing.F) {
	f.Add(payer.String())
	f.Add(payee.X(Some(7), chain.Mainnet))
	f.Add(payee.X(Number{}, chain.Testnet))
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := ParseAccount(s); err == nil && a.String() != s {
			t.Errorf("%q comes back as %s", s, a)
		}
		for _, n := range []chain.Network{chain.Mainnet, chain.Testnet} {
			if a, tag, err := ParseX(s, n); err == nil && a.X(tag, n) != s {
				t.Errorf("%q comes back as %s", s, a.X(tag, n))
			}
		}
	})
}
