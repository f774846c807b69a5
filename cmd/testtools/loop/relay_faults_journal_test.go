//go:build unix

package loop

// journalFaults are about growth, leases, backups and databases.
func journalFaults() []fault {
	return []fault{
		{"migration-of-an-older-journal", migrates},
		{"09-growth", onBoth(growth)},
		{"11-restored-before-export", onBoth(restoredBeforeExport)},
		{"11-result-that-proves-nothing", strangersResult},
		{"11-request-with-an-item-unknown-here", requestWithUnknownItem},
		{"11-put-back-by-hand", putBackByHand},
		{"11-backups", backups},
		{"11-forged-backup", forgedBackup},
		{"12-disk-full", diskFull},
		{"98d-disk-full-after-it-is-done", fullAfterItIsDone},
		{"12-pgbouncer", pgBouncer},
		{"12-synchronous-commit-off", notDurable},
		{"17-held-by-the-dead", heldByTheDead},
		{"17-clock-of-the-dead", clockOfTheDead},
		{"20-without-tls", withoutTLS},
		{"20-key-file-that-others-read", readableKeys},
	}
}
