package screen

import "testing"

func TestDeceives(t *testing.T) {
	const unseen = "\x00\n\x1b\u007f\u00ad\u034f\u061c\u115f\u1160\u17b4\u200b\u200f\u2028\u202e\u2060" +
		"\u2800\U0001d159\U00016fe4\U0001107f\ufffc\u3164\ue000\ufe0f\ufeff\uffa0\ufffd\U000e0041"
	for _, r := range unseen {
		if !Deceives(r) {
			t.Errorf("%U is shown", r)
		}
	}
	for _, r := range "az09~ ä\u05d0漢é\u0301€" {
		if Deceives(r) {
			t.Errorf("%U is not shown", r)
		}
	}
}
