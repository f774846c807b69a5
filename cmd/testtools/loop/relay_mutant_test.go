package loop

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mutantsEnv makes TestMutants seed every fault, not only the first ones.
const mutantsEnv = "KMS_MUTANTS"

// mutant is a fault put into the code, and the test that must see it.
type mutant struct {
	name, file, from, to string
	pkg, test            string
}

// The first five are what a relay must never do; `make test` has these.
var mutants = [...]mutant{
	{"what expired stays with the signer", "online/expiry.go", "d.err == nil && x.Expired(d.draft)", "d.err != nil && x.Expired(d.draft)", "./online", "TestAccountsExpiry"},
	{"what Tatum sent is exported, not what was proven", "online/prepare.go", "if len(it.Prepared) == 0 {", "if len(it.Prepared) == 0 || true {", "./online", "TestDamagedForm"},
	{"the first page is the whole list", "online/addresslist.go", "case l.bounded && len(l.made) == 0, short", "case len(l.made) == 0, short", "./online", "TestAccountsNonceConflict"},
	{"a used nonce is no conflict", "online/tatum/address.go", "	if r.Nonce != nil {\n", "	if false && r.Nonce != nil {\n", "./online", "TestAccountsNonceConflict"},
	{"a wish replaces what Tatum changed", "online/journal/marks.go", "	if m.shown != \"\" && m.shown != code {\n", "	if m.shown != \"\" && m.shown != code && false {\n", "./cmd/testtools/loop", "TestRelayFaults/120a-a-rejection-that-fails-hides-no-other-reason"},
	{"a retry meets the shown reason only", "online/retry.go", "waits && it.Marked(chain.ContentChanged)", "waits && it.Withheld == chain.ContentChanged", "./cmd/testtools/loop", "TestRelayFaults/120a-a-rejection-that-fails-hides-no-other-reason"},
	{"a reason that was not looked at is lost", "online/retry.go", "	case it.Marked(CodeRestored) && it.Signed == nil && !ended(it):\n", "	case it.Withheld == CodeRestored && it.Signed == nil && !ended(it):\n", "./cmd/testtools/loop", "TestRelayFaults/120b-a-rejection-that-fails-after-a-restore"},
	{"what reject saw in the network is forgotten", "online/unpaid.go", "		_, err = r.paidUnrecorded(ctx, it, lease, ours.TxID())\n", "", "./cmd/testtools/loop", "TestRelayFaults/120b-a-rejection-that-fails-after-a-restore"},
	{"what this relay dropped goes to the signer", "online/retry.go", "	case it.Signed == nil && it.Marked(journal.Dropping):", "	case false && it.Signed == nil && it.Marked(journal.Dropping):", "./cmd/testtools/loop", "TestRelayFaults/120c-retry-of-what-this-relay-may-have-dropped"},
	{"broadcast before journal", "online/import.go",
		"		err = r.journal.Import(ctx, res, s.signed, s.refused)\n",
		"		for _, x := range s.signed {\n			_, _ = r.Tatum.Broadcast(ctx, s.items[x.ID].Chain, x.ID, fmt.Sprintf(\"%x\", x.Raw))\n		}\n		err = r.journal.Import(ctx, res, s.signed, s.refused)\n",
		"./online", "TestJournaledBeforeSent"},
	{"no fsync", "online/journal/sqlite.go", `"synchronous(FULL)"`, `"synchronous(OFF)"`, "./online/journal", "TestSettings"},
	{"trust of failed", "online/tatum/broadcast.go", `Completed: absent(reply.Failed, "false") && `, `Completed: true || `, "./online", "TestBroadcastReplies"},
	{"lease ignored", "online/journal/lease.go", `return " AND holder = ? AND held_until > {now}", []any{l.holder}`, `return "", nil`, "./online/journal", "TestLease"},
	{"id reuse accepted", "online/journal/items.go", "return Changed, nil", "return Same, nil", "./online/journal", "TestAdd"},

	{"other bytes accepted", "online/journal/bundles.go", "if !bytes.Equal(have, s.Raw) {", "if false && !bytes.Equal(have, s.Raw) {", "./online/journal", "TestSignedOnce"},
	{"signed bytes may change", "online/journal/schema.go", "WHEN OLD.signed IS NOT NULL AND (NEW.signed IS NOT", "WHEN 1 = 0 AND (NEW.signed IS NOT", "./online/journal", "TestSignedOnce"},
	{"a lease that ran out is good", "online/journal/lease.go", `return " AND holder = ? AND held_until > {now}"`, `return " AND holder = ?"`, "./online/journal", "TestLeaseExpires"},
	{"a lost commit is made again", "online/journal/journal.go", "if n, err := done.RowsAffected(); err != nil || n == 0 {\n				return err", "if n, err := done.RowsAffected(); err != nil && n == 0 {\n				return err", "./online/journal", "TestPostgresLostCommit"},
	{"refused after signing is refused", "online/import.go", "case f.outcome.Code == chain.SignedEarlier:", "case false && f.outcome.Code == chain.SignedEarlier:", "./online", "TestImportSignedEarlier"},
	{"completed under any txid", "online/broadcast.go", "if !strings.EqualFold(txid, s.item.TxID) {", "if false && !strings.EqualFold(txid, s.item.TxID) {", "./online", "TestSomebodyElseCompleted"},
	{"a reply with another txid is taken", "online/broadcast.go", "if err == nil && !strings.EqualFold(reply.TxID, s.item.TxID) {", "if err == nil && false {", "./online", "TestBroadcastTroubles"},
	{"two ids paid by one payment", "online/broadcast.go", "payer != s.item.ID {", "false && payer != s.item.ID {", "./online", "TestSameTransaction"},
	{"any 404 is gone", "online/reject.go", `errors.As(err, &said) && said.Code == "kms.missing"`, "errors.As(err, &said) && said.Status == 404", "./online", "TestRejectNotFound"},
	{"a late signature is lost", "online/journal/state.go", "	{Prepared, Signed}, // as above\n", "", "./online/journal", "TestLateSignature"},
	{"a change in company leaves half of itself", "online/journal/batchcommit.go", `"ROLLBACK TO SAVEPOINT alone"`, `"SELECT 1"`, "./online/journal", "TestTogether"},
	{"a dead end is sent for ever", "online/doublespend.go", "	case v.never:\n", "	case v.never && s == nil:\n", "./online", "TestInputsSpent"},

	{"a stranger's result is expanded", "shared/bundle/result.go", "	if err := accept(signer); err != nil {\n",
		"	if _, err := expand(rest); err != nil {\n		return SealedResult{}, err\n	}\n	if err := accept(signer); err != nil {\n",
		"./shared/bundle", "TestStrangersFileIsNotExpanded"},

	{"absence taken for evidence", "online/verdict.go", "	case err == nil && v.code == \"\":\n		return s.contestedParent(ctx)\n", "	case err == nil && v.code == \"\":\n		return verdict{never: true, code: CodeInputsSpent}, nil\n", "./online", "TestNoEvidence"},
	{"a forged spender is evidence", "online/prepare/utxo/conflicts.go", "shared && utxo.VerifyInput(c.params, other.MsgTx, i, out) == nil {", "shared && (i >= 0 || utxo.VerifyInput(c.params, other.MsgTx, i, out) == nil) {", "./online", "TestNoEvidence"},
	{"a spender without depth is evidence", "online/verdict.go", "	case r.depth < want:\n", "	case r.depth < want && s == nil:\n", "./online", "TestInputsSpent"},
	{"ours is not asked for last", "online/verdict.go", "	if err == nil && known {\n", "	if err == nil && known && false {\n", "./online", "TestInputsSpentByUs"},
	{"Tatum's record does not count", "online/verdict.go", "	} else if named { // then", "	} else if named && false { // then", "./online", "TestOursAfterAll"},
	{"to pay anew is advised always", "online/verdict.go", "	if r.same != \"\" {\n", "	if false && r.same != \"\" {\n", "./online", "TestSamePayment"},
	{"what was dead stays dead", "online/watch.go", "	if known {\n", "	if known && false {\n", "./online", "TestInputsSpent"},
	{"a child outlives its parent", "online/verdict.go", "		return s.childOf(ctx, parent)\n", "		return verdict{}, err\n", "./online", "TestDeadParent"},
	{"a bare 404 is an answer", "online/tatum/errors.go", "(e.absent || e.Code == codeNoPending", "(e.absent || e.Status == 404 || e.Code == codeNoPending", "./online", "TestWatch"},
	{"another's reply is an answer", "online/tatum/transaction.go", "	if text(r.Hash) != txid && text(r.TxID) != txid {", "	if false {", "./online/tatum", "TestKnown"},
	{"a page is a clear no", "online/tatum/errors.go", "e.Status < 500 && e.Code != \"\" && !e.Transient()", "e.Status < 500 && !e.Transient()", "./online/tatum", "TestKinds"},
	{"completed unseen", "online/broadcast.go", "	if s.item.State != journal.Signed {\n		return true, nil\n	}\n	return s.send(ctx)", "	if s.item.State != journal.Signed || s.turnsUp(ctx) == nil {\n		return true, nil\n	}\n	return s.send(ctx)", "./online", "TestBroadcastTroubles"},
	{"a mark is not read back", "online/broadcast.go", "	txid, err := s.Tatum.TxIDOf(ctx, s.item.ID)\n	switch {\n	case tatum.IsNotFound(err):\n		return s.dropped(ctx, err)\n	case err != nil:\n		return s.trouble(ctx, CodeNotMarked", "	txid, err := s.item.TxID, error(nil)\n	switch {\n	case tatum.IsNotFound(err):\n		return s.dropped(ctx, err)\n	case err != nil:\n		return s.trouble(ctx, CodeNotMarked", "./online", "TestMarkedInVain"},
	{"two payments of a withdrawal", "online/broadcast.go", "if ours, err := s.claimWithdrawal(ctx); err != nil || !ours {", "if false {\n		ours, err := true, error(nil)\n		_ = ours", "./online", "TestOneWithdrawal"},
	{"a cancelled withdrawal is completed", "online/withdrawal.go", "	return s.paidButCancelled(ctx, w)\n", "	return s.completes(ctx)\n", "./online", "TestPaidButCancelled"},
	{"an alarm ends with the next state", "online/journal/items.go", "			if m.Decided == \"\" {\n				continue\n			}\n", "			if m.Decided == \"\" {\n				m.Decided = \"nobody\"\n			}\n", "./online", "TestInputsSpent"},
	{"a signature for what was dropped is no alarm", "online/journal/bundles.go", "j.raise(ctx, tx, s.Alarm)", "j.raise(ctx, tx, nil)", "./online", "TestImportRejected"},
	{"schedules, known already is dead", "online/doublespend.go", "	if tatum.IsKnownAlready(said) {\n", "	if tatum.IsKnownAlready(said) {\n		return s.fails(ctx, CodeInputsSpent, \"\", said.Error())\n", "./online/daemon", "TestSchedules"},
	{"one confirmation is enough", "online/watch.go", "	want := s.depth()\n", "	want := int64(1)\n", "./online", "TestWatch"},
	{"a budget without reserves", "online/tatum/purpose.go", "if p != Settle && other != p {", "if false && other != p {", "./online/tatum", "TestBudgetReserve"},
	{"a budget of the future is kept", "online/tatum/window.go", "if w.at-at > slots {", "if false && w.at-at > slots {", "./online/tatum", "TestBudgetOfTheFuture"},
	{"a reply may drip", "online/tatum/slow.go", "took > dripGrace &&", "took > 1000*dripGrace &&", "./online/tatum", "TestDrip"},
	{"unprovable items are asked for in every round", "online/journal/items.go", "if n.Delay > 0 {", "if n.Delay < 0 {", "./online", "TestUnprovenBacksOff"},
	{"bad items open the breaker", "online/breaker.go", "func (b *breaker) works() { b.troubles.Store(0); b.denied.Store(0) }", "func (b *breaker) works() {}", "./online", "TestBadItemsFirst"},
	{"leases run out while working", "online/work.go", "_ = r.journal.Extend(ctx, l)", "_ = l", "./online", "TestLeaseKept"},
	{"a veto is forgotten", "online/approval.go", "case s.FourEye == nil && len(vetoes) > 0:", "case false && len(vetoes) > 0:", "./online", "TestVetoHolds"},
	{"the end of the program is an item's trouble", "online/broadcast.go", "	if ctx.Err() != nil {\n		return ctx.Err()\n	}\n	s.problem = ", "	s.problem = ", "./online", "TestEndBlamesNobody"},
	{"loops wait for each other", "online/daemon/daemon.go", "	var g errgroup.Group\n	for _, l := range loops {", "	var g errgroup.Group\n	g.SetLimit(1)\n	for _, l := range loops {", "./online/daemon", "TestLoopsAreApart"},

	{"a rejected item is placed again", "online/journal/void.go", "(state IN ('refused', 'rejected', 'failed') OR", "(state IN ('refused') OR", "./online/journal", "TestRecallOfRejected"},
	{"any height is a height", "online/evidence.go", "		case parent > height:\n", "		case parent > height && s == nil:\n", "./online", "TestBlockOfRival"},
	{"a block is not looked into", "online/evidence.go", "	case !block.TxIDs[txid]:\n", "	case !block.TxIDs[txid] && s == nil:\n", "./cmd/testtools/loop", "TestRelayFaults/20a-a-height-that-cannot-be"},
	{"one look is enough", "online/evidence.go", "s.Now().Before(again)", "false && s.Now().Before(again)", "./online", "TestInputsSpent"},
	{"a child is paid anew", "online/deadparent.go", "same != \"\" {", "same != \"\" && false {", "./cmd/testtools/loop", "TestRelayFaults/20b-child-of-what-paid-the-same"},
	{"one word of depth is the last", "online/watch.go", "settled := !s.deep && again.IsZero() && at.depth >= 2*want", "settled := again.IsZero() || true", "./cmd/testtools/loop", "TestRelayFaults/20d-confirmed-is-looked-at-once-more"},
	{"a txid is taken as it is written", "online/tatum/kms.go", "p.TxID = normal(*reply.TxID)", "p.TxID = strings.ToLower(*reply.TxID)", "./cmd/testtools/loop", "TestRelayFaults/20e-a-txid-written-otherwise"},
	{"one other txid is enough", "online/broadcast.go", "if err == nil && again != txid {", "if false && again != txid {", "./cmd/testtools/loop", "TestRelayFaults/20e-a-txid-written-otherwise"},
	{"the key in capitals is shown", "online/redact/text.go", "case 'A' <= c && c <= 'Z':", "case false:", "./online/tatum", "TestScrubForms"},
	{"another key is shown", "online/tatum/client.go", "	c.Secrets.Add(c.Key)\n", "	c.Secrets = &redact.Set{}\n	c.Secrets.Add(c.Key)\n", "./cmd/testtools/loop", "TestRelayFaults/48-secrets-in-any-writing"},
	{"the approval service may say secrets", "online/approval/client.go", "ErrRefused, status, c.secrets.Text(string(reply)))", "ErrRefused, status, string(reply))", "./cmd/testtools/loop", "TestRelayFaults/48-secrets-in-any-writing"},
	{"what is absent is refused", "online/tatum/breaker.go", "	case IsNotFound(err): //", "	case false: //", "./online/tatum", "TestAbsent"},
	{"a shell is a transaction", "online/tatum/confirmations.go", "	if err == nil {\n		err = c.shown(", "	if err == nil && len(reply.Hex) > 1<<20 {\n		err = c.shown(", "./cmd/testtools/loop", "TestRelayFaults/20c-an-empty-shell-is-no-transaction"},
	{"a dropped item is placed again", "online/journal/void.go", "OR withheld <> '')\"", "OR 1 = 0)\"", "./cmd/testtools/loop", "TestRelayFaults/02-item-dropped-at-tatum-after-export"},
	{"another tenant's missing is a rejection", "online/reject.go", "missing(err) && (gone ||", "missing(err) && (true || gone ||", "./cmd/testtools/loop", "TestRelayFaults/16e-what-is-not-there-is-not-rejected"},
	{"one chain stops the others", "online/fetch.go", "		g.Go(func() error { parts[i].run(ctx); return nil })\n", "		if parts[i].run(ctx); parts[i].unlisted != nil {\n			return report, parts[i].unlisted\n		}\n", "./cmd/testtools/loop", "TestRelayFaults/08-one-chain-answers-403"},
	{"the key is taken as it comes", "online/tatum/scrub.go", "	if !c.secrets.In(reply) {", "	if true {", "./cmd/testtools/loop", "TestRelayFaults/12-api-key-in-replies"},
	{"no limit at prepare", "online/prepare/utxo/prepared.go", "	if err := l.CheckItem(); err != nil {", "	if err := l.CheckItem(); err != nil && false {", "./cmd/testtools/loop", "TestRelayFaults/13-item-too-large-alone"},
	{"an unmounted stick took it", "shared/transport/file/media.go", "		err = m.stayed(folder, w.Path)\n", "		_ = m.stayed(folder, w.Path)\n", "./shared/transport/file", "TestUnmountedMeanwhile"},
	{"another stick took it", "shared/transport/file/media.go", "!sameMedium(folder, now)", "!sameMedium(now, now)", "./shared/transport/file", "TestAnotherStickMeanwhile"},
	{"pulled out passes for write-protected", "shared/transport/file/media.go", "range pulled {", "range pulled[:0] {", "./shared/transport/file", "TestGoneComesFirst"},
	{"FAT through FUSE takes nothing", "shared/transport/file/media.go", "	return m.FS.Rename(from, to)\n", "	return err\n", "./shared/transport/file", "TestWithoutRenameNew"},
	{"a full stick passes for a full disk", "cmd/kms-online/errors.go", "		{file.ErrFull, cli.Failed,", "		{file.ErrTorn, cli.Failed,", "./cmd/testtools/loop", "TestRelayFaults/06-real-file-systems-full-and-read-only"},
	{"one file stops the stick", "online/daemon/dropfolder.go", "	return !errors.Is(err, file.ErrGone) && !errors.Is(err, journal.ErrAway)", "	return false && !errors.Is(err, file.ErrGone) && !errors.Is(err, journal.ErrAway)", "./cmd/testtools/loop", "TestRelayFaults/06-oversize-and-unreadable-files-on-stick"},

	{"bytes leave without a record", "online/broadcast.go", "if err := s.journal.Hand(ctx, s.item.ID, s.lease); err != nil {", "if err := error(nil); err != nil {", "./cmd/testtools/loop", "TestRelayFaults/30a-sent-vetoed-and-rejected"},
	{"what may be paid is dropped", "online/unpaid.go", "	case why == \"\":\n", "	case true:\n", "./cmd/testtools/loop", "TestRelayFaults/50f-a-mined-payment-is-not-rejected-unsigned"},
	{"a withheld item is handed over", "online/journal/hand.go", " AND withheld = ''\"+fence", "\"+fence", "./online/journal", "TestHand"},
	{"what was given up is not watched", "online/watch.go", "CodeOtherTxID}, givenUp)", "CodeOtherTxID})", "./cmd/testtools/loop", "TestRelayFaults/30c-a-copy-of-what-was-disarmed-is-sent"},
	{"an id in capitals is another", "online/journal/schema.go", "CREATE UNIQUE INDEX items_by_folded ON items (lower(id))", "CREATE UNIQUE INDEX items_by_folded ON items (id)", "./cmd/testtools/loop", "TestRelayFaults/50j-an-id-in-capitals-is-no-second-payment"},
	{"a retry stands for whatever comes", "online/held.go", "\tif offer.Digest == s.item.Accepted {", "\tif s.item.Accepted != \"\" {", "./cmd/testtools/loop", "TestRelayFaults/51a-retry-stands-for-one-content"},
	{"what was there again is forgotten", "online/held.go", "\tif (offer == journal.Offer{}) {\n\t\treturn s.offered(ctx, offer)", "\tif (offer == journal.Offer{}) {\n\t\treturn nil", "./cmd/testtools/loop", "TestRelayFaults/51b-retry-after-it-was-there-again"},
	{"a withdrawal is as it came", "online/journal/payers.go", "WHERE lower(offered_withdrawal) = ?", "WHERE 1 = 0 AND lower(offered_withdrawal) = ?", "./cmd/testtools/loop", "TestRelayFaults/51c-a-withdrawal-that-becomes-known-later"},
	{"a retry pays a withdrawal twice", "online/retry.go", "\tif err := r.sameAsRetried(ctx, it); err != nil {\n", "\tif err := error(nil); err != nil {\n", "./cmd/testtools/loop", "TestRelayFaults/51c-a-withdrawal-that-becomes-known-later"},
	{"a body is not read", "online/approval/client.go", "\treturn reply, false, c.judge(resp.Header, reply)", "\treturn reply, false, nil", "./cmd/testtools/loop", "TestRelayFaults/52-a-body-that-says-no-lifts-no-veto"},
	{"any object is a yes", "online/approval/answer.go", "said == neither && !c.post", "said == neither && c == nil", "./online/approval", "TestBodies"},
	{"a yes has more beside it", "online/approval/answer.go", "	return errors.Is(err, io.EOF)\n", "	return err == nil || errors.Is(err, io.EOF)\n", "./online/approval", "TestBodies"},
	{"a yes without statements is a no", "online/approval/client.go", "also.Approved == nil && list != nil", "true", "./online/approval", "TestPostRefuses"},
	{"bad answers are silence", "online/approval/client.go", "errors.Is(err, errSilent)", "errors.Is(err, ErrNoAnswer)", "./online/approval", "TestAnswersAreNoSilence"},
	{"a service has many names", "online/approval/client.go", "\tu = u.JoinPath()\n", "", "./online/approval", "TestServiceName"},
	{"what is acknowledged never heals", "online/alarms.go", "journal.AlarmFilter{Lasting: true, Items: ids}", "journal.AlarmFilter{Items: ids}", "./cmd/testtools/loop", "TestRelayFaults/53a-acknowledged-and-evicted-again"},
	{"a refusal is no news after evicted", "online/watch.go", "strings.TrimSpace(s.item.TxID+\" \"+refusalKind(said, refused))", "strings.TrimSpace(s.item.TxID+refusalKind(nil, false))", "./cmd/testtools/loop", "TestRelayFaults/53b-acknowledged-and-refused-by-the-node"},
	{"an item is late at once", "online/journal/items.go", "it.SeenBy, now, now, now, ", "it.SeenBy, now, now, 0, ", "./cmd/testtools/loop", "TestRelayFaults/54-late-is-counted-from-the-first-state"},
	{"any key of the name counts", "online/reject.go", "goneBefore(it) && it.SeenBy == r.fingerprint()", "goneBefore(it)", "./cmd/testtools/loop", "TestRelayFaults/55-reject-under-a-key-that-was-swapped"},
	{"chains are fetched in one loop", "online/daemon/loop.go", "return d.fetchOf(ctx, r, round, []chain.ID{id}, true)", "return d.fetchOf(ctx, r, round, d.fetched(), true)", "./cmd/testtools/loop", "TestRelayFaults/56a-one-chain-that-hangs-delays-no-other"},
	{"calls that hang keep their places", "online/broadcast.go", "lends: share - workers", "lends: 0 * share", "./cmd/testtools/loop", "TestRelayFaults/56b-payments-that-hang-hold-up-no-other"},
	{"one 401 is the end", "online/breaker.go", "const maxDenied = 3", "const maxDenied = 1", "./cmd/testtools/loop", "TestRelayFaults/56c-one-401-is-about-one-payment"},
	{"what was given up is paid in silence", "online/held.go", "s.item.Code, s.left(ctx))}\n		m.Alarm = s.problem.alarm(s.item.TxID)\n", "s.item.Code, s.left(ctx))}\n", "./cmd/testtools/loop", "TestRelayFaults/30d-a-copy-of-what-was-rejected-is-sent"},
	{"a held item is sent", "online/approval.go", "	if withdrawn(s.item) {\n", "	if false {\n", "./cmd/testtools/loop", "TestRelayFaults/31a-signed-for-content-that-changed"},
	{"Tatum's record is not compared", "online/broadcast.go", "if err := s.compare(ctx, kms.Raw); err != nil {", "if err := error(nil); err != nil {", "./cmd/testtools/loop", "TestRelayFaults/31b-content-changes-after-import"},
	{"what Tatum dropped is not held", "online/broadcast.go", "	err = s.journal.Withhold(ctx, s.item.ID, CodeUnknown)\n", "	err = nil\n", "./cmd/testtools/loop", "TestRelayFaults/32-acknowledge-frees-nothing"},
	{"sent is called unsent", "online/held.go", "	if it.HandedKnown {\n", "	if true {\n		return \"It was not sent from here\", true, nil\n	}\n	if it.HandedKnown {\n", "./cmd/testtools/loop", "TestRelayFaults/33a-sent-is-not-called-unsent"},
	{"a page lifts a veto", "online/approval/answer.go", "if !isPage(h) {", "if true {", "./cmd/testtools/loop", "TestRelayFaults/34-another-service-lifts-no-veto"},
	{"any service lifts a veto", "online/approval.go", "if service != s.FourEye.Service() {", "if false {", "./cmd/testtools/loop", "TestRelayFaults/35-a-veto-outlives-reject-and-retry"},
	{"retry lifts a veto", "online/journal/marks.go", "SET beside = '', withheld = \"+unlessVetoed+\" WHERE", "SET beside = '', withheld = '' WHERE", "./cmd/testtools/loop", "TestRelayFaults/35-a-veto-outlives-reject-and-retry"},
	{"a wish to reject is forgotten", "online/reject.go", "if err := r.journal.Withhold(ctx, id, journal.Unwanted, slices.Concat(byTatum, byRestore)...); err != nil {", "if err := error(nil); err != nil {", "./cmd/testtools/loop", "TestRelayFaults/36-a-wish-to-reject-is-kept"},
	{"withdrawals differ in case", "online/journal/payers.go", "strings.ToLower(words(withdrawal))", "strings.TrimSpace(words(withdrawal))", "./cmd/testtools/loop", "TestRelayFaults/38-withdrawals-that-differ-in-case"},

	{"anything is a record", "online/tatum/kms.go", "	if reply.ID != id || reply.Tx == \"\" {\n", "	if false {\n", "./cmd/testtools/loop", "TestRelayFaults/50c-no-record-is-no-answer"},
	{"a block may list anything", "online/tatum/block.go", "!isTxID(txid) || b.TxIDs[txid] {", "false {", "./cmd/testtools/loop", "TestRelayFaults/50a-contradictions-are-no-evidence"},
	{"a block is read as it is written", "online/tatum/block.go", "if txid = normal(txid); !", "if txid += \"\"; !", "./cmd/testtools/loop", "TestRelayFaults/50a-contradictions-are-no-evidence"},
	{"another block will do", "online/tatum/block.go", " || normal(reply.Hash) != b.Hash ||", " ||", "./cmd/testtools/loop", "TestRelayFaults/50a-contradictions-are-no-evidence"},
	{"a block of any depth", "online/evidence.go", "block.Confirmations > at.Confirmations+1: // one", "false: // one", "./cmd/testtools/loop", "TestRelayFaults/50a-contradictions-are-no-evidence"},
	{"two looks at two blocks", "online/evidence.go", "e.height, e.block)", "e.height, \"\")", "./cmd/testtools/loop", "TestRelayFaults/50a-contradictions-are-no-evidence"},
	{"reject asks for no evidence", "online/unpaid.go", "	} else if why, dead, err = s.mayConfirm(ctx); why", "	} else if s == nil && why", "./cmd/testtools/loop", "TestRelayFaults/50b-reject-wants-the-same-evidence"},
	{"confirmed outside of any block", "online/watch.go", "	case doubt != \"\" || at.depth < want:\n", "	case false:\n", "./cmd/testtools/loop", "TestRelayFaults/50d-confirmed-needs-the-same-evidence"},
	{"bytes without signatures are enough", "online/tatum/confirmations.go", "	case !signed:\n", "	case false && !signed:\n", "./cmd/testtools/loop", "TestRelayFaults/50d-confirmed-needs-the-same-evidence"},
	{"a key has one script", "online/prepare/utxo/same.go", "range keyHashes(script) {", "range keyHashes(nil) {", "./cmd/testtools/loop", "TestRelayFaults/50e-the-same-key-by-another-script"},
	{"what is unsigned here is unpaid", "online/unpaid.go", "		if why, err = s.spentByOurs(ctx); err == nil", "		if err == nil", "./cmd/testtools/loop", "TestRelayFaults/50f-a-mined-payment-is-not-rejected-unsigned"},
	{"a backup has all that was sent", "online/held.go", "	case lost != \"\":\n", "	case lost != \"\" && it.Signed != nil:\n", "./cmd/testtools/loop", "TestRelayFaults/50g-restored-counts-as-handed"},

	{"what was rejected is not watched", "online/watch.go", "Outstanding: true}", "Outstanding: true, States: []journal.State{journal.Fetched}}", "./cmd/testtools/loop", "TestRelayFaults/50h-rejected-after-export-is-watched"},
	{"what was rejected is watched for ever", "online/outstanding.go", "	case gone, s.Now()", "	case gone && false, false && s.Now()", "./cmd/testtools/loop", "TestRelayFaults/50h-rejected-after-export-is-watched"},
	{"fetched after a restore is new", "online/journal/restore.go", "it.Created.Unix() <= at || made <= at+int64(skew/time.Second)", "it.Created.Unix() <= at || made < 0", "./cmd/testtools/loop", "TestRelayFaults/66a-fetched-after-a-restore-may-be-paid"},
	{"one restore hides another", "online/journal/restore.go", "			list = append(list, r)\n", "			list = []Restoration{r}\n", "./cmd/testtools/loop", "TestRelayFaults/66b-two-restores-both-count"},
	{"a restored journal asks no service", "online/approval.go", "err != nil || unsaid {", "err != nil || unsaid && false {", "./cmd/testtools/loop", "TestRelayFaults/66c-nothing-is-sent-before-the-service-is-named"},
	{"the service of a backup is enough", "cmd/kms-online/foureye.go", "(unsaid || a.externalURL", "(a.externalURL", "./cmd/testtools/loop", "TestRelayFaults/66c-nothing-is-sent-before-the-service-is-named"},
	{"a list that ends is whole", "online/addresslist.go", "	l.found.gap = fmt.Sprintf(\"Tatum's list of the transactions of %s was", "	_ = fmt.Sprintf(\"Tatum's list of the transactions of %s was", "./cmd/testtools/loop", "TestRelayFaults/66e-a-list-is-whole-or-says-nothing"},
	{"four pages are all there is", "online/spender.go", "maxPages     = 400", "maxPages     = 4", "./cmd/testtools/loop", "TestRelayFaults/66d-a-busy-address-is-searched-to-the-funding"},
	{"a spent output is unspent", "online/unpaid.go", "		case spent:\n", "		case spent && f.step == nil:\n", "./cmd/testtools/loop", "TestRelayFaults/66e-a-list-is-whole-or-says-nothing"},
	{"neither is paid without a look", "online/sametransaction.go", "	if known {\n		return fmt.Sprintf(\"%s: but the network", "	if known && false {\n		return fmt.Sprintf(\"%s: but the network", "./cmd/testtools/loop", "TestRelayFaults/66f-neither-is-paid-takes-a-look"},
	{"what is not found is not paid", "online/sametransaction.go", "	case why != \"\":\n		return fmt.Sprintf(\"%s: but it may", "	case false:\n		return fmt.Sprintf(\"%s: but it may", "./cmd/testtools/loop", "TestRelayFaults/66f-neither-is-paid-takes-a-look"},
	{"paid though refused is no news", "online/held.go", "	case len(vetoes) > 0:\n", "	case false:\n", "./cmd/testtools/loop", "TestRelayFaults/66g-paid-though-the-service-said-no"},
	{"an acknowledgement is about what came later", "online/journal/alarms.go", "closed == 0 && known == evidence:", "closed == 0:", "./cmd/testtools/loop", "TestRelayFaults/66h-other-content-is-another-alarm"},
	{"what was not asked was tried", "online/approval.go", "errors.Is(err, approval.ErrLeftAlone)", "false", "./cmd/testtools/loop", "TestRelayFaults/66i-items-that-nobody-answers-stop-no-export"},
	{"watch hides that the journal was restored", "online/alarms.go", "len(open[\"\"]) > 0 &&", "false &&", "./cmd/testtools/loop", "TestRelayFaults/66j-small-words"},
	{"a drop is not read back", "online/reject.go", "	return r.isDropped(ctx, it)\n", "	return nil\n", "./cmd/testtools/loop", "TestRelayFaults/41-dropped-as-tatum-says-and-there-all-the-same"},
	{"what Tatum lists all the same is no alarm", "online/stilllisted.go", "		if known[it.ID] {\n", "		if known[it.ID] || true {\n", "./cmd/testtools/loop", "TestRelayFaults/40a-disarmed-and-listed-all-the-same"},
	{"a short list is a word that it is gone", "online/stilllisted.go", "	case txid == \"\":\n", "	case txid == \"\" && r.journal.Heal(ctx, it.ID, CodeStillListed, \"\") != nil:\n", "./cmd/testtools/loop", "TestRelayFaults/40a-disarmed-and-listed-all-the-same"},
	{"one look drops what was sent", "online/verdict.go", "	if err == nil && !again.IsZero() {\n", "	if err == nil && !again.IsZero() && false {\n", "./cmd/testtools/loop", "TestRelayFaults/42-reject-of-what-was-sent-needs-evidence"},
	{"the same payment is dropped", "online/verdict.go", "	case v.same != \"\", !v.never:\n", "	case v.same != \"\" && s == nil, !v.never:\n", "./cmd/testtools/loop", "TestRelayFaults/42b-reject-of-what-may-be-the-same-payment"},
	{"an old journal knows what it sent", "online/held.go", "	case !it.Handed.IsZero():\n", "	case !it.Handed.IsZero() && false:\n", "./cmd/testtools/loop", "TestRelayFaults/43a-an-old-journal-does-not-know-what-it-sent"},
	{"a restored journal knows what it sent", "online/held.go", "	case lost != \"\":\n", "	case false:\n", "./cmd/testtools/loop", "TestRelayFaults/43b-a-restored-journal-does-not-know-what-it-sent"},
	{"an old journal watches no more", "online/journal/schema.go", "UPDATE items SET settled = 0 WHERE", "UPDATE items SET settled = 1 WHERE", "./cmd/testtools/loop", "TestRelayFaults/43c-an-old-journal-watches-on"},
	{"paid and cancelled never ends", "online/broadcast.go", "	case closer == \"\" ||", "	case true ||", "./cmd/testtools/loop", "TestRelayFaults/44-paid-and-cancelled-comes-to-an-end"},
	{"what is dealt with ends too early", "online/broadcast.go", "|| s.item.Depth < 2*s.depth():", "|| false:", "./cmd/testtools/loop", "TestRelayFaults/44-paid-and-cancelled-comes-to-an-end"},
	{"a shared withdrawal is cancelled", "online/reject.go", "		if !unpaid {\n", "		if !unpaid && false {\n", "./cmd/testtools/loop", "TestRelayFaults/45-reject-does-not-cancel-what-another-pays"},

	{"a small trouble hides the reason", "online/relay.go", "Trouble: code == CodeNetwork && ", "Trouble: false && ", "./cmd/testtools/loop", "TestRelayFaults/60b-network-trouble-keeps-the-reason"},
	{"a hand-over is not told", "cmd/kms-online/status.go", "		if s.MayBeOut() {\n", "		if false {\n", "./cmd/testtools/loop", "TestRelayFaults/60a-a-hand-over-is-told-whatever-comes-later"},
	{"a payment moves from what may have been sent", "online/journal/payers.go", "AND handed = 0 AND handed_known = 0 AND code IN", "AND code IN", "./online/journal", "TestTakePayer"},
	{"what was given up is paid by what moved", "online/held.go", "s.item.State == journal.Failed && (err != nil || payer != s.item.ID)", "err != nil && payer != s.item.ID", "./cmd/testtools/loop", "TestRelayFaults/60e-the-transaction-of-what-was-given-up"},
	{"a reject that was carried out is pending", "online/status.go", "	case it.State == journal.Rejected, it.State == journal.Completed, it.State == journal.Failed &&", "	case false && it.State == journal.Failed &&", "./cmd/testtools/loop", "TestRelayFaults/60e-the-transaction-of-what-was-given-up"},
	{"a lost journal is an empty one", "online/relay.go", "journal.OpenMade(ctx, ", "journal.Open(ctx, ", "./cmd/testtools/loop", "TestRelayFaults/60c-a-lost-journal-is-not-an-empty-one"},
	{"what another id has paid is dropped", "online/reject.go", "	case payer != nil:\n", "	case payer != nil && false:\n", "./cmd/testtools/loop", "TestRelayFaults/70a-reject-of-what-another-id-has-paid"},
	{"reject keeps the verdict to itself", "online/reject.go", "	if dead != \"\" { //", "	if dead != \"\" && false { //", "./cmd/testtools/loop", "TestRelayFaults/70f-reject-says-what-status-says"},
	{"one retry sends what was disarmed", "online/retry.go", "	if rearms(it) {\n", "	if false {\n", "./cmd/testtools/loop", "TestRelayFaults/70i-two-decisions-send-what-was-disarmed"},
	{"what is given up for now is paid in silence", "online/held.go", " || s.item.Marked(CodeGivenUp) {\n", " {\n", "./cmd/testtools/loop", "TestRelayFaults/70j-a-copy-of-what-is-held-as-given-up-is-sent"},
	{"a veto of what was given up is lifted", "online/approval.go", "	if len(vetoes) > 0 && slices.Contains(", "	if false && slices.Contains(", "./cmd/testtools/loop", "TestRelayFaults/70g-unveto-of-what-was-disarmed"},
	{"what was given up is open", "online/status.go", "t.Open-given, t.Finished+given", "t.Open+0*given, t.Finished", "./cmd/testtools/loop", "TestRelayFaults/70h-signed-after-drop-and-rejected"},
	{"a list that lacks nothing has everything", "online/outstanding.go",
		"		gap, err = f.spentByWhat(ctx, others)\n", "",
		"./cmd/testtools/loop", "TestRelayFaults/70k-a-restored-journal-asks-for-the-outputs-too"},
	{"a restored journal exports before it looks", "online/journal/restore.go", "AND withheld IN ('', ?)\", string", "AND 1 = 0 AND withheld IN ('', ?)\", string", "./cmd/testtools/loop", "TestRelayFaults/70b-a-restored-journal-looks-before-it-exports"},
	{"what comes after a restore is new", "online/journal/items.go", "string(doubt(it, restored))", "string(doubt(it, 0*restored))", "./cmd/testtools/loop", "TestRelayFaults/70b-a-restored-journal-looks-before-it-exports"},
	{"a restored journal takes no answer for a no", "online/lookback.go", "	case lost != nil:\n", "	case lost != nil && r == nil:\n", "./cmd/testtools/loop", "TestRelayFaults/70b-a-restored-journal-looks-before-it-exports"},
	{"what was sent for another id is an alarm", "online/outstanding.go", "		case payer != nil: //", "		case payer != nil && false: //", "./cmd/testtools/loop", "TestRelayFaults/70a-reject-of-what-another-id-has-paid"},
	{"a restored journal keeps quiet", "cmd/kms-online/status.go", "	if words != \"\" {\n", "	if false {\n", "./cmd/testtools/loop", "TestRelayFaults/60d-a-restored-journal-says-so"},
	{"all is in doubt after a restore", "online/journal/restore.go", "	if err != nil || at > it.Created", "	if err != nil || true || at > it.Created", "./cmd/testtools/loop", "TestRelayFaults/60d-a-restored-journal-says-so"},

	{"init hides a lost journal", "online/init.go", "		open = journal.OpenMade\n", "		open = journal.Open\n", "./cmd/testtools/loop", "TestRelayFaults/60c-a-lost-journal-is-not-an-empty-one"},
	{"a watch of nothing", "cmd/kms-online/watch.go", "if err == nil && none {", "if false && none {", "./cmd/testtools/loop", "TestRelayFaults/80e-nothing-to-watch"},
	{"what a result has of others is passed over", "online/recognise.go", "final{outcome: o}.notHere())", "[]Problem{}...)", "./cmd/testtools/loop", "TestRelayFaults/80c-ids-that-are-not-here"},
	{"one unknown id hides the others", "cmd/kms-online/status.go", "if unknown != nil && len(list) == 0 {", "if unknown != nil {", "./cmd/testtools/loop", "TestRelayFaults/80d-one-of-two-ids-is-unknown"},
	{"a full disk beside a daemon is no news", "online/relay.go",
		"	r.Full = r.Full || o.Read && o.Database == \"\" && DiskFull(o.Dir)", "	r.Full = r.Full || false",
		"./cmd/testtools/loop", "TestRelayFaults/22-ready-on-a-full-disk"},
	{"a full disk is some code of SQLite", "cmd/kms-online/errors.go",
		"!full || unknown != nil || !online.DiskFull(dir) {", "!full || unknown != nil || online.DiskFull(dir) {",
		"./cmd/testtools/loop", "TestRelayFaults/12-disk-full"},
	{"what was signed in the backup is sent", "online/journal/restore.go",
		"'fetched', 'prepared', 'exported', 'signed') AND", "'fetched', 'prepared', 'exported') AND",
		"./cmd/testtools/loop", "TestRelayFaults/91a-signed-in-the-backup-and-given-up-since"},
	{"a record alone says that it waits", "online/lookback.go",
		"lost == nil && paid == \"\" && !listed {", "lost == nil && paid == \"\" && false {",
		"./cmd/testtools/loop", "TestRelayFaults/91b-signed-after-the-restore-and-given-up-before"},
	{"what is listed after a restore waits for ever", "online/lookback.go",
		"	case it.Signed != nil && listed:\n", "	case it.Signed != nil && false:\n",
		"./cmd/testtools/loop", "TestRelayFaults/91c-signed-in-the-backup-and-listed"},
	{"a void request lies on the stick", "cmd/kms-online/export.go", "				a.tidy(ctx, r, o.Dir)\n", "",
		"./cmd/testtools/loop", "TestRelayFaults/92a-void-and-finished-requests-leave-the-stick"},
	{"a finished request lies on the stick", "cmd/kms-online/import.go",
		"		a.tidy(ctx, r, dir)\n", "		_ = dir\n",
		"./cmd/testtools/loop", "TestRelayFaults/92a-void-and-finished-requests-leave-the-stick"},
	{"what the journal does not know is done", "online/tidy.go",
		"err != nil || !known {", "err != nil || !known && false {",
		"./cmd/testtools/loop", "TestRelayFaults/92a-void-and-finished-requests-leave-the-stick"},
	{"a second word on an alarm is taken", "cmd/kms-online/alarms.go",
		"		reply.Before = append(reply.Before, x.ID)\n", "",
		"./cmd/testtools/loop", "TestRelayFaults/92b-an-alarm-that-was-closed-already"},
	{"a ledger that went back is a line of text", "online/import.go",
		"	if shorter || forked {\n", "	if false && (shorter || forked) {\n",
		"./cmd/testtools/loop", "TestRelayFaults/92c-a-ledger-that-went-back"},
	{"a retry stands for what was not read", "online/retry.go",
		"	case content == want:\n", "	case content == want || content != \"\" && want != \"\":\n",
		"./cmd/testtools/loop", "TestRelayFaults/90a-a-retry-stands-for-what-was-read"},
	{"a bare retry stands for anything", "online/retry.go",
		"	case content == \"\":\n", "	case content == \"\":\n		return nil\n",
		"./cmd/testtools/loop", "TestRelayFaults/90b-a-retry-does-not-stand-for-what-is-gone"},
	{"two retries are one look", "online/retry.go",
		"	case want == journal.ContentUnseen:\n", "	case want == journal.ContentUnseen:\n		return nil\n",
		"./cmd/testtools/loop", "TestRelayFaults/90c-two-retries-without-a-look"},
	{"what is held says nothing to type", "online/journal/bundles.go", "it was rejected; it is not sent. \"+HeldAdvice(s.ID, \"\")", "it was rejected; it is not sent\"", "./cmd/testtools/loop", "TestRelayFaults/80f-what-is-held-says-what-to-type"},
	{"what was failed is not told again", "online/journal/notify.go", "OR told = 'failed')\"", "OR 1 = 0)\"", "./cmd/testtools/loop", "TestRelayFaults/97a-what-was-failed-and-turns-up-is-told"},
	{"when it healed is not on record", "online/journal/items.go", "			if m.From == Failed {\n", "			if m.From == Failed && m.To == Failed {\n", "./cmd/testtools/loop", "TestRelayFaults/97a-what-was-failed-and-turns-up-is-told"},
	{"watch heals without a word", "cmd/kms-online/watch.go", "len(got.Problems)+len(got.Healed) > 0", "len(got.Problems) > 0", "./cmd/testtools/loop", "TestRelayFaults/97a-what-was-failed-and-turns-up-is-told"},
	{"one listed item has two alarms", "online/stilllisted.go", "alarm.Beside = it.State == journal.Failed", "alarm.Beside = false", "./cmd/testtools/loop", "TestRelayFaults/40b-dead-and-listed-all-the-same"},
	{"hints forget the place", "cmd/kms-online/main.go", "		cli.Place(root, flag)\n", "		_ = flag\n", "./cmd/testtools/loop", "TestRelayFaults/97b-commands-name-the-place"},
	{"what comes next forgets the place", "cmd/kms-online/app.go", "a.secrets.Text(a.typed(fmt.Sprintf(format, args...)))", "a.secrets.Text(fmt.Sprintf(format, args...))", "./cmd/testtools/loop", "TestRelayFaults/97b-commands-name-the-place"},
	{"errors forget the place", "cmd/internal/cli/cli.go", "Printable(Typed(root, err.Error()))", "Printable(err.Error())", "./cmd/testtools/loop", "TestRelayFaults/97b-commands-name-the-place"},
	{"the other network is not looked at", "cmd/kms-online/fetch.go", "				if err == nil && got.Listed+len(got.Notes) == 0 {\n", "				if false {\n", "./cmd/testtools/loop", "TestRelayFaults/97c-all-that-is-listed-is-of-the-other-network"},
	{"our own lease is another's", "online/owner.go", "	case r.own[0]:\n", "	case r.own[0] + \" \":\n", "./cmd/testtools/loop", "TestRelayFaults/97d-who-holds-it-who-rejected-it-and-why-not"},
	{"the relay rejected it", "cmd/kms-online/status.go", "s.Code == chain.RefusedByRelay {", "false {", "./cmd/testtools/loop", "TestRelayFaults/97d-who-holds-it-who-rejected-it-and-why-not"},
	{"reasons run together", "online/unpaid.go", "and it is not found now\\n", "and it is not found now; ", "./cmd/testtools/loop", "TestRelayFaults/97d-who-holds-it-who-rejected-it-and-why-not"},
	{"of two requests one is written again", "online/export.go",
		"	for _, w := range waiting {\n		req, err := r.openOwn(ctx, w.Digest)\n		switch {\n",
		"	for _, w := range waiting[len(waiting)-1:] {\n		req, err := r.openOwn(ctx, w.Digest)\n		switch {\n",
		"./cmd/testtools/loop", "TestRelayFaults/80h-lost-stick-with-two-requests"},
	{"a page is shown", "online/tatum/errors.go", "	return c.notTatum(h)\n", "	return foreign(body)\n", "./cmd/testtools/loop", "TestRelayFaults/80a-a-page-is-described"},

	{"what comes back is paid", "online/prepare/utxo/pays.go", "Back: scripts[string(out.PkScript)]", "Back: scripts[string(out.PkScript)] && false", "./cmd/testtools/loop", "TestRelayFaults/46-what-leaves-is-without-change"},
	{"Tatum says what comes back", "online/prepare/utxo/pays.go", "own := w.keys(d.keys)", "own := w.keys(nil)", "./cmd/testtools/loop", "TestRelayFaults/46-what-leaves-is-without-change"}, {"an event tells what was", "online/daemon/events.go", "	if err != nil || !m.still {\n", "	if err != nil {\n", "./cmd/testtools/loop", "TestRelayFaults/47-events-say-what-is"},

	{"TLS that is only preferred", "online/journal/postgres.go", `query.Set("sslmode", "verify-full")`, `query.Set("sslmode", "prefer")`, "./online/journal", "TestDefaultTLS"},
	{"TLS of the address only", "online/journal/postgres.go", "if err != nil || proven(config) {\n\t\treturn config, err\n\t}\n\tif !query", "if true {\n\t\treturn config, err\n\t}\n\tif !query", "./cmd/testtools/loop", "TestRelayFaults/20-without-tls"},
	{"a backup by anybody", "online/backup.go", "!relay.Verify(", "false && !relay.Verify(", "./cmd/testtools/loop", "TestRelayFaults/11-forged-backup"},
	{"junk of a list is told one by one", "online/tatum/leftout.go", "	case !isNamed(e.Raw):\n", "	case false:\n", "./cmd/testtools/loop", "TestRelayFaults/21-list-with-a-million-elements-of-junk"},
	{"what came before a cut is lost", "online/tatum/kms.go", "			return all, err\n", "			return Listing{}, err\n", "./cmd/testtools/loop", "TestRelayFaults/21-list-that-is-cut"},
	{"the rest of a list never comes", "online/fetch.go", "listing.Next <= from {", "true {", "./cmd/testtools/loop", "TestRelayFaults/21-list-with-more-than-is-held-at-a-time"},
	{"children of an event's program live on", "online/daemon/events/group_unix.go", "syscall.Kill(-cmd.Process.Pid", "syscall.Kill(cmd.Process.Pid", "./online/daemon/events", "TestCommandChildren"},
	{"a backup expands for ever", "online/backup.go", "e.n > freeExpansion+maxExpansion*e.packed.n {", "false {", "./cmd/testtools/loop", "TestRelayFaults/21-backup-that-is-a-bomb"},
	{"a list has elements without end", "shared/pending/list.go", "case at == MaxListed:", "case false:", "./cmd/testtools/loop", "TestRelayFaults/21-list-that-has-no-end"},
	{"a list that is too long is asked for again", "online/tatum/client.go", "	if b.left <= 0 {\n		return 0, errLong\n", "	if b.left <= 0 {\n		return 0, io.EOF\n", "./cmd/testtools/loop", "TestRelayFaults/21-list-that-has-no-end"},
	{"a reply of no use has exit code 1", "cmd/kms-online/errors.go", ", tatum.IsUnusable(err):", ":", "./cmd/testtools/loop", "TestRelayFaults/21-list-that-is-cut"},
	{"watch is content with an open alarm", "cmd/kms-online/watch.go", "part(alarm || ", "part(false && alarm || ", "./cmd/testtools/loop", "TestRelayFaults/01c-double-spend-needs-evidence"},
	{"the beginning of the key is shown", "online/redact/redact.go", "f.folded[:f.least])", "f.folded)", "./cmd/testtools/loop", "TestRelayFaults/21-id-that-is-the-beginning-of-the-key"},
	{"a line of a backup has no end", "online/journal/backupline.go", "len(r.line) > limit {", "false {", "./online/journal", "TestLineOfBackupIsBounded"},
	{"keys that a group may read", "shared/durable/os_unix.go", "info.Mode().Perm()&0o077 != 0", "info.Mode().Perm()&0o007 != 0", "./cmd/testtools/loop", "TestRelayFaults/20-key-file-that-others-read"},
	{"a server stops a relay for a day", "online/tatum/breaker.go", "maxAsked  = time.Hour //", "maxAsked  = 24 * time.Hour //", "./online/tatum", "TestAskedToWaitForLong"},
	{"status needs room on the disk", "online/relay.go", "if o.Read && o.Database == \"\" && journal.IsFull(err) {", "if false {", "./cmd/testtools/loop", "TestRelayFaults/12-disk-full"},
	{"status counts what is finished", "online/journal/count.go", `FROM items WHERE "+unfinished+" GROUP BY "+by+`, `FROM items WHERE state || '' NOT IN ('completed', 'rejected') GROUP BY "+by+`, "./cmd/testtools/loop", "TestRelayFaults/09-growth"},
	{"every import reads every item", "online/import_foreign.go", "	ids, err := im.relay.journal.AskedFor(", "	_, _ = im.relay.journal.Items(ctx, journal.Filter{})\n	ids, err := im.relay.journal.AskedFor(", "./cmd/testtools/loop", "TestRelayFaults/09-growth"},
	{"finished items are not counted", "online/journal/schema.go", "NEW.network, 0, s.n FROM", "NEW.network, 0, 0 FROM", "./online/journal", "TestTotals"},
	{"totals of one network count both", "online/journal/count.go", `AS counted"+coins+"`, `AS counted WHERE 1 = 1 OR "+strings.TrimPrefix(coins, " WHERE ")+"`, "./online/journal", "TestTotals"},
	{"leases of the dead stay", "online/relay.go", `return o.Database == "" // a journal`, `return false // a journal`, "./cmd/testtools/loop", "TestRelayFaults/17-clock-of-the-dead"},
	{"another relay's leases taken", "online/journal/holders.go", "return !answers[owner]", "return false && answers[owner]", "./online/journal", "TestEnter"},

	{"events that were not tried do not wait", "online/journal/letters.go", "WHERE ` + ended + ` LIMIT 1000", "WHERE 1 = 0 AND ` + ended + ` LIMIT 1000", "./cmd/testtools/loop", "TestRelayFaults/22-events-that-were-never-tried"},
	{"the journal is not written to", "online/journal/holders.go", "\"UPDATE holders SET since = {now} WHERE owner = ?\"", "\"SELECT 1 WHERE ? = ''\"", "./cmd/testtools/loop", "TestRelayFaults/22-ready-on-a-full-disk"},
	{"ready without a journal", "online/daemon/metrics/health.go", "	case !h.writable():\n", "	case false:\n", "./cmd/testtools/loop", "TestRelayFaults/22-ready-without-a-database"},
	{"a request of which nothing waits is done", "online/journal/void.go", "if why == \"\" && found != \"\" {", "if false {", "./cmd/testtools/loop", "TestRelayFaults/22-request-whose-only-item-is-rejected"},
	{"a stick that is not mounted", "online/export.go", "	case errors.Is(err, fs.ErrNotExist):\n", "	case errors.Is(err, fs.ErrNotExist):\n		return nil\n", "./cmd/testtools/loop", "TestRelayFaults/22-stick-that-is-not-mounted"},
	{"one key is checked for all", "cmd/kms-online/checkconfig.go", "		if c.Tatum != \"ok\" {\n", "		if i == 0 && c.Tatum != \"ok\" {\n", "./cmd/testtools/loop", "TestRelayFaults/23-each-key-is-checked"},
	{"totals of everything", "online/status.go", "	if len(o.IDs) == 0 && o.Since.IsZero() {\n", "	if true {\n", "./cmd/testtools/loop", "TestRelayFaults/23-totals-of-what-is-chosen"},
	{"a restore makes do with any identity", "online/backup.go", "	if errors.Is(err, ErrNotInitialised) {\n", "	if false {\n", "./cmd/testtools/loop", "TestRelayFaults/23-restore-without-an-identity"},
	{"an alarm's item is bare", "online/daemon/events.go", "	if a.Item == \"\" {\n", "	if true {\n", "./cmd/testtools/loop", "TestRelayFaults/23-an-alarm-is-seen-everywhere"},
	{"a refused event is told for ever", "online/journal/letters.go", "dead = refused && tries >= refusedTries ||", "dead = false ||", "./cmd/testtools/loop", "TestRelayFaults/23-dead-letters-are-kept-and-resent"},
	{"what is left out is in silence", "cmd/kms-online/daemon.go", "	if daemon.OnlyLeftOut(round.Err) {\n		a.say(\"%v\", round.Err)\n		return part(true)\n", "	if daemon.OnlyLeftOut(round.Err) {\n		return nil\n", "./cmd/testtools/loop", "TestRelayFaults/23-one-round-with-elements-left-out"},
	{"a dead daemon is alive", "cmd/kms-online/status.go", "	case a.ended(s):\n", "	case false:\n", "./cmd/testtools/loop", "TestRelayFaults/22-a-daemon-that-is-gone"},
	{"an identity that others read", "online/init.go", "err = secure(fsys, dir)", "err = durable.CheckFile(fsys, path)", "./cmd/testtools/loop", "TestRelayFaults/22-secrets-that-others-read"},
	{"plain words among JSON", "cmd/kms-online/app.go", "	if a.log != nil {\n", "	if false {\n", "./cmd/testtools/loop", "TestRelayFaults/22-log-of-json-alone"},

	{"a list of Tatum releases what was restored", "online/release.go", `	if s.item.Released != "" {`, `	if s.item.Released != "" || s.item.Withheld == "" {`, "./cmd/testtools/loop", "TestRelayFaults/94a-given-up-since-the-backup-and-cached"},
	{"what was not wanted in a backup is not looked for", "online/journal/restore.go", "at.Add(OutstandingFor).Unix(), string(RestoredCode)", "0, string(RestoredCode)", "./cmd/testtools/loop", "TestRelayFaults/94b-not-wanted-in-the-backup-and-paid-since"},
	{"one alarm takes the place of another", "online/journal/items.go", "[]*Raise{m.Alarm, m.Also}", "[]*Raise{m.Also}", "./cmd/testtools/loop", "TestRelayFaults/98a-refused-and-given-up-are-two-alarms"},
	{"what was given up uses the share of what is watched", "online/watch.go", "filter: rejected, due: true, purpose: tatum.Revisit", "filter: rejected, due: true, purpose: tatum.Watch", "./cmd/testtools/loop", "TestRelayFaults/98b-what-was-given-up-uses-up-no-budget"},
	{"a child is valid whatever becomes of its parent", "online/verdict.go", `	case err == nil && v.code == "":`, `	case err == nil && v.code == "" && s == nil:`, "./cmd/testtools/loop", "TestRelayFaults/98c-child-of-a-parent-that-is-replaced"},
	{"a full disk says that nothing was done", "online/unnoted.go", "!journal.IsFull(err) &&", "", "./cmd/testtools/loop", "TestRelayFaults/98d-disk-full-after-it-is-done"},
	{"all of history is told", "online/journal/notify.go", "n == 0 || history {", "n == 0 || n > 0 {", "./cmd/testtools/loop", "TestRelayFaults/98e-events-are-told-from-now-on"},
	{"PSBTs of what is rejected lie where they were", "online/tidyforeign.go", "		if spent {\n", "		if spent && f.Size < 0 {\n", "./cmd/testtools/loop", "TestRelayFaults/98f-psbts-of-what-is-rejected-leave-the-stick"},
	{"a void request blocks the name of another", "online/tidy.go", "	if failed != nil || !made.Spent {\n", "	if failed != nil || made.Spent || !made.Spent {\n", "./cmd/testtools/loop", "TestRelayFaults/98g-a-void-request-under-the-name-of-another"},
	{"a list is read on whatever came between", "online/addresslist.go", `		case anchor != "" && (short || page > 0):`, `		case anchor == "never":`, "./cmd/testtools/loop", "TestRelayFaults/98i-a-list-longer-than-one-look"},
	{"a long list is read from its beginning for ever", "online/addresslist.go", "	if err != nil || before == nil {\n", "	if err != nil || before == nil || l.bounded {\n", "./cmd/testtools/loop", "TestRelayFaults/98i-a-list-longer-than-one-look"},
	{"crash harness, broadcast before journal", "online/import.go",
		"		err = r.journal.Import(ctx, res, s.signed, s.refused)\n",
		"		for _, x := range s.signed {\n			_, _ = r.Tatum.Broadcast(ctx, s.items[x.ID].Chain, x.ID, fmt.Sprintf(\"%x\", x.Raw))\n		}\n		err = r.journal.Import(ctx, res, s.signed, s.refused)\n",
		"./cmd/testtools/loop", "TestCrash"},
	{"crash harness, what left its block is dead", "online/watch.go", "	if s.item.Code != CodeReorganised {\n		return", "	if s.item.Code != CodeReorganised {\n		return s.fails(ctx, CodeInputsSpent, \"\", why.Error())\n	}\n	if s.item.Code != CodeReorganised {\n		return", "./cmd/testtools/loop", "TestCrash"},
	{"crash harness, what is lost is not sent again", "online/watch.go", "	if s.item.Withheld == \"\" { // it was", "	if false { // it was", "./cmd/testtools/loop", "TestCrash"},
	{"schedules, what left its block is dead", "online/watch.go", "	if s.item.Code != CodeReorganised {\n		return", "	if s.item.Code != CodeReorganised {\n		return s.fails(ctx, CodeInputsSpent, \"\", why.Error())\n	}\n	if s.item.Code != CodeReorganised {\n		return", "./online/daemon", "TestSchedules"},
	{"schedules, what is lost is not sent again", "online/watch.go", "	if s.item.Withheld == \"\" { // it was", "	if false { // it was", "./online/daemon", "TestSchedules"},
	{"schedules, a lost payment is dead", "online/watch.go", "	first := s.item.Depth >= 0\n", "	first := s.item.Depth >= 0\n	if !refused {\n		return s.fails(ctx, CodeInputsSpent, \"\", \"the network does not have it: have the payment made anew\")\n	}\n", "./online/daemon", "TestSchedules"},
	{"a statement is used for two rows at a time", "online/journal/kept.go", "		delete(k.free, query)\n		return s, nil", "		return s, nil", "./online/journal", "TestKept"},
	{"statements are read again and again", "online/journal/kept.go", "if s, ok := k.free[query]; ok {", "if s, ok := k.free[query]; ok && false {", "./online/journal", "TestKept"},
	{"a key in another writing is not looked for", "online/redact/text.go", "		case c == ' ' || '\\t' <= c && c <= '\\r':\n			continue\n", "", "./online/redact", "TestText"},
}

