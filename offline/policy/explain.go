package policy

import "fmt"

// Explain says what the policy does, a sentence for each rule. The same rules
// give the same sentences, so that two policies can be compared line by line.
func (p Policy) Explain() []string {
	if len(p.file.Chains) == 0 {
		return []string{"Nothing is signed: no chain is allowed."}
	}
	var lines []string
	if p.file.Name != "" {
		lines = append(lines, fmt.Sprintf("This policy is called %q.", p.file.Name))
	}
	for _, r := range rules() {
		if r.words != nil {
			lines = append(lines, r.words(p)...)
		}
		if r.modes != nil {
			for _, m := range r.modes(&p.file) {
				lines = append(lines, m.explain())
			}
		}
	}
	return lines
}

// Warnings points at rules that can never hold or never matter.
func (p Policy) Warnings() (lines []string) {
	for _, r := range rules() {
		if r.warn != nil {
			lines = append(lines, r.warn(p)...)
		}
	}
	return lines
}

// Compare lists what another policy takes away ("- …") and adds ("+ …").
func (p Policy) Compare(other Policy) []string {
	before, after := p.Explain(), other.Explain()
	var lines []string
	lines = append(lines, missing(before, after, "- ")...)
	return append(lines, missing(after, before, "+ ")...)
}

func missing(from, in []string, mark string) []string {
	have := make(map[string]bool, len(in))
	for _, s := range in {
		have[s] = true
	}
	var lines []string
	for _, s := range from {
		if !have[s] {
			lines = append(lines, mark+s)
		}
	}
	return lines
}
