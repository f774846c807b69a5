package signtest

import (
	"iter"
	"testing"

	"coldkms/offline/policy"
	"coldkms/offline/sign"
	"coldkms/shared/chain"
)

func none() policy.Approval { return policy.Approval{} }

// approve returns an approval of a job, by a policy that knows only its coin.
func approve(t *testing.T, job sign.Job) policy.Approval {
	t.Helper()
	subject, batch := job.Subject(), [32]byte{1}
	verdict := policy.Default(anyCoin{subject.Facts.Coin, subject.Facts.Asset}).Judge([]policy.Subject{subject}, policy.Circumstances{}, nothing{})[0]
	approval, err := verdict.Approve(batch, policy.Agree(batch))
	if err != nil {
		t.Fatal(err)
	}
	return approval
}

// anyCoin is a coin without a cap.
type anyCoin struct {
	coin  chain.Coin
	asset chain.Asset
}

func (c anyCoin) Coins() []chain.Coin                    { return []chain.Coin{c.coin} }
func (c anyCoin) Coin(of chain.Coin) (policy.Coin, bool) { return c, of == c.coin }
func (c anyCoin) Asset() chain.Asset                     { return c.asset }
func (anyCoin) Largest() chain.Amount                    { return chain.MaxAmount() }
func (anyCoin) FeeCap() chain.Amount                     { return chain.MaxAmount() }
func (anyCoin) FeeRateCap() chain.Amount                 { return chain.MaxAmount() }
func (anyCoin) LockOf(address string) ([]byte, error)    { return []byte(address), nil }
func (anyCoin) Address(lock []byte) string               { return string(lock) }
func (anyCoin) NameOf(lock []byte) string                { return string(lock) }
func (anyCoin) Prefix() string                           { return "" }
func (anyCoin) KeyForms([]byte) []string                 { return nil }
func (anyCoin) ListedForms([]byte) []string              { return nil }
func (anyCoin) Commits([]byte) bool                      { return false }

// nothing is a History without a past.
type nothing struct{}

func (nothing) Signed(string) ([32]byte, bool)        { return [32]byte{}, false }
func (nothing) Freed(string) ([32]byte, bool)         { return [32]byte{}, false }
func (nothing) Spender(string) ([32]byte, bool)       { return [32]byte{}, false }
func (nothing) Record([32]byte) (policy.Record, bool) { return policy.Record{}, false }
func (nothing) Now() int64                            { return 0 }
func (nothing) Payments(int64) iter.Seq[policy.Payment] {
	return func(func(policy.Payment) bool) {}
}
