package main

// approvalAttacks are about approvals, operators, policies and the ledger.
func approvalAttacks() []attack {
	return []attack{}
}
