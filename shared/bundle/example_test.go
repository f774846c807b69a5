package bundle_test

import (
	"bytes"
	"errors"
	"fmt"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

// A signer seals its answer; the relay opens it, if it is of the signer that
// it is paired with.
func Example() {
	signer, err := identity.FromSeed(bytes.Repeat([]byte{1}, identity.SeedSize)) // identity.New(rand.Reader)
	if err != nil {
		panic(err)
	}
	sealed, err := bundle.SealResult(bundle.Result{
		LedgerHead: make([]byte, 32), LedgerLen: 7,
		Outcomes: []bundle.Outcome{bundle.Refused("5e68c66581f2ee32bc354087", chain.Denied, "the address is denied")},
	}, signer)
	if err != nil {
		panic(err)
	}

	paired := signer.Public()
	result, err := bundle.OpenResultOf(sealed.File, func(author identity.Public) error {
		if author != paired {
			return errors.New("not the signer that this relay is paired with")
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	o := result.Outcomes[0]
	fmt.Println(o.ID, o.Signed(), o.Reason)

	damaged := bytes.Clone(sealed.File)
	damaged[len(damaged)/2] ^= 1
	_, err = bundle.OpenResult(damaged)
	fmt.Println(errors.Is(err, bundle.ErrInvalid))
	// Output:
	// 5e68c66581f2ee32bc354087 false the address is denied
	// true
}
