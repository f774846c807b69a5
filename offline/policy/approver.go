package policy

import "coldkms/shared/identity"

// ApproverName returns the name that policy has for an approver's key, which may
// be none. ok is false for a key that is no approver's.
func (p Policy) ApproverName(key identity.Public) (name string, ok bool) {
	if p.file.Approvers == nil {
		return "", false
	}
	for _, a := range p.file.Approvers.Keys {
		if identity.Public(a.Key) == key {
			return a.Name, true
		}
	}
	return "", false
}
