package offline

import (
	"errors"
	"fmt"
	"testing"

	"coldkms/offline/operator"
	"coldkms/offline/policy"
	"coldkms/offline/sign"
	"coldkms/shared/bundle"
)

// many are ids of a batch that takes several writes; each content is one byte,
// which repeats: only its first item is another.
func many(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("good-%d", i)
	}
	return ids
}

// An item that was refused when operators approved the batch is not signed
// under their approvals when it could be, after signing was cut short.
func TestCutShortIsOfTheSameItems(t *testing.T) {
	for _, lifted := range []bool{false, true} {
		m := &memory{}
		s, relay := newSession(t, m)
		s.Policy = parsePolicy(t, twoOfThem)
		s.Operators = []operator.Operator{{Name: "a", Key: person(t, 11).Public()}, {Name: "b", Key: person(t, 12).Public()}}
		file := request(t, s, relay, many(2*chunk)...).File
		s.Signers[0] = refusing{id: "good-900"}
		j := judged(t, s, file)
		reviewed(t, s, j)
		for _, key := range []byte{11, 12} {
			if _, err := s.Approve(j, person(t, key), "typed"); err != nil {
				t.Fatal(err)
			}
		}
		m.fail, m.after = errors.New("power is gone"), 4 // the yes and its mark, the first chunk and its mark
		if _, err := s.Sign(j, s.Agree(j), "digest"); err == nil {
			t.Fatal("it was not cut short")
		}
		m.fail = nil
		if lifted {
			s.Signers[0] = family{}
		}
		j = judged(t, s, file)
		if got := len(s.Approvers(j)) == 2; got == lifted {
			t.Errorf("one more item can be signed: %v, approvals count: %v", lifted, got)
		}
		if _, err := s.AgreeByDigest(j, j.Request.Digest); (err == nil) == lifted {
			t.Errorf("one more item can be signed: %v, by digest: %v", lifted, err)
		}
	}
}

// refusing is family, but for one item, whose input is nobody's.
type refusing struct {
	family
	id string
}

func (r refusing) Open([][]byte) (sign.Opened, error) { return r, nil }

func (r refusing) Prepare(item bundle.Item, keys sign.Keys) (sign.Job, error) {
	if item.ID == r.id {
		return foreign{job(item.ID)}, nil
	}
	return family{}.Prepare(item, keys)
}

type foreign struct{ job }

func (f foreign) Subject() policy.Subject {
	s := f.job.Subject()
	s.Facts.Sources[0].Own = false
	return s
}
