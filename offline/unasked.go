package offline

import (
	"coldkms/offline/sign"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// Unasked is a transaction that no relay asks for: another program wrote it in a
// format of its own.
type Unasked struct {
	Item   bundle.Item   // its id begins with UnaskedPrefix
	Parts  [][]byte      // what the item's family needs beside it
	Named  []chain.Key   // keys of mnemonics that its outputs name: like those that a request names, own at any index
	Digest bundle.Digest // over everything that is judged
	Err    error         // why the item cannot be judged; nil if it can

	// Answer writes what was signed in the format of the question.
	Answer func(done sign.Signed) ([]byte, error)
}

// UnaskedPrefix begins the pending ids of what no relay asks for.
const UnaskedPrefix = "psbt-"

// JudgeUnasked judges what no relay asks for by the same rules. What is wrong
// with the transaction is a refusal of its item.
func (s *Session) JudgeUnasked(u Unasked) (*Judged, error) {
	if s.Unsettled != nil {
		return nil, s.Unsettled
	}
	request := bundle.SealedRequest{Digest: u.Digest, Request: bundle.Request{
		Items: []bundle.Item{u.Item}, Attachments: bundle.AttachmentsOf(u.Item.Family, u.Parts),
	}}
	opened, err := s.open(request.Request)
	if err != nil {
		return nil, err
	}
	named := s.namedBook(u.Item, u.Named)
	j := newJudged(request)
	j.unasked, j.opened, j.named = &u, opened, named
	if u.Err != nil {
		j.items[0].err = u.Err
		j.Batch = s.describe(j)
		return j, nil
	}
	s.judge(j)
	return j, nil
}

// namedBook indexes the keys that outputs of an item name; nil if there are none.
func (s *Session) namedBook(item bundle.Item, named []chain.Key) sign.Book {
	catalogue, listed := s.Keys.(Catalogue)
	finder := s.finder(item.Family)
	if !listed || finder == nil || len(named) == 0 {
		return nil
	}
	var keys []sign.Known
	for _, e := range catalogue.Entries() {
		for _, key := range named {
			if key.SignatureID == e.ID {
				keys = append(keys, children(e, []int64{key.Index})...)
			}
		}
	}
	book, err := finder.Book(item.Coin, keys)
	if err != nil {
		return nil
	}
	return book
}

// IsUnasked reports whether no relay asks for this.
func (j *Judged) IsUnasked() bool { return j.unasked != nil }

// Answer returns what was signed in the format of the question, or nil if it was
// refused.
func (j *Judged) Answer(done Signatures) ([]byte, error) {
	if len(done.Outcomes) != 1 || done.Outcomes[0].Err != nil {
		return nil, nil
	}
	return j.unasked.Answer(done.Outcomes[0].Signed)
}
