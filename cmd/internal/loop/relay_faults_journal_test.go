//go:build unix

package loop

// journalFaults are about growth, leases, backups and databases.
func journalFaults() []fault {
	return []fault{
		{"migration-of-an-older-journal", migrates},
	}
}
