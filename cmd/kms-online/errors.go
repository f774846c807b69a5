package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"coldkms/cmd/internal/cli"
	"coldkms/online"
	"coldkms/online/journal"
	"coldkms/online/tatum"
	"coldkms/shared/bundle"
	"coldkms/shared/durable"
	interoppsbt "coldkms/shared/interop/psbt"
	"coldkms/shared/psbt"
	"coldkms/shared/transport/file"
)

// noItemHint is about an id that is not in the journal.
const noItemHint = "kms-online status --all lists the ids that are here (with --testnet: those of testnet only); kms-online fetch brings what Tatum lists since"

// explain adds an exit code and a hint to an error. It names the state directory
// if the disk of that is full.
func (a *app) explain(err error) error {
	var told *cli.Error
	var unnoted *online.Unnoted
	if err == nil || errors.As(err, &told) || errors.As(err, &unnoted) || errors.Is(err, file.ErrFull) {
		return explain(err)
	}
	dir, unknown := a.dir()
	if full := journal.IsFull(err) || errors.Is(err, syscall.ENOSPC); !full || unknown != nil || !online.DiskFull(dir) {
		return explain(err)
	}
	return cli.Fail(cli.Failed, fmt.Errorf("%w: what could not be journaled was not done", errDiskFull(dir)), fullHint)
}

func errDiskFull(dir string) error {
	return fmt.Errorf("the disk of the state directory %s is full", dir)
}

const fullHint = "free some space there (df -h), then run the same command again; what was acknowledged is not lost"

