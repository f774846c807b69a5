// Package sandbox is a stand-in for the part of Tatum's API that a key
// management system talks to, in front of a real node: pending transactions,
// broadcasts, withdrawals and look-ups, in Tatum's shapes and error bodies.
//
// It exists so that anyone can run the whole loop with no account and no
// coins, and so that tests can provoke what the real service does once a
// year: a reply lost after the broadcast landed, "failed": true, a 429.
//
// Server is an http.Handler over a Node for each coin (package btcd has the
// one for Bitcoin, simchain those for LTC, DOGE and BCH) and a Store (package records keeps it in SQLite). Package
// local puts the three together in one folder. What differs from Tatum is
// listed in docs/SANDBOX.md.
package sandbox