// Every seeded fault is seen by its test.
func TestMutants(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	list := mutants[:]
	if os.Getenv(mutantsEnv) == "" {
		list = list[:5]
	}
	for _, m := range list {
		t.Run(strings.ReplaceAll(m.name, " ", "-"), func(t *testing.T) { m.caught(t, root) })
	}
}

func (m mutant) caught(t *testing.T, root string) {
	path := filepath.Join(root, m.file)
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(source, []byte(m.from)); n != 1 {
		t.Fatalf("%s has %d places for this fault, want 1: the code has changed, change the fault with it", m.file, n)
	}
	dir := t.TempDir()
	changed, overlay := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{changed: bytes.Replace(source, []byte(m.from), []byte(m.to), 1), overlay: list} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "test", "-vet=off", "-count=1", "-run", "^"+m.test+"$", m.pkg)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOFLAGS=-overlay="+overlay) // for the programs that the test builds, too
	out, err := cmd.CombinedOutput()
	switch {
	case bytes.Contains(out, []byte("go build: exit status")), bytes.Contains(out, []byte("[build failed]")):
		t.Errorf("the fault does not compile, so that nothing saw it:\n%.2000s", out)
	case bytes.Contains(out, []byte("--- SKIP: "+m.test)), err == nil && bytes.Contains(out, []byte("no PostgreSQL")):
		t.Skipf("%s was skipped", m.test)
	case err == nil:
		t.Errorf("%s does not see it", m.test)
	case !bytes.Contains(out, []byte("--- FAIL: "+m.test)):
		t.Errorf("no failure of %s, but:\n%.2000s", m.test, out)
	}
}
