package tui

const help = `Only what you approve is signed. What policy refuses is not, whatever you do.

  Up Down j k    one up or down             Space b   a page down or up
  g G            first and last             Enter     the item in full
  a r            approve, reject; the cursor goes to the next item, always
  u              undo the last decision, wherever the cursor is; u u: two of them
  t              the batch: totals, destinations
  A              approve all that are shown, undecided and ok
  V              approve all that are shown and undecided: asks for their number
  R              reject all that are shown and undecided
  / or f         what is shown: one or several words, all of which must fit
                   ok noted look flagged refused new
                   undecided approved rejected, a coin, a code such as look-alike,
                   or a part of an id, an address or an amount
  Esc            show all
  o              another order: attention, number, amount, fee rate, destination
  s              sign what is approved; everything must be decided
  q              leave: later, or decline
  Ctrl-L         draw the screen again      Ctrl-C    leave, as with later

A line of the list:  + approved  - rejected  . undecided  x refused by policy.
refused: not signed.  look: look at it twice.  noted: something is said about it.
`
