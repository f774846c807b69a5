package tui

const help = `What you reject is not signed, nor is what policy refuses. All else is.

  1-9 c d e      on the first page: the unusual item with that key, in full
  Up Down j k    one up or down             Space b   a page down or up
  g G            first and last             Enter     the item in full
  a r            approve, reject; the cursor goes to the next item, always
  u              undo the last decision, wherever the cursor is
  A              approve all that are shown, undecided and ok
  V              approve all that are shown and undecided: asks for their number
  R              reject all that are shown and undecided
  l  t  T        list all; the first page; totals and destinations
  / or f         what is shown: one or several words, all of which must fit
                   ok noted look flagged refused new unopened undecided
                   approved rejected, a coin, a code such as look-alike, or a
                   part of a label, an id, an address or an amount
  o              another order, such as by number, amount, payee or rarity
  s              sign: what wants a look and was not opened is listed first
  q              leave: later, or decline     Esc       show all, go back
  Ctrl-L         draw the screen again      Ctrl-C    leave, as with later

A line of the list:  + approved  - rejected  . undecided  x refused by policy.
refused: not signed.  look: look at it twice.  noted: something is said about it.
`
