//go:build unix

package main

import (
	"fmt"
	"strings"
)

// coin is what differs from one coin to the other. Amounts are in coins.
type coin struct {
	id, path   string
	node       string // what stands behind the local Tatum
	elsewhere  string // somebody else's address: the hash of BIP 173's own example
	fund       string // what the address gets
	pays, back string // what is paid elsewhere, and what comes back; the rest is the fee
	fee        string // of the withdrawal
	byOutput   bool   // Tatum takes outputs to spend, and no address
}

func coinOf(name string) (coin, error) {
	c := coin{id: strings.ToUpper(name), fund: "0.001", pays: "0.0004", back: "0.00059", fee: "0.00002",
		node: "a chain of its own"}
	switch c.id {
	case "BTC":
		c.path, c.node, c.elsewhere = "bitcoin", "a Bitcoin node in regtest", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
	case "LTC":
		c.path, c.elsewhere = "litecoin", "tltc1qw508d6qejxtdg4y5r3zarvary0c5xw7klfsuq0"
	case "DOGE":
		c.path, c.elsewhere = "dogecoin", "nesRpRaAbTDmZHwmzBkLd2AtF7Z9L9z5S2"
		c.fund, c.pays, c.back, c.fee = "100", "40", "58.5", "1.5"
	case "BCH":
		c.path, c.elsewhere, c.byOutput = "bcash", "bchtest:qp63uahgrxged4z5jswyt5dn5v3lzsem6cq85x00dt", true
	default:
		return coin{}, fmt.Errorf("no coin %.20q: BTC, LTC, DOGE or BCH", name)
	}
	return c, nil
}

// chain is the flag of kms-sandbox that names the coin.
func (c coin) chain() string {
	if c.id == "BTC" {
		return ""
	}
	return "--chain " + c.id + " "
}
