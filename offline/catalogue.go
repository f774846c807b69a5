package offline

import "coldkms/offline/wallet"

// A Catalogue is a wallet that can be gone through, as the search for own
// destinations must.
type Catalogue interface{ Entries() []wallet.Entry }
