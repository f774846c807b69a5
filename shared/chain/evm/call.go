package evm

import (
	"encoding/hex"

	"coldkms/shared/chain"
)

// Selector is the first four bytes of a call: of the Keccak-256 of the
// method's name and types.
type Selector [4]byte

// String returns eight hex digits.
func (s Selector) String() string { return hex.EncodeToString(s[:]) }

// SelectorOf returns the selector of calldata; ok is false for fewer than four
// bytes.
func SelectorOf(data []byte) (s Selector, ok bool) {
	if len(data) < len(s) {
		return s, false
	}
	return Selector(data), true
}

// Kind is what a transaction does. Its zero value is nothing.
type Kind uint8

// The kinds. Where a selector is the same in two standards, the contract alone
// knows which one it follows: TransferFrom moves an amount of an ERC-20 or the
// token id of an ERC-721, and Approve allows as much of either.
const (
	UnknownKind     Kind = iota
	Pay                  // coin to an account
	Transfer             // ERC-20 transfer: own tokens
	TransferFrom         // ERC-20 or ERC-721: tokens of From
	TransferNFT          // one ERC-721 token
	TransferMulti        // ERC-1155 tokens, or a custodial wallet's: each of Moves
	Approve              // ERC-20 allowance, or ERC-721 approval, is set
	IncreaseAllow        // ERC-20 allowance grows by Amount
	DecreaseAllow        // ERC-20 allowance shrinks by Amount
	Permit               // EIP-2612: an allowance that From signed elsewhere
	ApproveAll           // ERC-721, ERC-1155: all tokens of a contract; Amount 0 takes it back
	Mint                 // new tokens to To
	Burn                 // own token destroyed
	CustodyTransfer      // Tatum's custodial wallet pays out: each of Moves
	CustodyApprove       // Tatum's custodial wallet allows Spender
	CustodyCreate        // Tatum's gas pump makes addresses owned by To
)

// Standard is what kind of asset moves. Its zero value is none. The order is
// that of the numbers by which Tatum's custodial wallets know them.
type Standard uint8

// The standards.
const (
	NoStandard Standard = iota
	ERC20
	ERC721
	ERC1155
	Native // the coin
)

// Move is one asset that changes hands.
type Move struct {
	Standard Standard
	Token    Address // contract; of no meaning for the coin
	To       Address
	ID       chain.Amount // token id, of ERC721 and ERC1155
	Amount   chain.Amount // in the smallest unit; of no meaning for ERC721
}

// Call is what a transaction does, as far as its bytes say. Fields that a kind
// has no use for are zero.
type Call struct {
	Kind     Kind
	Method   string  // such as "transfer(address,uint256)"; "" for Pay
	Contract Address // that is called; zero for Pay
	From     Address // whose tokens: TransferFrom, TransferNFT, TransferMulti, Permit
	To       Address
	Spender  Address
	Amount   chain.Amount // smallest unit: wei for Pay, else of a token whose decimals only the signer's own list knows
	ID       chain.Amount // token id
	Deadline chain.Amount // Permit: seconds since 1970
	Moves    []Move       // TransferMulti, CustodyTransfer, CustodyApprove: never empty there
	Text     []byte       // what rides along: data for the receiver, token URI
}

// half is 2^255: whoever allows as much has no balance that it would limit.
func half() chain.Amount {
	var b [32]byte
	b[0] = 0x80
	return chain.AmountFromBytes(b)
}

// Unlimited reports whether the call allows another account to take whatever
// there is: an allowance of 2^255 or more, or an approval of all tokens.
func (c Call) Unlimited() bool {
	switch c.Kind {
	case Approve, IncreaseAllow, Permit, CustodyApprove:
		return c.Amount.Cmp(half()) >= 0
	case ApproveAll:
		return !c.Amount.IsZero()
	}
	return false
}

// Allows reports whether the call lets another account move tokens later.
// Taking back an allowance, and lowering one, is not that. Whether
// approve(spender, 0) takes back an allowance of an ERC-20 or allows the token
// 0 of an ERC-721, the contract alone knows, so it counts as allowing.
func (c Call) Allows() bool {
	switch c.Kind {
	case Approve, CustodyApprove:
		return !c.Spender.IsZero()
	case IncreaseAllow, Permit, ApproveAll:
		return !c.Amount.IsZero()
	}
	return false
}

// DecodeCall reads the calldata of a call to a contract: a known method, whose
// arguments are in their one form and encode to the same bytes again. All else
// is refused: BlindCall for what is not known, Malformed for what is known and
// badly formed.
func DecodeCall(contract Address, data []byte) (Call, error) {
	selector, ok := SelectorOf(data)
	if !ok {
		return Call{}, chain.Refuse(BlindCall, "data of %d bytes is no call of a method", len(data))
	}
	if name, ok := blindName(selector); ok {
		return Call{}, chain.Refuse(BlindCall, "%s (selector %s) runs calls hidden in its arguments", name, selector)
	}
	m, ok := methodOf(selector)
	if !ok {
		return Call{}, chain.Refuse(BlindCall, "selector %s is of no known method", selector)
	}
	args, err := decodeArgs(m.types(), data[len(selector):])
	if err != nil {
		return Call{}, chain.Refuse(chain.Malformed, "call of %s: %v", m.signature, err)
	}
	call := m.call(args)
	call.Method, call.Contract = m.signature, contract
	if call.Kind == TransferMulti {
		for i := range call.Moves {
			call.Moves[i].Token = contract
		}
	}
	if err := call.check(); err != nil {
		return Call{}, err
	}
	return call, nil
}

// check refuses what loses tokens for certain, or what no wallet means.
func (c Call) check() error {
	if c.Kind == Transfer && c.Amount.Cmp(half()) >= 0 {
		return chain.Refuse(chain.ValueOutOfRange, "%s of %s units: no balance can hold it", c.Method, c.Amount)
	}
	switch c.Kind {
	case Transfer, TransferFrom, TransferNFT, Mint:
		return c.checkPayee(c.To, c.Contract)
	case CustodyCreate:
		return c.checkPayee(c.To, Address{})
	case TransferMulti, CustodyTransfer:
		if len(c.Moves) == 0 {
			return chain.Refuse(chain.Malformed, "%s: the arrays do not pair, or hold an unknown kind of token", c.Method)
		}
		for _, m := range c.Moves {
			if err := c.checkPayee(m.To, m.Token); err != nil {
				return err
			}
		}
	case CustodyApprove:
		if len(c.Moves) == 0 {
			return chain.Refuse(chain.Malformed, "%s: an unknown kind of token", c.Method)
		}
	}
	if c.isAllowance() && c.Spender.IsZero() && !c.Amount.IsZero() {
		return chain.Refuse(ZeroAddress, "%s allows the zero address", c.Method)
	}
	return nil
}

// isAllowance reports whether the call is about what another account may do.
func (c Call) isAllowance() bool {
	switch c.Kind {
	case Approve, IncreaseAllow, DecreaseAllow, Permit, ApproveAll, CustodyApprove:
		return true
	}
	return false
}

func (c Call) checkPayee(to, token Address) error {
	switch {
	case to.IsZero():
		return chain.Refuse(ZeroAddress, "%s pays the zero address", c.Method)
	case to == token:
		return chain.Refuse(ToToken, "%s sends tokens to their own contract, where they are lost", c.Method)
	}
	return nil
}
