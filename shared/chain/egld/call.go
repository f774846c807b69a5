package egld

import (
	"encoding/hex"
	"math/big"
	"slices"
	"strings"

	"coldkms/shared/chain"
)

// Kind is what a transaction does. Its zero value is nothing.
type Kind uint8

// The kinds.
const (
	UnknownKind   Kind = iota
	Pay                // EGLD, with a note
	Transfer           // ESDTTransfer: one fungible token
	TransferNFT        // ESDTNFTTransfer: one token with a number
	TransferMulti      // MultiESDTNFTTransfer: each of Moves
)

// Move is a token that changes hands.
type Move struct {
	Token  string // identifier, such as USDC-c76f1f; EGLD-000000 is the coin
	Nonce  uint64 // number of an NFT, an SFT or a meta token; 0 for a fungible one
	Amount chain.Amount
}

// Call is what a transaction does.
type Call struct {
	Kind  Kind
	To    Address // the payee, who is not always the transaction's receiver
	Note  []byte  // Pay: the data, which the network does not act on
	Moves []Move  // never empty but for Pay
}

// Built-in functions that are read. They stand in the data before their
// arguments: name@hex@hex….
const (
	nameTransfer = "ESDTTransfer"
	nameNFT      = "ESDTNFTTransfer"
	nameMulti    = "MultiESDTNFTTransfer"
	divider      = "@"
)

// Call returns what the transaction does. Data to an account is a note, unless
// the network could take it for a call of a built-in function; of those only
// transfers of tokens are read. Contracts are neither called nor paid.
func (t Tx) Call() (Call, error) {
	call, err := t.call()
	switch {
	case err != nil:
		return Call{}, err
	case call.To.IsZero():
		return Call{}, chain.Refuse(ZeroAddress, "it pays the zero address")
	case call.To.IsEmptyWords():
		return Call{}, chain.Refuse(EmptyWords, "%s is an address of the empty mnemonic, whose key everybody has", call.To)
	case call.To.IsContract():
		return Call{}, chain.Refuse(ToContract, "%s is a contract", call.To)
	case len(t.Data) > MaxData:
		return Call{}, chain.Refuse(chain.TooLarge, "data of %d bytes, at most %d are signed for", len(t.Data), MaxData)
	case call.Kind != Pay && !t.Value.IsZero():
		return Call{}, chain.Refuse(ValueOnCall, "a transfer of tokens also sends %s of the coin", t.Value)
	}
	return call, nil
}

func (t Tx) call() (call Call, err error) {
	name, rest, hasArgs := strings.Cut(string(t.Data), divider)
	if !hasArgs && !isFunction(name) {
		return Call{Kind: Pay, To: t.Receiver, Note: t.Data}, nil
	}
	a := args{left: strings.Split(rest, divider)}
	if !hasArgs {
		a.left = nil
	}
	switch name {
	case nameTransfer:
		call = Call{Kind: Transfer, To: t.Receiver, Moves: []Move{{Token: a.token(), Amount: a.amount()}}}
	case nameNFT:
		move := Move{Token: a.token(), Nonce: a.number(), Amount: a.amount()}
		call = Call{Kind: TransferNFT, To: a.address(), Moves: []Move{move}}
	case nameMulti:
		call = Call{Kind: TransferMulti, To: a.address(), Moves: a.moves()}
	default:
		return Call{}, chain.Refuse(BlindCall, "data is a call of %.40q, which is not signed for", name)
	}
	switch {
	case a.err != nil:
		return Call{}, a.err
	case len(a.left) > 0:
		return Call{}, chain.Refuse(BlindCall, "%s has %d arguments behind its own: it calls a contract", name, len(a.left))
	case call.Kind != Transfer && t.Receiver != t.Sender:
		return Call{}, chain.Refuse(NotToSelf, "%s names the payee in its data, and must go to the sender itself", name)
	}
	return call, nil
}

// longWord is the length from which a word of capitals and small letters is
// taken for the name of a function. All that act without arguments today are
// longer.
const longWord = 10

// isFunction reports whether data without arguments could be the name of a
// built-in function. Names are written LikeThis; functions that act without
// arguments today are GuardAccount, UnGuardAccount and ClaimDeveloperRewards.
func isFunction(text string) bool {
	if strings.HasPrefix(strings.ToUpper(text), "ESDT") {
		return true
	}
	const small, capital = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return len(text) >= longWord && strings.Trim(text, small+capital) == "" &&
		strings.Contains(capital, text[:1]) && strings.ContainsAny(text[1:], capital) && strings.ContainsAny(text, small)
}

// args takes arguments of a call and remembers the first error.
type args struct {
	left []string
	err  error
}

func (a *args) fail(format string, values ...any) {
	if a.err == nil {
		a.err = malformed(format, values...)
	}
}

func (a *args) bytes(what string) []byte {
	if len(a.left) == 0 {
		a.fail("the call has no %s", what)
		return nil
	}
	text := a.left[0]
	a.left = a.left[1:]
	b, err := hex.DecodeString(text)
	if err != nil {
		a.fail("%s is not pairs of hex digits", what)
	}
	return b
}

// amount reads a number above 0, in its shortest form, of at most 256 bits.
func (a *args) amount() chain.Amount {
	b := a.bytes("amount")
	if len(b) == 0 || len(b) > 32 || b[0] == 0 {
		a.fail("the amount is 0, has zeros before it, or more than 256 bits")
		return chain.Amount{}
	}
	v, err := chain.AmountFromBig(new(big.Int).SetBytes(b))
	if err != nil {
		a.fail("the amount is %v", err)
	}
	return v
}

// number reads a number below 2^64. Of 0 there are two forms, nothing and 00.
func (a *args) number() uint64 {
	b := a.bytes("number")
	if len(b) > 8 || len(b) > 1 && b[0] == 0 {
		a.fail("a number has zeros before it, or more than 64 bits")
		return 0
	}
	return new(big.Int).SetBytes(b).Uint64()
}

func (a *args) address() (to Address) {
	b := a.bytes("payee")
	if len(b) != len(to) {
		a.fail("the payee has %d bytes, and an address has %d: there is no such account", len(b), len(to))
		return to
	}
	return Address(b)
}

// Lengths of a token's ticker and of the random part behind it.
const (
	minTicker, maxTicker = 3, 10
	randomDigits         = 6
)

// token reads an identifier: a ticker of 3 to 10 capitals and digits, a hyphen,
// 6 hex digits.
func (a *args) token() string {
	text := string(a.bytes("token"))
	ticker, random, _ := strings.Cut(text, "-")
	if len(ticker) < minTicker || len(ticker) > maxTicker || strings.Trim(ticker, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" ||
		len(random) != randomDigits || strings.Trim(random, "0123456789abcdef") != "" {
		a.fail("token %.40q is no identifier such as USDC-c76f1f", text)
		return ""
	}
	return text
}

// maxMoves bounds the tokens of one transaction.
const maxMoves = 32

func (a *args) moves() (list []Move) {
	n := a.number()
	if n == 0 || n > maxMoves {
		a.fail("%d tokens in one transfer, between 1 and %d are read", n, maxMoves)
		return nil
	}
	for range n {
		m := Move{Token: a.token(), Nonce: a.number(), Amount: a.amount()}
		if slices.ContainsFunc(list, func(o Move) bool { return o.Token == m.Token && o.Nonce == m.Nonce }) {
			a.fail("token %s stands twice in one transfer", m.Token)
		}
		list = append(list, m)
	}
	return list
}