// explain adds an exit code and a hint to an error.
func explain(err error) error {
	var told *cli.Error
	if err == nil || errors.As(err, &told) {
		return err
	}
	var unnoted *online.Unnoted
	if errors.As(err, &unnoted) {
		code := cli.Failed
		if errors.Is(err, journal.ErrAway) {
			code = cli.Network
		}
		return cli.Fail(code, unnoted, "make room on the disk of the state directory (df -h), "+
			"or start the database, then run the same command again: it looks what became of it, "+
			"and does nothing twice. Do not have it paid anew before that")
	}
	for _, known := range [...]struct {
		is   error
		code int
		hint string
	}{
		{online.ErrNotInitialised, cli.Failed,
			"if a disk is not mounted, mount it; else make one with: kms-online init (--state DIR chooses another directory)"},
		{journal.ErrMissing, cli.Failed, "nothing was made in its place: what was signed and sent is on record there only. If a disk is not mounted, mount it. Else restore your newest backup: kms-online restore FILE. If this relay never had anything to do: move identity.key and relay.kmsid away, then kms-online init, and pair both machines anew"},
		{online.ErrNoIdentity, cli.Failed, "put your copy of that relay's identity.key there (chmod 600; the folder: chmod 700), not one that init makes; then restore again"},
		{journal.ErrNoPeer, cli.Failed, "on the signer: kms-offline watch --out signer.kmswatch; then here: kms-online pair signer.kmswatch"},
		{journal.ErrOtherPeer, cli.Failed, "results of that signer may still be on their way; give the new one a state directory of its own: kms-online init --state DIR"},
		{journal.ErrAddress, cli.Usage, "see docs/POSTGRES.md"},
		{journal.ErrOtherRelay, cli.Failed, "all relays of one database have one identity: copy identity.key from the first one's directory (see docs/POSTGRES.md)"},
		{journal.ErrNewer, cli.Failed, "use that version here, too"},
		{journal.ErrNotDurable, cli.Failed, "set it on in postgresql.conf (synchronous_commit also for the role: ALTER ROLE … SET synchronous_commit = on); without it a crash of the server can lose what was signed"},
		{journal.ErrBackup, cli.Failed, "take another backup; kms-online restore --check FILE only verifies"},
		{journal.ErrNotEmpty, cli.Failed, "restore never writes over a journal: move journal.db, journal.db-wal and journal.db-shm elsewhere first, or name an empty database"},
		{journal.ErrAway, cli.Network, "nothing is lost; start the database, or look at the address, and run the same command again"},
		{journal.ErrNoItem, cli.Failed, noItemHint},
		{journal.ErrNoAlarm, cli.Failed, "kms-online alarms lists them, with their numbers"},
		{journal.ErrLeased, cli.Locked, "run the same command again in a moment; what a killed relay was at work with is free after five minutes"},
		{durable.ErrLocked, cli.Locked, "another kms-online works with this state directory; wait until it is done, or end the process that is named"},
		{tatum.ErrURL, cli.Usage, ""},
		{tatum.ErrKey, cli.Usage, ""},
		{online.ErrNotBuilt, cli.Usage, "this version works for BTC, LTC, DOGE and BCH"},
		{online.ErrOtherSigner, cli.BadBundle, "only the paired signer's results are taken: kms-online checkconfig shows which one that is"},
		{online.ErrOtherRequest, cli.BadBundle, "it belongs to another relay, or to another state directory (--state); if an older journal was put back, lay the request file (*.kmsreq) beside the result, or into done/ there, and import again"},
		{online.ErrNoMatch, cli.BadBundle, "it was changed on the way, or it belongs to another relay or state directory (--state); export again: kms-online export --psbt --out DIR"},
		{psbt.ErrInvalid, cli.BadBundle, "copy the file once more, or have it written again by the program that signed it"},
		{interoppsbt.ErrNoSuchKey, cli.Usage, "kms-online pair takes a newer watch file; --master is for signature ids that are mnemonics"},
		{online.ErrMismatch, cli.BadBundle, "sign the request again on the signer"},
		{bundle.ErrWallet, cli.BadBundle, "destroy this copy and the stick it is on; the relay reads *.kmsres and *.kmswatch"},
		{online.ErrUnreadable, cli.BadBundle, "an older version made the request: have the new one signed: kms-online export --out DIR"},
		{bundle.ErrKind, cli.BadBundle, "import takes results (*.kmsres); the signer makes one of a request: kms-offline sign FILE.kmsreq --out DIR. pair takes a watch file: kms-offline watch --out signer.kmswatch"},
		{bundle.ErrInvalid, cli.BadBundle, "copy the file once more; signing again on the signer gives the same bytes"},
		{online.ErrNoFolder, cli.Failed, "mount the stick or disk that it is on, or make it with: mkdir -p DIR; then run the same command again"},
		{online.ErrNotThere, cli.Failed, "use the API key that fetched it (kms-online checkconfig shows which ones are here); it does not go to the signer meanwhile. If it is gone at Tatum: kms-online reject ID --why TEXT --gone"},
		{online.ErrOtherContent, cli.Failed, "nothing was changed, and it is not sent"},
		{online.ErrOtherList, cli.Failed,
			"nothing was released; kms-online release lists what waits by now, and names the command"},
		{online.ErrReleased, cli.Failed, "nothing was released; kms-online release lists what waits, " +
			"and kms-online status ID says why it does not go on"},
		{online.ErrSameWithdrawal, cli.Failed, "it is not sent; find out who made both, and give one of them up: kms-online reject ID --why TEXT"},
		{online.ErrNotDropped, cli.Failed, "it was not rejected; it goes neither to the signer nor to the network meanwhile. Run the same command again, and look at Tatum (GET /v3/kms/ID) which key may drop it: until it is gone there, whatever else signs for its key can pay it"},
		{online.ErrPaidByOther, cli.Failed, "nothing was dropped and nothing given back; kms-online status shows both ids"},
		{online.ErrMayBePaid, cli.Failed, "nothing was dropped and nothing given back, and it is not sent again meanwhile; reject it again when the network shows it or not. If it never comes: spend one of its inputs with another payment, which proves in the chain that this one can never confirm"},
		{online.ErrTooLate, cli.Failed, "what is signed can be broadcast by whoever has a copy; it is not dropped"},
		{file.ErrGone, cli.Failed, "nothing is lost: put the stick in again, or take another one, and run the same command again"},
		{file.ErrFull, cli.Failed, "nothing is lost: make room on the stick (df -h), or take another one, and run the same command again"},
		{file.ErrReadOnly, cli.Failed, "nothing is lost: open the stick's lock switch, mount it writable, or take another one, and run the same command again"},
		{file.ErrNotYours, cli.Failed, "read it as its owner, or copy it, then run the same command again"},
		{file.ErrTorn, cli.Failed, "this stick does not keep what is written to it: take another one, and run the same command again"},
		{file.ErrExists, cli.Failed, "that one is damaged, or not from here: move it away, and run the same command again"},
		{context.Canceled, cli.Failed, "interrupted; run the same command again to go on"},
	} {
		if errors.Is(err, known.is) {
			return cli.Fail(known.code, err, known.hint)
		}
	}
	switch {
	case journal.IsDamaged(err):
		return cli.Fail(cli.Failed, fmt.Errorf("the journal's file is damaged: %w", err), "end what works with it; copy journal.db, journal.db-wal and journal.db-shm elsewhere and keep them; move them away, and restore your newest backup: kms-online restore FILE")
	case journal.NoRoom(err):
		return cli.Fail(cli.Failed,
			errors.New("the disk of the state directory is full: what could not be journaled was not done"), fullHint)
	case journal.IsFull(err):
		return cli.Fail(cli.Failed, fmt.Errorf("the disk of the state directory is full, or does not work: nothing was changed: %w", err), fullHint)
	case tatum.IsForeign(err) && !tatum.IsTransient(err):
		return cli.Fail(cli.Network, err, "nothing is lost. Something on the way answered, such as a proxy, or the address is not Tatum's: look at both (--api-url, TATUM_API_URL), then run the same command again")
	case tatum.IsAuth(err):
		return cli.Fail(cli.Failed, err, "Tatum does not accept the API key, or its credits are used up: look at https://dashboard.tatum.io, and use the key that created the transactions")
	case tatum.LeftAlone(err):
		return cli.Fail(cli.Network, err, "nothing is lost; run the same command again after that time")
	case tatum.IsTransient(err), tatum.IsNoAnswer(err), tatum.IsUnusable(err):
		return cli.Fail(cli.Network, err, "nothing is lost; run the same command again later")
	}
	return err
}
