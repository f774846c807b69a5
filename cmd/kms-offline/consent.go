package main

import (
	"errors"
	"fmt"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/offline/policy"
	"coldkms/shared/bundle"
)

// consent gets the person's answer: the digest of a batch that was reviewed
// before, or a word typed at the end of the review.
func (a *app) consent(session *openSession, judged *offline.Judged, approved map[bundle.Digest]bool, o signOptions) (policy.Consent, string, error) {
	signable, refused := judged.Batch.Count()
	if len(o.approve) > 0 {
		digest := judged.Request.Digest
		if !approved[digest] {
			return policy.Consent{}, "", o.refusal(judged.OtherDigest("--approve"))
		}
		if err := (decisions{a, session, judged, ""}).check(); err != nil {
			return policy.Consent{}, "", err
		}
		consent, err := session.AgreeByDigest(judged, digest)
		if err != nil {
			return policy.Consent{}, "", o.refusal(err)
		}
		if signable == 0 {
			err = judged.Batch.Text(printable{a.Err})
		}
		return consent, "digest", err
	}
	if signable == 0 {
		return policy.Consent{}, "", a.askToRefuse(judged, refused)
	}
	return a.ask(session, judged, o)
}

// askToRefuse shows a batch of which nothing can be signed. A result makes the
// relay give up all of it: where a person is there, they are asked first.
func (a *app) askToRefuse(judged *offline.Judged, refused int) error {
	tty, err := openTerminal()
	if err != nil {
		return judged.Batch.Text(printable{a.Err})
	}
	defer tty.close()
	show := judged.Batch.Text
	if refused > aFew {
		show = judged.Batch.Head
	}
	if err := show(printable{tty.tty}); err != nil || judged.IsUnasked() {
		return err // of a PSBT nothing is written
	}
	yes, err := tty.confirm(fmt.Sprintf("Nothing of this can be signed. Tell the relay that %s?", allRefused(refused)))
	if err == nil && yes {
		return nil
	}
	if err == nil {
		err = errors.New("no result was written: the relay goes on waiting for one")
	}
	return cli.Fail(cli.Declined, err, "mend what is refused and sign it again, or answer y: the relay then marks it refused")
}

func allRefused(n int) string {
	if n == 1 {
		return "it is refused"
	}
	return fmt.Sprintf("all %d are refused", n)
}
