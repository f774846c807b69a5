package fraud

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"coldkms/offline/policy"
	"coldkms/offline/sign"
	"coldkms/offline/sign/utxo"
	"coldkms/shared/chain"
)

// cell is what was measured of one company, and of one fraud in it.
type cell struct{ frauds, page, looked int }

type company struct {
	looks, clean, refused int
	byCode                map[chain.Code]int
	byFraud               map[string]*cell
}

func number(t *testing.T, name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s: %q", name, text)
	}
	return n
}

// reported are the seeds of which figures are reported; thresholds were set on
// those below.
const reported = 1_000_000

// measure reviews so many batches of each company and fraud.
func measure(t *testing.T, from, seeds int, past bool, p func(*Company) policy.Policy) map[Kind]*company {
	of := sign.Families{utxo.Signer{Chains: coins[:]}}
	got := map[Kind]*company{}
	var mu sync.Mutex
	var workers sync.WaitGroup
	jobs := make(chan func())
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for job := range jobs {
				job()
			}
		})
	}
	for _, kind := range Kinds() {
		got[kind] = &company{byFraud: map[string]*cell{}, byCode: map[chain.Code]int{}}
		for n, f := range append(Frauds(), Fraud{Name: "none", Plant: func(*Company) {}}) {
			for s := range seeds {
				jobs <- func() {
					c := NewCompany(kind, uint64(from+s*100+n))
					policy := p(c)
					f.Plant(c)
					o, err := Review(c, of, policy, past)
					mu.Lock()
					defer mu.Unlock()
					if err != nil {
						t.Error(err)
					}
					got[kind].add(f.Name, o)
				}
			}
		}
	}
	close(jobs)
	workers.Wait()
	return got
}

func (c *company) add(fraud string, o Outcome) {
	if fraud == "none" {
		c.looks, c.clean, c.refused = c.looks+o.Looks, c.clean+o.Clean, c.refused+o.Refused
		for code, n := range o.ByCode {
			c.byCode[code] += n
		}
		return
	}
	if c.byFraud[fraud] == nil {
		c.byFraud[fraud] = new(cell)
	}
	of := c.byFraud[fraud]
	of.frauds++
	if o.FirstPage {
		of.page++
	}
	if o.Flagged {
		of.looked++
	}
}

func (c *company) total() (all cell) {
	for _, of := range c.byFraud {
		all.frauds, all.page, all.looked = all.frauds+of.frauds, all.page+of.page, all.looked+of.looked
	}
	return all
}

func report(name string, got map[Kind]*company) (page, frauds int, perMille float64) {
	var parts []string
	for _, kind := range Kinds() {
		c := got[kind]
		all := c.total()
		page, frauds = page+all.page, frauds+all.frauds
		rate := float64(c.looks) * 1000 / float64(c.clean)
		perMille = max(perMille, rate)
		parts = append(parts,
			fmt.Sprintf("%s %d of %d on the first page, %d flagged, %.1f flags and %.1f refused of 1000 clean",
				kind, all.page, all.frauds, all.looked, rate, float64(c.refused)*1000/float64(c.clean)))
	}
	fmt.Printf("frauds: %s: %d of %d on the first page: %s\n", name, page, frauds, strings.Join(parts, "; "))
	return page, frauds, perMille
}

func table(name string, got map[Kind]*company) {
	fmt.Printf("fraud table: %s | payroll | exchange | suppliers\n", name)
	for _, f := range Frauds() {
		line := f.Name
		for _, kind := range Kinds() {
			of := got[kind].byFraud[f.Name]
			line += fmt.Sprintf(" | %d/%d", of.page, of.frauds)
		}
		fmt.Printf("fraud table: %s\n", line)
	}
	for _, kind := range Kinds() {
		for _, code := range slices.Sorted(maps.Keys(got[kind].byCode)) {
			fmt.Printf("fraud flags: %s %s %.2f of 1000\n", kind, code,
				float64(got[kind].byCode[code])*1000/float64(got[kind].clean))
		}
	}
}

// readyPolicy is the ready policy of a company, with its payees as it would import
// them: those who are on the list of staff or of suppliers, with a limit of three
// times what they usually get. Of customers there is no list.
func readyPolicy(t *testing.T, of policy.Coins, c *Company) policy.Policy {
	text, _ := policy.Ready(string(c.Kind))
	p, err := policy.Parse(of, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if c.Kind == Exchange {
		return p
	}
	var list []policy.Payee
	for _, payee := range c.Payees {
		limit := chain.NewAmount(uint64(payee.usual * scale[payee.Coin] * 3))
		list = append(list, policy.Payee{Name: payee.Name, Chain: string(coins[payee.Coin]), Network: "mainnet",
			Address: payee.Address, Limit: &limit})
	}
	if p, err = p.WithPayees(list); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestFrauds reviews batches with and without a planted fraud.
func TestFrauds(t *testing.T) {
	seeds, from := number(t, "KMS_SEEDS", 1), number(t, "KMS_FROM", reported)
	of := sign.Families{utxo.Signer{Chains: coins[:]}}
	byDefault := func(*Company) policy.Policy { return policy.Default(of) }
	for _, x := range []struct {
		name   string
		past   bool
		policy func(*Company) policy.Policy
	}{
		{"default policy, three batches before", true, byDefault},
		{"ready policies, three batches before", true, func(c *Company) policy.Policy { return readyPolicy(t, of, c) }},
		{"default policy, no history", false, byDefault},
	} {
		got := measure(t, from, seeds, x.past, x.policy)
		report(x.name, got)
		if seeds > 1 {
			table(x.name, got)
		}
	}
}
