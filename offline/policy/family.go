package policy

import "coldkms/shared/chain"

// familyRule judges what the family found about a transaction.
func familyRule() rule {
	return rule{
		modes: func(f *file) []modeField {
			return []modeField{
				{name: "unproven", mode: &f.Unproven, usual: modeRefuse, strict: true,
					about: "An amount to be spent that is not proven"},
				{name: "data", mode: &f.Data, usual: modeFlag, about: "Data on the chain (OP_RETURN)"},
				{name: "nonstandard", mode: &f.Nonstandard, usual: modeFlag, about: "A script of no standard form"},
				{name: "lockTime", mode: &f.LockTime, usual: modeFlag, about: "A transaction that is not valid yet"},
				{name: "replaceable", mode: &f.Replaceable, usual: modeFlag,
					about: "A transaction that can be replaced in the mempool (BIP 125)"},
			}
		},
		judge: func(j *judgement) {
			for _, r := range j.subject.Facts.Findings {
				j.act(j.policy.file.modeOf(r.Code), r)
			}
		},
	}
}

// modeOf returns what is done about a finding of the family. One that no rule is
// about refuses.
func (f *file) modeOf(code chain.Code) mode {
	switch code {
	case chain.UnprovenAmount:
		return f.Unproven
	case chain.FlagData:
		return f.Data
	case chain.FlagUnnamed:
		return f.Nonstandard
	case chain.FlagLockTime:
		return f.LockTime
	case chain.FlagReplaceable:
		return f.Replaceable
	case chain.FlagCommitted, chain.FlagBurn, chain.FlagLowFee:
		return modeFlag
	}
	return modeRefuse
}
