package loop

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// signerMutants are faults put into the signer's guards. `make test` seeds the
// first five, `make prove` all.
var signerMutants = [...]mutant{
	{"signed without the ledger", "offline/signing.go", "	if err := r.Ledger.Append(lines...); err != nil {\n		return err\n	}\n	if r.Brief", "	if r.Brief", "./offline", "TestNothingLeavesWithoutTheLedger"},
	{"type-ahead answers", "cmd/kms-offline/terminal.go", "	if err := t.discard(); err != nil {\n		return err\n	}\n	_, err := io", "	_, err := io", "./cmd/kms-offline", "TestTypedAheadIsNoAnswer"},
	{"io_uring is open", "offline/harden/seccomp_linux.go", `	"io_uring_setup", "io_uring_enter", "io_uring_register", // would`, `	// would`, "./offline/harden", "TestFilterByNumber"},
	{"another auxiliary value in taproot nonces", "offline/sign/utxo/signer.go", "schnorr.CustomNonce([32]byte{})", "schnorr.CustomNonce([32]byte{1})", "./offline/sign/utxo", "TestTaprootNonceIsBIP340"},
	{"a consent is for any batch", "offline/policy/verdict.go", "if !c.given || c.batch != batch {", "if !c.given {", "./offline", "TestConsentIsForOneBatch"},

	// what is signed
	{"an approval covers anything", "offline/policy/verdict.go", "return a.valid && a.content == content", "return a.valid", "./offline/sign/utxo", "TestApprovalOfAnotherSignsNothing"},
	{"no approval is needed", "offline/policy/verdict.go", "return a.valid && a.content == content", "return a.content == content || !a.valid", "./offline/sign/utxo", "TestApprovalOfAnotherSignsNothing"},
	{"refused is signed", "offline/policy/verdict.go", "return !v.judged || len(v.Refusals) > 0", "return !v.judged", "./offline/policy", "TestApprovalIsEarned"},
	{"never judged is signed", "offline/policy/verdict.go", "return !v.judged || len(v.Refusals) > 0", "return len(v.Refusals) > 0", "./offline/policy", "TestApprovalIsEarned"},
	{"a quorum of none", "offline/policy/verdict.go", "if c.operators < v.quorum {", "if c.operators < 0 {", "./offline/policy", "TestQuorum"},
	{"what a person took out is signed", "offline/policy/verdict.go", "if c.Rejects(v.content) {", "if false {", "./offline", "TestPersonRejectsSome"},
	{"what a person rejected comes back as OK", "offline/rules.go", "s.Ledger.Rejected(p); was {\n", "s.Ledger.Rejected(p); was && false {\n", "./cmd/kms-offline", "TestSignerAttacks/18-rejected-comes-back-as-ok"},
	{"a digest signs what a session rejected", "cmd/kms-offline/session_state.go", "if err == nil && told != \"\" {", "if false {", "./cmd/kms-offline", "TestSignerAttacks/18-approve-over-an-unfinished-session"},
	{"another judgement forgets a no", "offline/review/tui/tui.go", "if Mark(kept[i]) == Rejected && d.rows", "if false && d.rows", "./cmd/kms-offline", "TestSignerAttacks/18-session-judged-otherwise-forgets-a-no"},
	{"Enter forgets rejections", "cmd/kms-offline/terminal.go", "	case \"n\", \"no\":\n		return false, nil\n", "	case \"n\", \"no\", \"\":\n		return false, nil\n", "./cmd/kms-offline", "TestSignerAttacks/23-enter-keeps-rejections"},
	{"rejections are not shown", "cmd/kms-offline/console_ask.go", "	t.print(d.Rejections()) // of an earlier session, too\n", "", "./cmd/kms-offline", "TestSignerAttacks/23-enter-keeps-rejections"},
	{"decisions that were cut are none", "cmd/kms-offline/session_state.go", "		return unfinished{}, true, fmt.Errorf(\"%w: %s was cut", "		return unfinished{}, false, nil\n		return unfinished{}, true, fmt.Errorf(\"%w: %s was cut", "./cmd/kms-offline", "TestSignerAttacks/31-damaged-decisions-are-none"},
	{"a folder is no decision", "cmd/kms-offline/session_state.go", "		return unfinished{}, true, fmt.Errorf(\"%w: %w\", errUnreadable, err)", "		return unfinished{}, false, nil", "./cmd/kms-offline", "TestSignerAttacks/31-damaged-decisions-are-none"},
	{"any answer discards", "cmd/kms-offline/session_state.go", "if wrong != nil || answer != \"discard\" {", "if wrong != nil || answer == \"\" {", "./cmd/kms-offline", "TestSignerAttacks/31-damaged-decisions-are-none"},
	{"a no that is kept is in its file only", "cmd/kms-offline/console_ask.go", "session.RecordRejected(judged, rejected...)", "session.RecordRejected(judged)", "./cmd/kms-offline", "TestSignerAttacks/31-left-with-a-no-and-asked-elsewhere"},
	{"the same coin is another payment", "offline/ledger/rejected.go", "		n.outpoints[op] = at\n", "		_ = op\n", "./cmd/kms-offline", "TestSignerAttacks/31-rejected-comes-back-changed"},
	{"halves are other payments", "offline/ledger/rejected.go", "near(no.value, p.Batch[to]) ||", "", "./cmd/kms-offline", "TestSignerAttacks/31-rejected-comes-back-changed"},
	{"parts in several batches are other payments", "offline/ledger/rejected.go", " || near(no.value, no.since.Plus(p.Batch[to]))", "", "./cmd/kms-offline", "TestSignerAttacks/31-rejected-comes-back-changed"},
	{"one satoshi less is another payment", "offline/ledger/rejected.go", "!difference.AbovePercent(1, rejected)", "difference.IsZero()", "./cmd/kms-offline", "TestSignerAttacks/31-rejected-comes-back-changed"},
	{"the last word is asked on its first page", "offline/review/tui/finish.go", "	case !d.atEnd():\n		return None\n", "", "./cmd/kms-offline", "TestSignerAttacks/31-last-word-unread"},
	{"a terminal that is too small signs", "offline/review/tui/tui.go", "d.small = width < MinWidth || height < MinHeight", "d.small = false", "./cmd/kms-offline", "TestSignerAttacks/31-last-word-unread"},
	{"keys for another size sign", "offline/review/tui/tui.go", "	d.typing = nil\n	switch {\n	case d.small:", "	switch {\n	case d.small:", "./offline/review/tui", "TestLastWordIsReadToTheEnd"},
	{"a wallet.dat is destroyed that holds more", "cmd/kms-offline/importwallet.go", "	if len(reply.Refused) == 0 {\n", "	if true {\n", "./cmd/kms-offline", "TestImportPart"},
	{"carried approvals are counted too late", "cmd/kms-offline/approve.go", "	session.Notice(judged)\n", "", "./cmd/kms-offline", "TestSignerAttacks/40-carried-approvals-are-counted"},
	{"this batch is another one", "offline/declined.go", "case at.Batch == j.Request.Digest.String():", "case at.Batch == \"\":", "./cmd/kms-offline", "TestSignerAttacks/40-declined-with-this-very-batch"},
	{"refusals are told unasked", "cmd/kms-offline/consent.go", "	if err == nil && yes {\n", "	if err == nil && (yes || true) {\n", "./cmd/kms-offline", "TestSignerAttacks/40-all-refused-is-shown-and-asked"},
	{"line by line draws", "cmd/kms-offline/console_ask.go", "if line.to == nil || o.plain || of <= aFew {", "if line.to == nil {", "./cmd/kms-offline", "TestSignerAttacks/40-line-by-line-draws-nothing"},
	{"Ctrl-C forgets a no", "cmd/kms-offline/console_plain.go", "	signal.Notify(interrupted, os.Interrupt)\n", "", "./cmd/kms-offline", "TestSignerAttacks/40-interrupted-line-by-line-is-later"},
	{"a length of before the review", "offline/offline.go", "	j.Batch.Basis.Ledger = s.Book() //", "	//", "./cmd/kms-offline", "TestSignerAttacks/40-length-after-the-review"},
	{"secrets are shown unasked", "cmd/kms-offline/show.go", "	tty, err := openTerminal()\n	if err != nil {\n		return cli.Fail(cli.Usage, fmt.Errorf(\"%w: %s may", "	tty, err := openTerminal()\n	if err != nil {\n		return nil\n	}\n	if err != nil {\n		return cli.Fail(cli.Usage, fmt.Errorf(\"%w: %s may", "./cmd/kms-offline", "TestSignerAttacks/40-secrets-unasked"},
	{"a key is removed unasked", "cmd/kms-offline/show.go", "	if !sure {\n", "	if !sure && false {\n", "./cmd/kms-offline", "TestSignerAttacks/40-removed-unasked"},
	{"a backup that failed was one", "cmd/kms-offline/backup.go", "		if recorded {", "		if recorded && false {", "./cmd/kms-offline", "TestSignerAttacks/40-backups-that-never-were"},
	{"what was released was never signed", "offline/ledger/memory.go", "			m.freed[op] = content\n", "", "./cmd/kms-offline", "TestSignerAttacks/40-released-and-spent-again"},
	{"one holder of a key is enough", "offline/own.go", "	s.nameHolders(f)\n", "", "./cmd/kms-offline", "TestSignerAttacks/45-change-to-a-key-of-two-entries"},
	{"other holders supply change", "offline/policy/own.go", "	for _, k := range also {\n", "	for _, k := range also[:0] {\n", "./cmd/kms-offline", "TestSignerAttacks/45-change-to-a-key-of-two-entries"},
	{"a PSBT names no output", "offline/own.go", ", named); ok {", "); ok {", "./cmd/kms-offline", "TestSignerAttacks/45-far-index-by-psbt"},
	{"a derived key is not said", "cmd/kms-offline/sharedkeys.go", "	if w.indices == nil {\n", "	if true {\n", "./cmd/kms-offline", "TestSignerAttacks/45-stored-key-is-one-of-a-mnemonic"},
	{"what cannot be judged was never signed", "offline/earlier.go", "		outpoints, bare, _ = reader.Outline(", "		_, bare, _ = reader.Outline(", "./cmd/kms-offline", "TestSignerAttacks/45-signed-and-refused-now"},
	{"another session forgets signatures", "offline/earlier.go", "		outpoints, bare, _ = reader.Outline(", "		_, bare, _ = reader.Outline(", "./cmd/kms-offline", "TestSignerAttacks/45-signed-on-mainnet-and-asked-for-testnet"},
	{"a proof is another transaction", "offline/ledger/memory.go", "ok && r.Bare == bare {", "ok && r.Bare == bare && false {", "./cmd/kms-offline", "TestSignerAttacks/45-claimed-then-proven-and-refused"},
	{"other content under an id is unsigned", "offline/ledger/memory.go", "			if content == now {\n				at, was", "			if content == now && false {\n				at, was", "./cmd/kms-offline", "TestSignerAttacks/45-signed-and-refused-now"},
	{"another key takes an id that was removed", "cmd/kms-offline/importwallet.go", "case !there && was && !slices.Contains(reuse, e.ID):", "case false && was && !slices.Contains(reuse, e.ID):", "./cmd/kms-offline", "TestScripts/import"},
	{"a key of small order is a key", "shared/identity/strict.go", "	if slices.Contains(smallOrder[:],", "	if false && slices.Contains(smallOrder[:],", "./cmd/kms-offline", "TestSignerAttacks/45-keys-that-anybody-signs-with"},
	{"an encoding that is not canonical is a key", "shared/identity/strict.go", "fieldPrime()) >= 0 {", "fieldPrime()) > 1 {", "./shared/identity", "TestWeakKeysVerifyNothing"},
	{"weak keys verify", "shared/identity/identity.go", "return p.Check() == nil && ed25519", "return ed25519", "./shared/identity", "TestWeakKeysVerifyNothing"},
	{"a no forgets ids", "offline/ledger/rejected.go", "	take(MarkID(p.ID), ", "	take(\"\", ", "./cmd/kms-offline", "TestSignerAttacks/45-declined-and-back-by-one-satoshi"},
	{"a no forgets outpoints", "offline/ledger/rejected.go", "		take(MarkOutpoint(op), ", "		take(\"\", ", "./cmd/kms-offline", "TestSignerAttacks/45-declined-and-back-by-one-satoshi"},
	{"the same secret twice is not said", "cmd/kms-offline/sharedkeys.go", "	if len(others) == 0 {\n", "	if true {\n", "./cmd/kms-offline", "TestSignerAttacks/40-same-secret-twice"},
	{"a claim that is proven is other content", "offline/policy/subject.go", "	if content == s.Content {\n		return true\n	}\n	r, ok", "	if content == s.Content || s.Content != content {\n		return content == s.Content\n	}\n	r, ok", "./cmd/kms-offline", "TestSignerAttacks/31-true-claim-proven-later"},
	{"any claim is the same content", "offline/policy/subject.go", "claimed && claim != in.Claim() {\n			return false", "claimed && claim != in.Claim() {\n			continue", "./offline/policy", "TestSameAmountsAreTheSame"},
	{"a claim is not compared with its proof", "shared/chain/utxo/codec.go", "carried && !c.failed {", "carried && false {", "./cmd/kms-offline", "TestSignerAttacks/31-false-claim-beside-its-proof"},
	{"another id is not said to be signed", "offline/policy/remembered.go", "		j.find(chain.FlagSignedBefore, \"the same transaction", "		_ = fmt.Sprintf(\"the same transaction", "./cmd/kms-offline", "TestSignerAttacks/31-same-transaction-under-another-id"},
	{"hints go to the terminal as they are", "cmd/internal/cli/cli.go", "Printable(Typed(root, known.Hint)))", "Typed(root, known.Hint))", "./cmd/internal/cli", "TestHintsArePrintable"},
	{"a name writes lines of its own", "cmd/internal/cli/cli.go", "strings.ReplaceAll(Printable(err.Error()), \"\\n\", \"\\n  \")", "Printable(err.Error())", "./cmd/internal/cli", "TestHintsArePrintable"},
	{"what is no line of a ledger is read", "offline/ledger/file.go", "!fits && ended {", "false {", "./cmd/kms-offline", "TestSignerAttacks/31-ledger-of-holes-and-line-feeds"},
	{"a relay takes the id of a PSBT", "offline/offline.go", "	j.refuseReserved()\n", "", "./cmd/kms-offline", "TestSignerAttacks/31-an-id-of-psbts"},
	{"multisig of no keys is a payment", "shared/chain/utxo/burn.go", "		return tooFewKeys(script)\n", "		return false && tooFewKeys(script)\n", "./cmd/kms-offline", "TestSignerAttacks/31-multisig-of-no-keys"},
	{"a no is of one digest", "offline/ledger/rejected.go", "			n.declined[content] = DeclinedAt{at, line.Request}\n", "			_ = content\n", "./cmd/kms-offline", "TestSignerAttacks/23-declined-and-exported-again"},
	{"signed once, compared with nothing", "offline/sign/utxo/signer.go", "if !bytes.Equal(signatures[i], again[i]) {", "if false && !bytes.Equal(signatures[i], again[i]) {", "./offline/sign/utxo", "TestSignerFaults"},
	{"a key that nobody named signs", "offline/sign/utxo/signer.go", "if !ok || !j.ring.keys[at].named {", "if !ok {", "./offline/sign/utxo", "TestChangeKeyDoesNotSign"},
	{"a key of another network signs", "offline/sign/utxo/keyring.go", "case coin != p.Coin:", "case false && coin != p.Coin:", "./offline/sign/utxo", "TestPrepareRefuses"},
	{"a chain that is not built is signed for", "offline/sign/utxo/signer.go", "if !s.has(item.Chain) {", "if false {", "./offline/sign/utxo", "TestPrepareRefuses"},
	{"BCH shares ECDSA's nonces", "offline/sign/utxo/schnorr2019.go", "reduced[:], []byte(algorithm2019))", "reduced[:])", "./offline/sign/utxo", "TestNoncesOfTheTwoSchemesDiffer"},
	{"BCH verifies anything", "shared/chain/utxo/forkid.go", "if !verifySchnorr2019(script[1:1+schnorrLen], key, digest) {", "if false && !verifySchnorr2019(script[1:1+schnorrLen], key, digest) {", "./cmd/testtools/loop", "TestBCHScriptIsExact"},
	{"high S is taken", "shared/chain/utxo/finalize.go", " || s.IsOverHalfOrder() {", " {", "./shared/chain/utxo", "TestFinalizeRefusesHighS"},

	{"a result goes where the stick was", "cmd/kms-offline/carry.go", "a.medium.Holds(a.fs, dir); err != nil {", "a.medium.Holds(a.fs, dir); err != nil && false {", "./cmd/kms-offline", "TestSignerAttacks/12-stick-pulled-in-mid-write"},
	{"dust makes an index known", "offline/ledger/indices.go", "keys = append(keys, key{o.Key, *o.Index, o.Far})", "keys = append(keys, key{o.Key, *o.Index, true})", "./cmd/kms-offline", "TestSignerAttacks/01-far-index-in-two-steps"},
	{"many steps at once", "offline/ledger/indices.go", "if k.index <= reached[k.id]+gap {", "if k.index <= of.highest+gap {", "./cmd/kms-offline", "TestSignerAttacks/01-far-index-in-two-steps"},

	// claims
	{"a claim is no content", "shared/chain/utxo/tx.go", "		if !s.Proven {\n			claims =", "		if false {\n			claims =", "./cmd/kms-offline", "TestSignerAttacks/18-other-claims-are-other-content"},
	{"claims are forgotten", "offline/policy/remembered.go", "	if r.Released == 0 {\n", "	if false {\n", "./cmd/kms-offline", "TestSignerAttacks/18-other-claims-are-other-content"},
	{"any claim shows a signature to be invalid", "offline/policy/remembered.go", "claimed && in.Proven && claim != in.Claim() && j.commits(claim)", "claimed && in.Proven && j.commits(claim)", "./cmd/kms-offline", "TestSignerAttacks/18-a-false-claim-freezes-no-coin"},
	{"old lines exempt taproot", "offline/policy/subject.go", "if !in.Proven || in.Commits {", "if !in.Proven {", "./offline/policy", "TestLinesOfBeforeExemptWhatIsProven"},
	{"other bytes are the same", "offline/signing.go", "if id != before.TxID || !final {", "if false && (id != before.TxID || !final) {", "./offline", "TestSameAgainIsTheSameBytes"},

	// what it costs
	{"a request is hashed without bound", "offline/offline.go", "	if err := j.checkHashed(); err != nil {\n		return nil, err\n	}\n", "", "./cmd/kms-offline", "TestSignerAttacks/08-many-legacy-inputs"},
	{"an item is hashed without bound", "offline/sign/utxo/signer.go", "	if err := (bundle.Load{Hashed: tx.Hashed()}).CheckItem(); err != nil {\n", "	if err := (bundle.Load{}).CheckItem(); err != nil {\n", "./cmd/kms-offline", "TestSignerAttacks/08-many-legacy-inputs"},

	// what is asked
	{"any relay may ask", "offline/offline.go", "		if s.Paired(relay) {\n", "		if true {\n", "./offline", "TestWhoMayAsk"},
	{"asked for another signer", "offline/offline.go", "if err == nil && request.Signer != s.Identity.Public() {", "if false {", "./offline", "TestWhoMayAsk"},
	{"a rolled-back ledger signs", "offline/offline.go", "if len(request.LedgerHead) > 0 && !s.Ledger.Knows(request.LedgerHead) {", "if false {", "./offline", "TestWhoMayAsk"},
	{"testnet session signs mainnet", "offline/offline.go", "if s.Only != chain.UnknownNetwork && item.Network != s.Only {", "if false {", "./offline", "TestSessionOfOneNetwork"},
	{"two items spend one outpoint", "offline/offline.go", "	j.refuseConflicts()\n", "", "./offline", "TestConflictsOfABatch"},
	{"approved without a review", "offline/offline.go", "if !s.Ledger.Reviewed(digest, s.policyHash(), j.judgement()) && !s.signedBefore(j) {", "if false {", "./offline", "TestConsentIsForOneBatch"},
	{"a panic stops the batch", "offline/signing.go", "	if r := recover(); r != nil {\n", "	if r := error(nil); r != nil {\n", "./offline", "TestOnePanicStopsNoOther"},
	{"a wallet on a stick is a watch file", "shared/bundle/container.go", "	case IsWallet(file):\n		return ErrWallet\n", "", "./shared/bundle", "TestWalletIsNamed"},
	{"a container's signature is not checked", "shared/bundle/container.go", "if !author.Verify(signed(head, rest), sig) {", "if false && !author.Verify(signed(head, rest), sig) {", "./shared/bundle", "TestEveryFlipAndCutIsRefused"},
	{"a container of another kind", "shared/bundle/container.go", "got != kind {", "false && got != kind {", "./shared/bundle", "TestOtherKindIsNamed"},
	{"a bomb expands", "shared/bundle/container.go", "if size > MaxBody || size > int64(len(packed)+1)*maxExpansion {", "if false {", "./shared/bundle", "TestBombIsRefusedBeforeItExpands"},

	// who approves
	{"anybody is an operator", "offline/quorum.go", "	case !enrolled:\n", "	case false && !enrolled:\n", "./offline", "TestCarriedApproval"},
	{"an approval of other terms", "offline/quorum.go", "case !ok || a.Terms != t || !a.Valid():", "case !ok || !a.Valid():", "./offline", "TestCarriedApproval"},
	{"the ledger alone approves", "offline/quorum.go", "if err != nil || !a.Valid() {", "if err != nil {", "./offline", "TestLedgerAloneApprovesNothing"},
	{"an approval's signature is not checked", "offline/operator/operator.go", "return a.Operator.Verify(a.message(), a.Signature)", "return true", "./offline/operator", "TestApprovalIsOfItsTerms"},
	{"an approval names no round", "offline/operator/operator.go", "t.Judged[:], t.Round[:]}, nil)", "t.Judged[:]}, nil)", "./offline/operator", "TestApprovalIsOfItsTerms"},
	{"a used approval counts again", "offline/ledger/memory.go", "		m.end(line.Request, line) // its approvals are used\n", "", "./offline/ledger", "TestRoundsEnd"},
	{"approvals survive another policy", "offline/ledger/memory.go", "		m.policy, m.policies = PolicySet{Hash: line.Policy, Line: line.N, Time: line.Time}, true\n		m.old = At{}\n		m.endAll(line)\n", "		m.policy, m.policies = PolicySet{Hash: line.Policy, Line: line.N, Time: line.Time}, true\n		m.old = At{}\n", "./offline/ledger", "TestRoundsEnd"},

	{"a wallet without a key agrees", "offline/settled.go", "		if _, is := have[key.ID]; !is {\n", "		if false {\n", "./cmd/kms-offline", "TestSignerAttacks/50-restore-drops-a-key"},
	{"a batch of keys has no names", "offline/ledger/keys.go", "line.Items, line.Keys = len(part), part", "line.Items = len(part)", "./cmd/kms-offline", "TestSignerAttacks/50-restore-drops-a-key"},
	{"a restore drops keys unasked", "cmd/kms-offline/restore_keys.go", "	if len(unnamed) == 0 {\n", "	if true {\n", "./cmd/kms-offline", "TestSignerAttacks/50-restore-drops-a-key"},
	{"the last copy is written over", "cmd/kms-offline/restore.go", "	if err := a.keepAside(r.path, r.keep); err != nil {\n", "	if err := a.keepAside(r.path, nil); err != nil {\n", "./cmd/kms-offline", "TestSignerAttacks/50-restore-over-the-last-copy"},
	{"settle writes over the last copy", "cmd/kms-offline/restore_keys.go", "	return a.keepAside(w.Path(), []string{prev})\n", "	return nil\n", "./cmd/kms-offline", "TestSignerAttacks/50-old-wallet-by-copy-drops-a-key"},
	{"a key that came back may be lost again", "offline/ledger/keys.go", "case ActAdd, ActImport, ActRestore:", "case ActAdd, ActImport:", "./cmd/kms-offline", "TestSignerAttacks/50-old-wallet-by-copy-drops-a-key"},
	{"a watch file drops keys unsaid", "cmd/kms-offline/pairing.go", "			gone = append(gone, e.SignatureID)\n", "", "./cmd/kms-offline", "TestSignerAttacks/50-watch-drops-a-key"},

	{"who is not named still counts", "cmd/kms-offline/ledger_accept.go", "		if !slices.Contains(names, o.Name) {\n", "		if false {\n", "./cmd/kms-offline", "TestSignerAttacks/50-old-set-accepted"},
	{"a relay that is not confirmed still asks", "cmd/kms-offline/ledger_accept.go", "		if !yes {\n			gone.relays", "		if !yes && false {\n			gone.relays", "./cmd/kms-offline", "TestSignerAttacks/50-old-set-accepted"},
	{"an accepted old copy is not said", "offline/offline.go", "s.noticeOld(), ", "", "./cmd/kms-offline", "TestSignerAttacks/50-old-set-accepted"},
	{"the same policy is not set again", "cmd/kms-offline/policy.go", "changed := old || ", "_ = old\n	changed := ", "./cmd/kms-offline", "TestSignerAttacks/50-old-set-accepted"},
	{"operators and relays go unasked", "cmd/kms-offline/show.go", "	if yes {\n		return nil\n	}\n	tty, err := openTerminal()\n	if err != nil {\n		return cli.Fail(cli.Usage, fmt.Errorf(\"%w: %s is not removed", "	if true {\n		return nil\n	}\n	tty, err := openTerminal()\n	if err != nil {\n		return cli.Fail(cli.Usage, fmt.Errorf(\"%w: %s is not removed", "./cmd/kms-offline", "TestSignerAttacks/50-removal-is-asked"},
	{"a taken name is told after the passwords", "cmd/kms-offline/operator.go", "	if err := w.MayAddOperator(name); err != nil {", "	if err := w.MayAddOperator(name); false {", "./cmd/kms-offline", "TestSignerAttacks/50-removal-is-asked"},

	{"a restored copy approves nowhere", "offline/quorum.go", "s.Ledger.Ended(round) && !s.Ledger.EndedByCopy(round) {", "s.Ledger.Ended(round) {", "./cmd/kms-offline", "TestSignerAttacks/50-approved-on-a-restored-copy"},
	{"operators who do not count are counted", "cmd/kms-offline/policy.go", "		if slices.Contains(book.Operators(), o.String()) {\n", "		if slices.Contains(book.Operators(), o.String()) || true {\n", "./cmd/kms-offline", "TestSignerAttacks/50-operators-that-count"},
	{"an unsettled set is copied unsaid", "cmd/kms-offline/backup.go", "	a.warnUnsettled(w)\n", "", "./cmd/kms-offline", "TestSignerAttacks/50-operators-that-count"},

	{"a stranger's wallet is replaced unasked", "cmd/kms-offline/restore_keys.go", "	if id.Public() == r.id.Public() {\n", "	if true {\n", "./cmd/kms-offline", "TestSignerAttacks/50-restore-over-a-stranger"},
	{"no lock on a read-only medium is an error", "cmd/kms-offline/app.go", "	if errors.Is(err, syscall.EROFS) {\n", "	if errors.Is(err, syscall.EROFS) && false {\n", "./cmd/kms-offline", "TestSignerAttacks/50-wallet-on-a-read-only-medium"},
	{"no advice about a medium", "cmd/kms-offline/advice.go", "		if errors.Is(err, trouble.is) {\n", "		if false {\n", "./cmd/kms-offline", "TestSignerAttacks/50-wallet-on-a-read-only-medium"},

	{"what was rejected leaves the batch unasked", "cmd/kms-offline/approve.go", "	if err != nil || !yes {\n		return quorum\n", "	if err != nil || !yes && false {\n		return quorum\n", "./cmd/kms-offline", "TestSignerAttacks/44-later-under-a-quorum-unasked"},
	{"hints do not name the wallet", "cmd/internal/cli/cli.go", "	if flags.Len() == 0 {\n", "	if true {\n", "./cmd/kms-offline", "TestSignerAttacks/44-later-under-a-quorum-goes-on"},
	{"what was signed before is listed as new", "cmd/kms-offline/ledger_list.go",
		"err == nil && was && at.Line < line.N {",
		"false && err == nil && was && at.Line < line.N {",
		"./cmd/kms-offline", "TestSignerAttacks/44-list-of-what-was-done"},
	{"a list has no end", "cmd/kms-offline/ledger_list.go",
		"	reply.keep(limit)\n	if",
		"	if",
		"./cmd/kms-offline", "TestSignerAttacks/44-list-of-what-was-done"},
	{"what was signed before is told as paid anew", "offline/review/totals.go",
		"	if again {\n",
		"	if false {\n",
		"./cmd/kms-offline", "TestSignerAttacks/44-signed-again-pays-nothing-new"},
	{"approvals seem to be of a part", "offline/quorum.go",
		"s.lostApprovals(j, have), s.whatIsApproved(j))}",
		"s.lostApprovals(j, have), \"\")}",
		"./cmd/kms-offline", "TestSignerAttacks/44-later-under-a-quorum-goes-on"},
	{"a result goes below a folder that is missing", "cmd/kms-offline/carry.go", "	if err := a.hasFolder(dir); err != nil {", "	if err := os.MkdirAll(dir, durable.PermDir); err != nil {", "./cmd/kms-offline", "TestSignerAttacks/44-result-has-no-folder"},

	{"a wallet that disagrees judges", "offline/offline.go", "	if s.Unsettled != nil {\n", "	if false {\n", "./offline", "TestUnsettledJudgesNothing"},
	{"an old ledger under a new wallet", "offline/settled.go", "if len(kept.Known) > 0 && !book.Knows(kept.Known) {", "if false {", "./offline", "TestUnsettledJudgesNothing"},
	{"approvals of all count for a part", "offline/policy/verdict.go", "		c.operators = 0\n", "", "./offline", "TestApprovalsAreOfTheWholeBatch"},
	{"an ended round is named again", "offline/ledger/round.go", "	switch _, ended := s.closed[line.Round]; {\n", "	switch ended := false; {\n", "./offline/ledger", "TestRoundsEnd"},
	{"a round of another ledger is opened", "offline/ledger/round.go", "!line.roundOfBefore() && !line.draws() && s.of(line)", "false && s.of(line)", "./offline/ledger", "TestRoundsAreDrawnHere"},
	{"rounds of before count", "offline/ledger/round.go", "	if line.roundOfBefore() {\n		s.outdated(line)\n		return\n	}\n	if s.of(line).nonce", "	if s.of(line).nonce", "./offline/ledger", "TestRoundsAreDrawnHere"},
	{"any round that is named is one of here", "offline/quorum.go", "round != \"\" && round != s.Round(j), nil", "false, nil", "./cmd/kms-offline", "TestSignerAttacks/24-round-drawn-elsewhere-decline"},
	{"a batch passes its limit in two parts", "offline/policy/past.go", "	if payment.Batch == now.batch && now", "	if false && now", "./cmd/kms-offline", "TestSignerAttacks/24-batch-limit-in-two-parts"},
	{"a number of lines is enough", "cmd/kms-offline/ledger_check.go", "	if words = words[1:]; len(words) < leastWords {\n", "	if words = words[1:]; false {\n", "./cmd/kms-offline", "TestSignerAttacks/03-old-set-and-a-psbt"},
	{"what was signed comes back as refused", "offline/signing.go", "		if outcomes[first+i].Err != nil {\n", "		if false {\n", "./cmd/kms-offline", "TestSignerAttacks/24-rejected-after-signing"},
	{"nobody is told that it was signed", "offline/offline.go", "_, shown.SignedBefore = s.earlier(j, i)", "_, _ = s.earlier(j, i)", "./cmd/kms-offline", "TestSignerAttacks/24-rejected-after-signing"},
	{"another wallet's copy is called damage", "cmd/kms-offline/restore.go", "	if known && of != id.Public().Fingerprint() || err", "	if false && known && of != id.Public().Fingerprint() || err", "./cmd/kms-offline", "TestSignerAttacks/24-copy-of-another-wallet"},
	{"a settled difference leaves approvals", "offline/ledger/round.go", "case ActRestore, ActSettle, ActLost:", "case ActRestore:", "./offline/ledger", "TestRoundsEnd"},
	{"a save wipes out what an old wallet shows", "cmd/kms-offline/record.go", "	if err := offline.Unsettled(offline.Differences(o.was, book)); err != nil {\n", "	if err := error(nil); err != nil {\n", "./cmd/kms-offline", "TestSignerAttacks/24-write-over-a-removed-key"},
	{"a save wipes out an old policy", "cmd/kms-offline/record.go", "	if lines[0].Kind == ledger.KindPolicy {\n", "	if true {\n", "./cmd/kms-offline", "TestSignerAttacks/24-write-over-an-old-policy"},
	{"a removed key stays after settling", "cmd/kms-offline/ledger_upgrade.go", "_, has := s.wallet.Lookup(d.Key); has {", "_, has := s.wallet.Lookup(d.Key); has && false {", "./cmd/kms-offline", "TestSignerAttacks/24-settle-finishes-a-removal"},
	{"one removal hides another", "offline/ledger/round.go", "		if !slices.ContainsFunc(list, same) {\n", "		if len(list) == 0 && !slices.ContainsFunc(list, same) {\n", "./cmd/kms-offline", "TestSignerAttacks/24-settle-finishes-a-removal"},
	{"an upgrade makes an old wallet a new one", "cmd/kms-offline/ledger_upgrade.go", "	if current {\n", "	if current || true {\n", "./cmd/kms-offline", "TestSignerAttacks/24-upgrade-over-a-removed-key"},

	// where money goes
	{"own transfers pass", "offline/policy/own.go", "	default:\n		j.do(rule.Mode", "	case true:\n	default:\n		j.do(rule.Mode", "./cmd/kms-offline", "TestSignerAttacks/01-change-to-another-own-key"},
	{"refused own transfers are looked at", "offline/policy/own.go", "	if m == \"look\" {", "	if m != \"allow\" {", "./cmd/kms-offline", "TestSignerAttacks/01-own-transfers-rule-and-groups"},
	{"all entries are one group", "offline/policy/own.go", "	if group, ok := p.group[signatureID]; ok {", "	if group, ok := \"\", true; ok {", "./offline/policy", "TestOwnTransferProperties"},
	{"groups are ignored", "offline/policy/own.go", "	if group, ok := p.group[signatureID]; ok {", "	if group, ok := p.group[signatureID]; false && ok {", "./cmd/kms-offline", "TestSignerAttacks/01-own-transfers-rule-and-groups"},
	{"all that own keys receive is change", "offline/policy/own.go", "address(out.Address, out.Lock)}, entry[unit]\n", "address(out.Address, out.Lock)}, out.Amount\n", "./offline/policy", "TestOwnTransferProperties"},
	{"an entry supplies twice", "offline/policy/own.go", "		entry[unit] = entry[unit].Minus(out.Change)\n", "", "./offline/policy", "TestOwnTransferProperties"},
	{"far indices are near", "offline/policy/own.go", "			out.Far = true\n", "", "./cmd/kms-offline", "TestSignerAttacks/01-far-index"},
	{"unspendable is change", "offline/policy/own.go", "out.Unspendable || out.Burnt || out.Amount.IsZero()", "out.Burnt || out.Amount.IsZero()", "./cmd/kms-offline", "TestSignerAttacks/01-bch-p2pk-is-no-change"},
	{"the ledger names no own output", "offline/moved.go", "		if out.Own != nil {\n", "		if false {\n", "./cmd/kms-offline", "TestSignerAttacks/01-own-outputs-are-named-everywhere"},
	{"the screen names no own key", "offline/review/item.go", "	return \"own, other key\"", "	return \"own\"", "./cmd/kms-offline", "TestSignerAttacks/01-own-outputs-are-named-everywhere"},
	{"who pays nobody is not flagged", "offline/policy/own.go", "			if paid == 0 {\n", "			if false {\n", "./cmd/kms-offline", "TestSignerAttacks/05-pays-nobody"},
	{"a fee has no cap in coins", "offline/policy/fee.go", "	if r.MaxFee != nil && cost.Cmp(*r.MaxFee) > 0 {", "	if false {", "./cmd/kms-offline", "TestSignerAttacks/05-fee-cap"},
	{"a fee has no cap by default", "offline/policy/policy.go", "		if c.MaxFee == nil { // not", "		if false { // not", "./cmd/kms-offline", "TestSignerAttacks/05-fee-cap"},
	{"what was taken out counts", "offline/person.go", "	if len(ids) > 0 {\n", "	if false {\n", "./cmd/kms-offline", "TestSignerAttacks/09-taken-out-counts-towards-nothing"},
	{"what was taken out is signed", "offline/person.go", "		j.items[at].out, j.items[at].err = true, s.takenOut(j, at, \"taken", "		_ = s.takenOut(j, at, \"taken", "./cmd/kms-offline", "TestSignerAttacks/09-taken-out-counts-towards-nothing"},
	{"a later rule changes every policy's hash", "offline/policy/file.go", "`json:\"requireLedgerCheck,omitempty\"`", "`json:\"requireLedgerCheck\"`", "./offline/policy", "TestHashWithoutTheLaterRules"},

	// what is signed in several writes
	{"another set of items goes on", "offline/resume.go", "		if it.Refused() && !s.", "		if false && !s.", "./offline", "TestCutShortIsOfTheSameItems"},
	{"a batch goes on after anything", "offline/ledger/run.go", "	case line.Request != s.run.batch || line.Code == chain.RefusedByPerson:\n		s.run = run{}\n", "	case line.Request != s.run.batch || line.Code == chain.RefusedByPerson:\n", "./offline/ledger", "TestRunIsCutShort"},
	{"a batch goes on after a no", "offline/ledger/run.go", "	case line.Kind != KindReviewed && line.Kind != KindApproved:\n		s.run = run{}\n", "", "./offline/ledger", "TestRunIsCutShort"},
	{"a finished batch goes on", "offline/ledger/run.go", "		if s.run.left--; s.run.left <= 0 {", "		if s.run.left--; false {", "./offline/ledger", "TestRunIsCutShort"},
	{"another scope goes on", "offline/ledger/run.go", "r.policy == policy && r.scope == scope", "r.policy == policy", "./offline/ledger", "TestRunIsCutShort"},
	{"a ledger is upgraded under any clock", "cmd/kms-offline/ledger_upgrade.go", "	if err := a.timely(book); err != nil {\n		return err\n	}\n", "", "./cmd/kms-offline", "TestSignerAttacks/09-clock-set-ahead-upgrade"},
	{"a ledger is settled under any clock", "cmd/kms-offline/ledger_upgrade.go", "	if err := a.timely(s.Ledger); err != nil {\n		return err\n	}\n", "", "./cmd/kms-offline", "TestSignerAttacks/09-clock-set-ahead-settle"},

	// the ledger
	{"version 1 is not copied before its upgrade", "cmd/kms-offline/backup.go", "	if book.Keyed() { // its", "	if book.Keyed() || true { // its", "./cmd/kms-offline", "TestSignerAttacks/22-version-1-is-verified-and-copied"},
	{"version 1 passes as verified", "cmd/kms-offline/ledger.go", "	return cli.Fail(cli.Refused, fmt.Errorf(\"the hashes of all lines hold; %w\", why), hint", "	return cli.Fail(0, fmt.Errorf(\"the hashes of all lines hold; %w\", why), hint", "./cmd/kms-offline", "TestSignerAttacks/22-version-1-is-verified-and-copied"},
	{"an old mark allows a cut", "offline/ledger/ledger.go", "	case l.n > atMost:\n", "	case l.n > atMost && false:\n", "./offline/ledger", "TestAnOldMark"},
	{"lines behind an old mark", "offline/ledger/ledger.go", "	if l.marked < l.n {\n", "	if false {\n", "./offline/ledger", "TestMarkAfterTwoCrashes"},
	{"an old password comes back", "offline/settled.go", "	for _, taken := range book.TakenSince(at) {\n", "	for _, taken := range book.TakenSince(at + 1<<40) {\n", "./cmd/kms-offline", "TestSignerAttacks/12-old-password-by-copy"},
	{"a removed key comes back", "offline/ledger/round.go", "	case ActPassword, ActRemove:\n", "	case ActPassword:\n", "./cmd/kms-offline", "TestSignerAttacks/12-removed-key-by-copy"},
	{"a restore is not recorded", "cmd/kms-offline/restore.go", "	if err := a.recordRestore(r, book); err != nil {\n		return err\n	}\n", "", "./cmd/kms-offline", "TestSignerAttacks/12-restore-killed"},
	{"--without ends no round", "cmd/kms-offline/sign.go", "	if err := session.RecordTakenOut(judged); err != nil {\n		return signReply{}, finished{}, stop(ledgerError(err))\n	}\n", "", "./cmd/kms-offline", "TestSignerAttacks/12-without-ends-the-round"},
	{"leaving items out ends the round of what is left", "offline/ledger/memory.go", "		m.endOthers(line.Request, line)\n", "		m.end(line.Request, line)\n", "./cmd/kms-offline", "TestSignerAttacks/20-hint-without-its-flags"},
	{"leaving items out ends no round", "offline/ledger/memory.go", "		m.endOthers(line.Request, line)\n", "", "./cmd/kms-offline", "TestSignerAttacks/12-without-ends-the-round"},
	{"approvals of another judgement count", "offline/ledger/memory.go", "func judgedAs(policy, judged string) string { return policy + \" \" + judged }", "func judgedAs(policy, judged string) string { return policy }", "./cmd/kms-offline", "TestSignerAttacks/20-hint-without-its-flags"},
	{"a hint leaves nothing out", "cmd/kms-offline/approve.go", "		command += \" --without \" + id\n", "		_ = id\n", "./cmd/kms-offline", "TestSignerAttacks/20-hint-without-its-flags"},
	{"the terminal stays silent", "cmd/kms-offline/panic.go", "		putBack()\n", "		_ = putBack\n", "./cmd/kms-offline", "TestSignerAttacks/13-quit-leaves-the-terminal"},
	{"a line without end is read", "offline/ledger/file.go", "		case length > maxLine:\n", "		case false:\n", "./cmd/kms-offline", "TestSignerAttacks/12-torn-line-without-end"},
	{"another user owns the ledger", "shared/durable/perm.go", "known && uid != 0 && uid != os.Geteuid() {", "false && known && uid != 0 && uid != os.Geteuid() {", "./cmd/kms-offline", "TestSignerAttacks/12-ledger-of-another-user"},
	{"two empty results are the same", "cmd/kms-offline/compare.go", " && reply.Signed > 0", "", "./cmd/kms-offline", "TestSignerAttacks/12-compare-without-signatures"},
	{"others may write the ledger", "offline/ledger/file.go", "	if f.copy {\n		return nil\n	}\n	if err := durable.CheckDir", "	if true {\n		return nil\n	}\n	if err := durable.CheckDir", "./offline/ledger", "TestOthersMayNotWrite"},
	{"a line without its code", "offline/ledger/ledger.go", "!hmac.Equal(r.code[:], want[:]) {", "false && !hmac.Equal(r.code[:], want[:]) {", "./offline/ledger", "TestForgedLineBehindTheMark"},
	{"a mark without its code", "offline/ledger/ledger.go", "case l.keyed && !m.sealed(owner) &&", "case false && !m.sealed(owner) &&", "./offline/ledger", "TestACutWithAForgedMarkIsFound"},
	{"lines do not follow each other", "offline/ledger/ledger.go", "if r.line.N != l.n+1 || r.line.Prev != l.Head() {", "if false {", "./offline/ledger", "TestLinesTakenOutSwappedOrDoubledAreFound"},
	{"a cut ledger opens", "offline/ledger/ledger.go", "	case !seen:\n", "	case false && !seen:\n", "./offline/ledger", "TestEveryCutIsFound"},
	{"a missing mark", "offline/ledger/ledger.go", "	case m == nil: // a wallet", "	case false: // a wallet", "./offline/ledger", "TestMissingMarkIsRefused"},
	{"another wallet's ledger", "offline/ledger/ledger.go", "case l.n > 0 && l.signer != owner.signer:", "case false:", "./offline/ledger", "TestAnotherSignersLedger"},
	{"the clock goes back", "offline/ledger/ledger.go", "if clock = max(clock, now.Unix()); line.Kind == KindClock {", "if clock = now.Unix(); line.Kind == KindClock {", "./offline/ledger", "TestPaymentsCountOnceByTheLedgersClock"},

	// policy
	{"burning is free", "shared/chain/facts.go", "return f.Fee.Plus(f.Burnt())", "return f.Fee", "./cmd/kms-offline", "TestSignerAttacks/05-burnt-value-is-fee"},
	{"only OP_RETURN burns", "shared/chain/utxo/burn.go", "		return p.neverRuns(script)\n", "		return false\n", "./cmd/kms-offline", "TestSignerAttacks/05-burnt-value-is-fee"},
	{"burnt value is forgotten", "offline/ledger/memory.go", "	return l.Fee.Plus(l.Burnt)\n", "	return *l.Fee\n", "./cmd/kms-offline", "TestSignerAttacks/05-burnt-value-is-fee"},
	{"fees are free", "offline/policy/limits.go", "	all.fee(j.subject.Facts.Cost())\n", "", "./offline/policy", "TestLimits"},
	{"a key signs on any curve", "offline/hd/secret.go", "	if s.Curve != c || c == UnknownCurve {\n", "	if false {\n", "./offline/sign/fakechain", "TestOtherCurve"},
	{"a payment is compared with nothing", "offline/policy/aboveusual.go", "	case jump > limit &&", "	case false &&", "./offline/policy", "TestAboveUsual"},
	{"a payee gets more than its limit", "offline/policy/payeelimits.go", "to.now.sum.Cmp(*e.Limit) > 0", "false", "./offline/policy", "TestPayeeLimits"},
	{"junk fills the first page", "offline/review/unusual.go", "count[r.code] < perCode", "true", "./offline/review", "TestJunkMovesNothingOffTheFirstPage"},
	{"one unit less is another amount", "offline/policy/stats.go", "	return !a.Minus(b).AbovePercent(percent, a)\n", "	return a == b\n", "./offline/policy", "TestNewAndSame"},
	{"addresses look alike by their first four only", "offline/policy/likes.go", "for head := 0; head <= l.letters; head++ {", "for head := 4; head <= 4; head++ {", "./offline/policy", "TestLookAlikes"},
	{"a finding without a rule passes", "offline/policy/family.go", "	return modeRefuse\n", "	return modeAllow\n", "./offline/policy", "TestEachRule"},
	{"a token without a rule passes", "offline/policy/tokens.go", "a.token != \"\" && !known {", "false && !known {", "./offline/sign/fakechain", "TestRules"},
	{"a token has no limit", "offline/policy/tokens.go", "l.exceeded(sum, t) {", "false && l.exceeded(sum, t) {", "./offline/sign/fakechain", "TestRules"},
	{"a request of version 1 is read", "shared/bundle/container.go", ".version(); v != reads {", ".version(); false && v != reads {", "./shared/bundle", "TestRequestOfTheVersionBefore"},
	{"attachments in any order", "shared/bundle/request.go", " || i > 0 && a.Family <= r.Attachments[i-1].Family {", " {", "./shared/bundle", "TestRequestThatWouldNotOpenIsNotSealed"},
	{"a limit is never exceeded", "offline/policy/limits.go", "(l.Sum != nil && t.sum.Cmp(*l.Sum) > 0 && !own.sum.IsZero())", "false", "./offline/policy", "TestLimits"},
	{"denied destinations are paid", "offline/policy/lists.go", "if e, denied := j.policy.deny.find(to, out.Lock); denied {", "if e, denied := j.policy.deny.find(to, out.Lock); false && denied {", "./offline/policy", "TestLists"},
	{"an unknown chain is allowed", "offline/policy/chains.go", `				j.refuse(chain.ChainNotAllowed, "policy does not sign for %s", j.subject.coin())
`, "", "./offline/policy", "TestEachRule"},
	{"any time can be", "offline/policy/requesttime.go", "	case !InRange(made):\n", "	case false:\n", "./cmd/kms-offline", "TestSignerAttacks/19-a-time-that-cannot-be"},
	{"an old request is young", "offline/policy/age.go", "case made < now-limit*hour:", "case false && made < now-limit*hour:", "./offline/policy", "TestAge"},
	{"online is offline", "offline/policy/offline.go", "if j.policy.file.RequireOffline && !j.circumstances.Offline {", "if false {", "./offline/policy", "TestOffline"},
	{"approvers are not counted", "offline/policy/approver.go", "	if n < a.Needed {\n", "	if false {\n", "./offline/policy", "TestApprovers"},

	{"a bare public key is change", "offline/policy/own.go", "		if out.Hidden {\n", "		if false {\n", "./cmd/kms-offline", "TestSignerAttacks/19-change-to-a-bare-public-key"},
	{"a denied key is paid by another address", "offline/policy/deny.go", "coin.KeyForms(lock) {", "coin.KeyForms(nil) {", "./cmd/kms-offline", "TestSignerAttacks/19-denied-by-another-address-of-the-key"},

	{"groups of nobody are not told", "cmd/kms-offline/policy.go", "return append(p.GroupWarnings(w.Lookup), few...), err", "return few, err", "./cmd/kms-offline", "TestSignerAttacks/19-rules-that-do-not-fit-are-told"},
	{"a largest fee of zero is not told", "offline/policy/fee.go", "*c.MaxFeePercent == 0) {", "*c.MaxFeePercent == 0) && false {", "./offline/policy", "TestWarnings"},

	// one key of two coins
	{"testnet spends coins of mainnet", "offline/policy/shared.go", `case mode == "" && of.Network == chain.Testnet:`, `case false && of.Network == chain.Testnet:`, "./cmd/kms-offline", "TestSignerAttacks/19-testnet-item-spends-a-coin-of-mainnet"},
	{"shared keys are not looked up", "offline/offline.go", "	subject.Shared = s.shared(subject.Facts)\n", "", "./cmd/kms-offline", "TestSignerAttacks/19-item-of-one-coin-spends-another"},
	{"mnemonics share known indices only", "offline/sharedkeys.go", "if other.key.Index == 0 && !", "if false && !", "./cmd/kms-offline", "TestSignerAttacks/19-shared-key-of-a-mnemonic"},
	{"sharing is not told", "cmd/kms-offline/generate.go", "Warnings: a.warnOfSharing(w, e)}", "Warnings: nil}", "./cmd/kms-offline", "TestSignerAttacks/19-shared-key-is-told-when-stored"},
	{"sharing is not told by an import", "cmd/kms-offline/importwallet.go", "	reply.Warnings = append(reply.Warnings, a.warnOfSharing(w, fresh...)...)\n", "", "./cmd/kms-offline", "TestSignerAttacks/19-shared-key-is-told-when-imported"},
	{"a fault hides shared keys", "offline/sharedkeys.go", "	if !s.sharing.made {\n", "	if false {\n", "./offline", "TestSharingAfterAFault"},
	{"the encoding hides a shared secret", "offline/sharedkeys.go", "copy(x[:], public[1:])", "copy(x[:], public)", "./offline", "TestSharedBy"},

	{"what is refused calls operators", "offline/policy/quorum.go", "if b.again[i] || verdicts[i].Refused() {\n			continue\n		}\n		of :=", "if b.again[i] {\n			continue\n		}\n		of :=", "./cmd/kms-offline", "TestSignerAttacks/21-quorum-of-what-can-be-signed"},
	{"what was signed calls no operators", "offline/policy/quorum.go", "			*of = b.past.ofAsset(asset{s.coin(), \"\"}).signed\n", "", "./offline/policy", "TestQuorum"},

	// the wallet
	{"a wrong password is damage", "offline/wallet/seal.go", "if !hmac.Equal(headerMAC(k, file[:atMAC]), file[atMAC:atSum]) {", "if false && !hmac.Equal(headerMAC(k, file[:atMAC]), file[atMAC:atSum]) {", "./offline/wallet", "TestOpenErrors"},
	{"any cost is paid", "offline/wallet/header.go", "if err := h.cost.check(); err != nil {", "if err := error(nil); err != nil {", "./offline/wallet", "TestHeaderCaps"},
	{"a wallet has many encodings", "offline/wallet/body.go", "if !bytes.Equal(raw, again) {", "if false && !bytes.Equal(raw, again) {", "./offline/wallet", "TestBodyIsStrict"},
	{"an operator has the wallet's password", "offline/wallet/operators.go", "case bytes.Equal(password, w.password):", "case false && bytes.Equal(password, w.password):", "./offline/wallet", "TestAddOperatorRefuses"},
	{"dead randomness makes keys", "offline/hd/source.go", "if s.run++; s.run >= repeats {", "if s.run++; false {", "./offline/hd", "TestSource"},

	// the process, and what no golden file pinned
	{"TIOCSTI is open", "offline/harden/seccomp_linux.go", "{unix.TIOCSTI, tiocLinux}", "{tiocLinux}", "./offline/harden", "TestFilterByNumber"},
	{"TIOCLINUX is open", "offline/harden/seccomp_linux.go", "{unix.TIOCSTI, tiocLinux}", "{unix.TIOCSTI}", "./offline/harden", "TestFilterByNumber"},
	{"32-bit calls are open", "offline/harden/seccomp_linux.go", "		bpf.JumpIf{Cond: bpf.JumpEqual, Val: r.arch, SkipTrue: 1},\n		refuse,\n", "", "./offline/harden", "TestFilterByNumber"},
	{"x32 calls are open", "offline/harden/seccomp_linux.go", "		bpf.JumpIf{Cond: bpf.JumpLessThan, Val: x32Bit, SkipTrue: 1},\n		refuse,\n", "", "./offline/harden", "TestFilterByNumber"},
	{"the filter is not loaded", "offline/harden/seccomp_linux.go", "	if err := load(r.filter()); err != nil {\n		return 0, err\n	}\n", "", "./offline/harden", "TestHardenedProcess"},
	{"one thread has the filter", "offline/harden/seccomp_linux.go", "unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr", "0, uintptr", "./offline/harden", "TestHardenedProcess"},
	{"an inherited socket is kept", "offline/harden/inherited_linux.go", "		case !isSocket(fd):\n", "		case true || !isSocket(fd):\n", "./offline/harden", "TestInheritedSocket"},
	{"memory can be dumped", "offline/harden/harden_linux.go", "		r.try(NoDump, \"PR_SET_DUMPABLE is 0\", noDump),\n", "", "./offline/harden", "TestHardenedProcess"},
	{"the signer goes on unguarded", "cmd/kms-offline/main.go", "		fmt.Fprintf(streams.Err, \"kms-offline: %v\\n\", err)\n		return cli.Failed\n	}\n	for", "		fmt.Fprintf(streams.Err, \"kms-offline: %v\\n\", err)\n	}\n	for", "./cmd/kms-offline", "TestSignerAttacks/07-inherited-socket"},
	{"a socket is linked in", "cmd/kms-offline/main.go", "	endQuietly(os.Stderr)\n", "	endQuietly(os.Stderr)\n	if len(os.Args) > 1000 {\n		os.NewFile(0, \"\").SyscallConn()\n		_, _ = os.StartProcess(os.Args[0], nil, &os.ProcAttr{})\n	}\n", "./cmd/testtools/loop", "TestSignerHasNoSocket"},
	{"a raw call is linked in", "cmd/kms-offline/panic.go", "	signal.Notify(c, stackSignals()...)\n", "	signal.Notify(c, stackSignals()...)\n	if len(os.Args) > 1000 {\n		_, _, _ = syscall.RawSyscall(41, 2, 1, 0)\n	}\n", "./cmd/testtools/loop", "TestSignerRawCalls"},
	{"compare takes one file twice", "cmd/kms-offline/compare.go", "if bytes.Equal(first.File, second.File) {", "if false && bytes.Equal(first.File, second.File) {", "./cmd/kms-offline", "TestSignerAttacks/10-compare-one-file-twice"},
	{"another fingerprint", "shared/identity/identity.go", `"coldkms fingerprint v1\n"`, `"coldkms fingerprint v2\n"`, "./cmd/kms-offline", "TestFormatFiles"},
	{"another tag of approvals", "offline/operator/operator.go", `signTag = "coldkms operator approval v3\n"`, `signTag = "coldkms operator approval v4\n"`, "./cmd/kms-offline", "TestFormatFiles"},
	{"another judgement", "offline/offline.go", `"coldkms judgement v2\n"`, `"coldkms judgement v3\n"`, "./cmd/kms-offline", "TestFormatFiles"},
	{"another content", "shared/chain/utxo/prev.go", `"coldkms utxo content v1\n"`, `"coldkms utxo content v2\n"`, "./cmd/kms-offline", "TestFormatFiles"},
	{"another key of the ledger", "offline/ledger/owner.go", `"coldkms ledger key v2\n"`, `"coldkms ledger key v3\n"`, "./cmd/kms-offline", "TestFormatFiles"},
	{"another nonce of BCH", "offline/sign/utxo/schnorr2019.go", `"Schnorr+SHA256  "`, `"Schnorr+SHA256   "`, "./cmd/kms-offline", "TestFormatFiles"},

	// two writers
	{"the ledger's own file is not locked", "shared/durable/log.go", "if err = f.Lock(); err == nil {", "if err == nil {", "./cmd/kms-offline", "TestSignerAttacks/60-second-writer-after-rm-lock"},
	{"a ledger is locked after the wallet was read", "cmd/kms-offline/app.go", "if err := o.files.Hold(); errors.Is(err, durable.ErrLocked) {", "if err := error(nil); errors.Is(err, durable.ErrLocked) {", "./cmd/kms-offline", "TestSignerAttacks/60-second-writer-after-rm-lock"},
	{"a ledger that was moved away is written", "shared/durable/log.go", "if !os.SameFile(open, there) {", "if false && !os.SameFile(open, there) {", "./cmd/kms-offline", "TestSignerAttacks/60-ledger-replaced-while-asked"},

	// what stands in the way of each other
	{"what was left out stands in the way", "offline/person.go", "		j.refuseConflicts()\n", "", "./cmd/kms-offline", "TestSignerAttacks/61-without-frees-the-other"},
	{"two that spend the same are free", "offline/offline.go", "			j.conflict(op, i, other)\n", "", "./cmd/kms-offline", "TestSignerAttacks/61-without-frees-the-other"},
	{"a rejection frees nothing", "offline/review/tui/lineui.go", "	case ok && m == Rejected && len(places) == 1 && d.standsInTheWay(places[0]):", "	case ok && m == Rejected && false && d.standsInTheWay(places[0]):", "./cmd/kms-offline", "TestSignerAttacks/61-rejecting-frees-the-other"},
	{"what comes free needs no operators", "cmd/kms-offline/console_ask.go", "need > 0 && len(rejected)+len(taken) > 0 {", "need > 0 && len(rejected) > 0 {", "./cmd/kms-offline", "TestSignerAttacks/61-freed-item-counts-for-the-quorum"},
	{"what stood in the way is not on record", "cmd/kms-offline/console_ask.go", "a.leave(session, judged, o, slices.Concat(d.Rejected(), taken))", "a.leave(session, judged, o, slices.Concat(d.Rejected(), taken[:0]))", "./cmd/kms-offline", "TestSignerAttacks/61-rejecting-frees-the-other"},

	// what a summary tells
	{"the CSV has nothing of what is burnt", "offline/review/summary_csv.go", "	if out.IsBurnt() {\n", "	if false {\n", "./cmd/kms-offline", "TestSignerAttacks/61-summary-leaves-out-what-is-burnt"},
	{"what is burnt is no fee in the totals", "offline/review/totals.go", "	if f.Cost().Cmp(t.MaxFee) > 0 || t.MaxFeed == 0 {\n		t.MaxFee, t.MaxFeed = f.Cost(), i+1", "	if f.Fee.Cmp(t.MaxFee) > 0 || t.MaxFeed == 0 {\n		t.MaxFee, t.MaxFeed = f.Fee, i+1", "./cmd/kms-offline", "TestSignerAttacks/61-summary-leaves-out-what-is-burnt"},
	{"a memo is not shown", "offline/review/item.go", "	if out.Memo != \"\" {\n", "	if false {\n", "./offline/review", "TestEveryFormTellsMemoValidityAndBurn"},
	{"when it is valid is not shown", "offline/review/item.go", "	if valid := validity(f.Validity); valid != \"\" {", "	if valid := validity(f.Validity); valid != \"\" && false {", "./offline/review", "TestEveryFormTellsMemoValidityAndBurn"},

	// what a person meant, and what no person pressed
	{"a decision stays where it is", "offline/review/tui/update.go", "	d.at++\n", "", "./offline/review/tui", "TestDecidingKeysMoveOn"},
	{"undo is about the cursor", "offline/review/tui/undo.go", "		d.set(was.place, was.mark)\n", "		d.set(d.view[min(d.at, len(d.view)-1)], was.mark)\n", "./offline/review/tui", "TestUndo"},
	{"a control string is keys", "offline/review/tui/keys.go", "	case osc, dcs, sos, pm, apc:\n		d.reset(text)\n", "	case osc, dcs, sos, pm, apc:\n		d.reset(ground)\n", "./offline/review/tui", "TestSequencesAreNoKeys"},
	{"a long sequence ends early", "offline/review/tui/keys.go", "		if len(d.sequence) < maxSequence {\n", "		if len(d.sequence) == maxSequence {\n			d.reset(ground)\n		} else {\n", "./offline/review/tui", "TestSequencesAreNoKeys"},
	{"pasted text is keys", "offline/review/tui/keys.go", "		d.reset(paste)\n", "", "./offline/review/tui", "TestKeys"},
	{"what follows pasted text is keys", "offline/review/tui/keys.go", "		d.reset(quiet)\n	}\n}\n\n// within", "		d.reset(ground)\n	}\n}\n\n// within", "./offline/review/tui", "TestPastedTwice"},
	{"what was not shown is approved", "offline/review/tui/update.go", "k == 'a' && !d.isWhole(i)", "false", "./offline/review/tui", "TestApprovedWhenSeen"},
	{"what wants a look is signed unseen", "offline/review/tui/finish.go", "	case len(d.unseen()) > 0:\n		return d.question(unseenPage)\n", "", "./offline/review/tui", "TestConsentFitsTheRisk"},
	{"a yes signs what wants a look", "offline/review/tui/finish.go", "d.insisting() == 0 && isYes(answer)", "isYes(answer)", "./offline/review/tui", "TestConsentFitsTheRisk"},
	{"what a decision led to is opened", "offline/review/tui/tui.go", " && !d.followed {", " {", "./offline/review/tui", "TestConsentFitsTheRisk"},
	{"an operator is not asked again", "offline/review/tui/lineui.go", "	case len(words) == 0, words[0] == \"y\"", "	case words[0] == \"y\"", "./offline/review/tui", "TestOperatorIsAskedAgain"},
	{"a password goes to the shell", "cmd/kms-offline/terminal.go", "		_ = t.discard()\n		_ = t.tty.Close()", "		_ = t.tty.Close()", "./cmd/kms-offline", "TestSignerAttacks/60-quorum-asks-again"},

	// what is a yes
	{"a yes with more words is one", "offline/review/tui/lineui.go", "		case \"y\", \"yes\", \"n\", \"no\", \"decline\":\n			return d.notUnderstood(), None", "		case \"n\", \"no\", \"decline\":\n			return d.notUnderstood(), None", "./cmd/kms-offline", "TestSignerAttacks/62-a-yes-with-more-words-is-none"},
	{"a list that cannot be read is read in part", "offline/review/tui/lineui.go", "			return nil, false\n		}\n		for i := from", "			continue\n		}\n		for i := from", "./cmd/kms-offline", "TestSignerAttacks/62-reject-takes-a-list"},

	// what was released
	{"what was released is signed before", "offline/policy/subject.go", "	case !ok || r.Released != 0:", "	case !ok:", "./cmd/kms-offline", "TestSignerAttacks/63-released-comes-again-needs-operators"},
	{"that it was released is not said", "offline/policy/remembered.go", "	if !ok || r.Released == 0 {", "	if true || !ok || r.Released == 0 {", "./cmd/kms-offline", "TestSignerAttacks/63-released-comes-again"},
	{"what was released is unknown under another id", "offline/policy/subject.go", "{h.Spender, h.Freed}", "{h.Spender}", "./cmd/kms-offline", "TestSignerAttacks/63-released-comes-again"},
	{"what was released is signed by its old digest", "offline/ledger/memory.go", " && m.released[content] == 0", "", "./cmd/kms-offline", "TestSignerAttacks/63-released-comes-again"},
	{"what was released counts twice", "offline/policy/past.go", "			if r, ok := h.Record(as); ok && r.Released != 0 {", "			if r, ok := h.Record(as); ok && r.Released != 0 && false {", "./cmd/kms-offline", "TestSignerAttacks/63-released-comes-again"},
	{"signed again it is still released", "offline/ledger/memory.go", "	delete(m.released, content)\n", "", "./cmd/kms-offline", "TestSignerAttacks/63-released-comes-again"},
	{"a request without a head is taken on trust", "cmd/kms-offline/ledger_check.go", "states := !judged.IsUnasked() && len(judged.Request.LedgerHead) > 0", "states := !judged.IsUnasked()", "./cmd/kms-offline", "TestSignerAttacks/64-old-set-and-a-request-without-a-head"},
	{"an approval on a restored copy is in no round", "cmd/kms-offline/approve.go", "	if !copied || o.out == \"\" || o.round != \"\" {", "	if true || !copied || o.out == \"\" || o.round != \"\" {", "./cmd/kms-offline", "TestSignerAttacks/65-approval-on-a-restored-copy"},
	{"the round of another batch is elsewhere", "offline/quorum.go", "open && batch != j.Request.Digest.String() {", "open && batch == \"\" {", "./cmd/kms-offline", "TestSignerAttacks/65-round-of-another-batch"},

	// what was written, and where
	{"a failure of --raw hides the result", "cmd/kms-offline/sign.go", "		if err == nil || reply.Result != \"\" { // also", "		if err == nil { // also", "./cmd/kms-offline", "TestSignerAttacks/66-raw-failure-hides-the-result"},
	{"a result of the same name stops it", "cmd/kms-offline/sign.go", "!errors.Is(err, file.ErrExists) {", "!errors.Is(err, file.ErrExists) || true {", "./cmd/kms-offline", "TestSignerAttacks/66-result-of-the-same-name"},
	{"a folder is not tried before", "cmd/kms-offline/carry.go", "	} else if err != nil {\n		return cli.Fail(cli.Failed, fmt.Errorf(\"folder %s cannot", "	} else if false && err != nil {\n		return cli.Fail(cli.Failed, fmt.Errorf(\"folder %s cannot", "./cmd/kms-offline", "TestSignerAttacks/66-out-that-takes-no-file"},
	{"two results of one machine are two", "cmd/kms-offline/compare.go", "	case hasFirst && hasSecond:\n		return oneMachine, nil", "	case hasFirst && hasSecond:\n		return twoMachines, nil", "./cmd/kms-offline", "TestSignerAttacks/67-compare-two-of-one-machine"},
	{"the words of the copy are those after its restore", "cmd/kms-offline/restore.go", "	if r.noted != \"\" {", "	if false {", "./cmd/kms-offline", "TestSignerAttacks/67-words-of-the-copy-after-restore"},
	{"a pipe is waited for as a picture", "shared/capture/capture.go", "	if !info.Mode().IsRegular() { // a pipe", "	if false { // a pipe", "./cmd/kms-offline", "TestSignerAttacks/68-pipes-devices-and-sockets"},
	{"a socket is a stick that was pulled out", "shared/durable/durable.go", "statErr == nil && info.Mode()&fs.ModeSocket != 0 {", "statErr == nil && info.Mode()&fs.ModeIrregular != 0 {", "./cmd/kms-offline", "TestSignerAttacks/68-pipes-devices-and-sockets"},
}

// Each fault still fits the code, also those that are not seeded in every run.
func TestMutantsFitTheCode(t *testing.T) {
	for _, m := range slices.Concat(signerMutants[:], mutants[:]) {
		source, err := os.ReadFile(filepath.Join("../../..", m.file))
		if err != nil {
			t.Error(err)
			continue
		}
		if n := strings.Count(string(source), m.from); n != 1 {
			t.Errorf("%s: %s has %d places for it, want 1: change the fault with the code", m.name, m.file, n)
		}
	}
}

// Every fault seeded into the signer is seen by its test.
func TestSignerMutants(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	list := signerMutants[:]
	if os.Getenv(mutantsEnv) == "" {
		list = list[:5]
	}
	caught := 0
	for _, m := range list {
		t.Run(strings.ReplaceAll(m.name, " ", "-"), func(t *testing.T) {
			if m.caught(t, root); !t.Failed() {
				caught++ // not reached where it was skipped
			}
		})
	}
	fmt.Printf("signer mutants: %d/%d caught\n", caught, len(list))
}
