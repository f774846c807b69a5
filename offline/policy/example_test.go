package policy

import "fmt"

// A policy is read and explained; an unknown field is an error.
func ExampleParse() {
	p, err := Parse(utxoCoins{}, []byte(`{"version": 1, "name": "payouts", "chains": [
		{"chain": "BTC", "network": "mainnet", "limits": [{"per": "day", "sum": 500000000}]}]}`))
	if err != nil {
		panic(err)
	}
	fmt.Println(p.Name(), len(p.Hash()))
	_, err = Parse(utxoCoins{}, []byte(`{"version": 1, "nmae": "payouts"}`))
	fmt.Println(err)
	// Output:
	// payouts 32
	// policy is invalid: unknown field "nmae"
}
