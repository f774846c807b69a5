package wallet

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"coldkms/shared/identity"
)

// Errors about operators.
var (
	ErrNoOperator   = errors.New("there is no operator of this name")
	ErrHasOperator  = errors.New("the wallet has an operator of this name already")
	ErrOperatorName = errors.New("an operator's name is 1 to 32 letters, digits, '.', '-' or '_', and begins with a letter or digit")
	ErrSamePassword = errors.New("it is the password of the wallet, which others know: an operator has one of their own")
)

// Operator is a person who may approve batches. The private key is sealed as
// the wallet file itself is, under a password that only this person knows.
type Operator struct {
	Name   string          `cbor:"1,keyasint"`
	Key    identity.Public `cbor:"2,keyasint"`
	Sealed []byte          `cbor:"3,keyasint"` // the seed of the key, in the form of a wallet file
	Added  int64           `cbor:"4,keyasint"` // Unix time
}

// Bounds of operators.
const (
	maxOperators    = 64
	maxOperatorName = 32
	sealedSize      = headerSize + identity.SeedSize + chacha20poly1305.Overhead
)

// CheckOperatorName reports whether a name can be an operator's.
func CheckOperatorName(name string) error {
	for i, c := range []byte(name) {
		plain := c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !plain && (i == 0 || c != '.' && c != '-' && c != '_') {
			return ErrOperatorName
		}
	}
	if name == "" || len(name) > maxOperatorName {
		return ErrOperatorName
	}
	return nil
}

func checkOperators(list []Operator) error {
	if len(list) > maxOperators {
		return errors.New("too many operators")
	}
	for i, o := range list {
		if err := CheckOperatorName(o.Name); err != nil {
			return err
		}
		if len(o.Sealed) != sealedSize {
			return fmt.Errorf("sealed key of operator %s has %d bytes", o.Name, len(o.Sealed))
		}
		for _, before := range list[:i] {
			if before.Key == o.Key || strings.EqualFold(before.Name, o.Name) {
				return fmt.Errorf("operators %s and %s are one", before.Name, o.Name)
			}
		}
	}
	return nil
}

// Operators returns all operators in the order in which they were added.
func (w *Wallet) Operators() []Operator {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return slices.Clone(w.operators)
}

// MayAddOperator returns an error for a name that no new operator can have.
func (w *Wallet) MayAddOperator(name string) error {
	if err := CheckOperatorName(name); err != nil {
		return err
	}
	list := w.Operators()
	if len(list) >= maxOperators {
		return fmt.Errorf("add operator: a wallet has at most %d operators", maxOperators)
	}
	for _, o := range list {
		if strings.EqualFold(o.Name, name) {
			return fmt.Errorf("%w: %s", ErrHasOperator, o.Name)
		}
	}
	return nil
}

// AddOperator enrols a person: it makes a key and seals it under the person's
// password, at the cost of the wallet's. now is in Unix seconds.
func (w *Wallet) AddOperator(name string, password []byte, now int64) (Operator, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
		return Operator{}, ErrClosed
	case len(password) == 0:
		return Operator{}, fmt.Errorf("add operator: %w", ErrEmptyPassword)
	case bytes.Equal(password, w.password):
		return Operator{}, fmt.Errorf("add operator: %w", ErrSamePassword)
	}
	key, err := identity.New(w.random)
	if err != nil {
		return Operator{}, fmt.Errorf("add operator: %w", err)
	}
	seed := key.Seed()
	defer clear(seed)
	sealed, k, err := seal(seed, password, w.cost, w.random)
	if err != nil {
		return Operator{}, fmt.Errorf("add operator: %w", err)
	}
	k.wipe()
	o := Operator{Name: name, Key: key.Public(), Sealed: sealed, Added: now}
	list := append(slices.Clone(w.operators), o)
	if err := checkOperators(list); err != nil {
		return Operator{}, fmt.Errorf("add operator: %w", err)
	}
	w.operators = list
	return o, nil
}

// RemoveOperator takes an operator out and reports whether they were there.
func (w *Wallet) RemoveOperator(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := len(w.operators)
	w.operators = slices.DeleteFunc(slices.Clone(w.operators), func(o Operator) bool { return o.Name == name })
	return len(w.operators) < before
}

// UnlockOperator returns an operator's private key. Errors: ErrNoOperator,
// ErrWrongPassword, ErrDamaged.
func (w *Wallet) UnlockOperator(name string, password []byte) (identity.Private, error) {
	list := w.Operators()
	at := slices.IndexFunc(list, func(o Operator) bool { return o.Name == name })
	if at < 0 {
		return identity.Private{}, fmt.Errorf("unlock operator %.40q: %w", name, ErrNoOperator)
	}
	seed, _, err := unseal(list[at].Sealed, password)
	defer clear(seed)
	if err != nil {
		return identity.Private{}, fmt.Errorf("unlock operator %s: %w", name, err)
	}
	key, err := identity.FromSeed(seed)
	if err == nil && key.Public() != list[at].Key {
		err = errors.New("the sealed key is another")
	}
	if err != nil {
		return identity.Private{}, fmt.Errorf("unlock operator %s: %w: %w", name, ErrDamaged, err)
	}
	return key, nil
}
