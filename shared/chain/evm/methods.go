package evm

import (
	"strings"

	"coldkms/shared/chain"
)

// method is one that calls are decoded for. The selector is the first four
// bytes of Keccak-256 of the signature, which a test computes.
type method struct {
	selector  Selector
	signature string
	call      func(a []arg) Call
}

// types returns the types of the arguments.
func (m method) types() []string {
	_, list, _ := strings.Cut(strings.TrimSuffix(m.signature, ")"), "(")
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

func methodOf(s Selector) (method, bool) {
	for _, m := range methods {
		if m.selector == s {
			return m, true
		}
	}
	return method{}, false
}

// blindName names a method that runs other calls: multicall of many
// contracts, execTransaction of Safe.
func blindName(s Selector) (string, bool) {
	switch s {
	case Selector{0xac, 0x96, 0x50, 0xd8}:
		return "multicall(bytes[])", true
	case Selector{0x6a, 0x76, 0x12, 0x02}:
		return "execTransaction of a Safe", true
	}
	return "", false
}

// methods is never written to. Sources: ERC-20, ERC-721, ERC-1155, ERC-2612
// (permit), OpenZeppelin's ERC20 4.x (increaseAllowance), USDT of TRON
// (increaseApproval), and the contracts that Tatum's API deploys
// (CUSTODIAL_PROXY_ABI, ERC721 and ERC1155 of @tatumio/tatum 1.37.68).
var methods = [...]method{
	{Selector{0xa9, 0x05, 0x9c, 0xbb}, "transfer(address,uint256)", func(a []arg) Call {
		return Call{Kind: Transfer, To: a[0].address(), Amount: a[1].amount()}
	}},
	{Selector{0x23, 0xb8, 0x72, 0xdd}, "transferFrom(address,address,uint256)", func(a []arg) Call {
		return Call{Kind: TransferFrom, From: a[0].address(), To: a[1].address(), Amount: a[2].amount()}
	}},
	{Selector{0x09, 0x5e, 0xa7, 0xb3}, "approve(address,uint256)", allowance(Approve)},
	{Selector{0x39, 0x50, 0x93, 0x51}, "increaseAllowance(address,uint256)", allowance(IncreaseAllow)},
	{Selector{0xa4, 0x57, 0xc2, 0xd7}, "decreaseAllowance(address,uint256)", allowance(DecreaseAllow)},
	{Selector{0xd7, 0x3d, 0xd6, 0x23}, "increaseApproval(address,uint256)", allowance(IncreaseAllow)},
	{Selector{0xd5, 0x05, 0xac, 0xcf}, "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)", func(a []arg) Call {
		return Call{Kind: Permit, From: a[0].address(), Spender: a[1].address(), Amount: a[2].amount(), Deadline: a[3].amount()}
	}},
	{Selector{0xa2, 0x2c, 0xb4, 0x65}, "setApprovalForAll(address,bool)", allowance(ApproveAll)},
	{Selector{0x42, 0x84, 0x2e, 0x0e}, "safeTransferFrom(address,address,uint256)", transferNFT},
	{Selector{0xb8, 0x8d, 0x4f, 0xde}, "safeTransferFrom(address,address,uint256,bytes)", transferNFT},
	{Selector{0xf2, 0x42, 0x43, 0x2a}, "safeTransferFrom(address,address,uint256,uint256,bytes)", func(a []arg) Call {
		return Call{Kind: TransferMulti, From: a[0].address(), Moves: []Move{{Standard: ERC1155, To: a[1].address(), ID: a[2].amount(), Amount: a[3].amount()}}, Text: a[4].text}
	}},
	{Selector{0x42, 0x3f, 0x6c, 0xef}, "safeTransfer(address,uint256)", func(a []arg) Call {
		return Call{Kind: TransferNFT, To: a[0].address(), ID: a[1].amount()}
	}},
	{Selector{0xae, 0x28, 0xb6, 0x8c}, "safeTransfer(address,uint256,uint256,bytes)", func(a []arg) Call {
		return Call{Kind: TransferMulti, Moves: []Move{{Standard: ERC1155, To: a[0].address(), ID: a[1].amount(), Amount: a[2].amount()}}, Text: a[3].text}
	}},
	{Selector{0x36, 0x8b, 0x28, 0x42}, "safeBatchTransfer(address,uint256[],uint256[],bytes)", func(a []arg) Call {
		return Call{Kind: TransferMulti, Moves: movesTo(a[0].address(), a[1].amounts(), a[2].amounts()), Text: a[3].text}
	}},
	{Selector{0x50, 0xbb, 0x4e, 0x7f}, "mintWithTokenURI(address,uint256,string)", func(a []arg) Call {
		return Call{Kind: Mint, To: a[0].address(), ID: a[1].amount(), Text: a[2].text}
	}},
	{Selector{0x40, 0xc1, 0x0f, 0x19}, "mint(address,uint256)", func(a []arg) Call {
		return Call{Kind: Mint, To: a[0].address(), Amount: a[1].amount()}
	}},
	{Selector{0x42, 0x96, 0x6c, 0x68}, "burn(uint256)", func(a []arg) Call {
		return Call{Kind: Burn, Amount: a[0].amount()}
	}},
	{Selector{0xf2, 0x88, 0x1e, 0x21}, "transfer(address,uint256,address,uint256,uint256)", func(a []arg) Call {
		return Call{Kind: CustodyTransfer, Moves: custodyMoves(a)}
	}},
	{Selector{0x96, 0x6f, 0x19, 0x7c}, "transferBatch(address[],uint256[],address[],uint256[],uint256[])", func(a []arg) Call {
		return Call{Kind: CustodyTransfer, Moves: custodyMoves(a)}
	}},
	{Selector{0xf7, 0xe2, 0x90, 0xa4}, "approve(address,uint256,address,uint256,uint256)", func(a []arg) Call {
		return Call{Kind: CustodyApprove, Spender: a[2].address(), Amount: a[3].amount(), Moves: custodyMoves(a)}
	}},
	{Selector{0xae, 0x66, 0x6a, 0xb6}, "createBatch(address,uint256[])", func(a []arg) Call {
		return Call{Kind: CustodyCreate, To: a[0].address(), Amount: chain.NewAmount(uint64(len(a[1].list)))}
	}},
}

func allowance(kind Kind) func(a []arg) Call {
	return func(a []arg) Call { return Call{Kind: kind, Spender: a[0].address(), Amount: a[1].amount()} }
}

func transferNFT(a []arg) Call {
	call := Call{Kind: TransferNFT, From: a[0].address(), To: a[1].address(), ID: a[2].amount()}
	if len(a) > 3 {
		call.Text = a[3].text
	}
	return call
}

// movesTo pairs ids with amounts, all to one account; nil if they do not pair.
func movesTo(to Address, ids, amounts []chain.Amount) (moves []Move) {
	if len(ids) != len(amounts) {
		return nil
	}
	for i := range ids {
		moves = append(moves, Move{Standard: ERC1155, To: to, ID: ids[i], Amount: amounts[i]})
	}
	return moves
}

// custodyMoves reads the five arguments of a custodial wallet's methods, which
// are token, kind of token, receiver, amount and token id: each a value, or
// each an array. It returns nil if they do not pair, or if a kind is unknown.
func custodyMoves(a []arg) (moves []Move) {
	var columns [5][]word
	for i := range columns {
		columns[i] = a[i].list
		if columns[i] == nil {
			columns[i] = []word{a[i].word}
		}
	}
	for _, c := range columns {
		if len(c) != len(columns[0]) {
			return nil
		}
	}
	for i := range columns[0] {
		kind, ok := smallWord(columns[1][i])
		if !ok || kind > int(Native-ERC20) {
			return nil
		}
		moves = append(moves, Move{
			Standard: ERC20 + Standard(kind), Token: addressOf(columns[0][i]), To: addressOf(columns[2][i]),
			Amount: chain.AmountFromBytes(columns[3][i]), ID: chain.AmountFromBytes(columns[4][i]),
		})
	}
	return moves
}
