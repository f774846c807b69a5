//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// result is what a proof came to.
type result struct {
	proof
	began   time.Time
	took    time.Duration
	output  []byte
	figures []string
	err     error
}

var errSilent = errors.New("it passed and showed no figure: it was skipped, or its words have changed")

func (p proof) run(ctx context.Context) result {
	r := result{proof: p, began: time.Now()}
	cmd := exec.CommandContext(ctx, "go", p.args()...)
	cmd.Env = append(os.Environ(), strings.Fields(p.env)...)
	r.output, r.err = cmd.CombinedOutput()
	r.took = time.Since(r.began)
	r.figures = p.read(r.output)
	if r.err == nil && len(r.figures) == 0 {
		r.err = errSilent
	}
	return r
}

// read finds the figures in the output of a test.
func (p proof) read(output []byte) (figures []string) {
	for _, m := range p.figure.FindAllSubmatch(output, -1) {
		figures = append(figures, string(m[len(m)-1]))
	}
	return figures
}

func tail(output []byte) []byte { return output[max(0, len(output)-4000):] }

// place is where and of what something was measured.
type place struct{ commit, machine, programs string }

func here(ctx context.Context) (place, error) {
	commit, err := exec.CommandContext(ctx, "git", "rev-parse", "HEAD").Output()
	if err != nil {
		return place{}, fmt.Errorf("which commit is this: %w", err)
	}
	changed, err := exec.CommandContext(ctx, "git", "status", "--porcelain", "--untracked-files=no").Output()
	if err != nil {
		return place{}, fmt.Errorf("is it changed: %w", err)
	}
	p := place{commit: string(bytes.TrimSpace(commit))[:12],
		machine: fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()), programs: runtime.Version()}
	if len(bytes.TrimSpace(changed)) > 0 {
		p.commit += ", with changes that are not committed"
	}
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for l := range bytes.Lines(info) {
			if name, model, ok := bytes.Cut(l, []byte(":")); ok && string(bytes.TrimSpace(name)) == "model name" {
				p.machine += ", " + string(bytes.TrimSpace(model))
				break
			}
		}
	}
	return p, nil
}

const pageHead = "# Evidence\n\nWritten by `make prove`; not by hand. Each figure with what made it: run the\ncommand, and compare.\n"

// unmeasured begins the section of a proof that was not run yet.
const unmeasured = "**Not measured.** The command:"

// page is docs/EVIDENCE.md: what was measured now, and of old what was not, in
// the order of the proofs.
func page(old []byte, p place, results []result) []byte {
	sections := make(map[string]string)
	for _, section := range strings.Split(string(old), "\n## ")[1:] {
		name, body, _ := strings.Cut(section, "\n")
		sections[name] = strings.TrimSpace(body)
	}
	for _, r := range results {
		sections[r.name] = r.section(p)
	}
	var b bytes.Buffer
	b.WriteString(pageHead)
	for _, q := range proofs {
		body, there := sections[q.name]
		if !there || strings.HasPrefix(body, unmeasured) {
			body = unmeasured + "\n\n    " + q.command()
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", q.name, body)
	}
	return b.Bytes()
}

// section is what the page says of one proof.
func (r result) section(p place) string {
	var b strings.Builder
	if r.err != nil {
		fmt.Fprintf(&b, "**Failed**: %v\n\n", r.err)
	}
	for _, f := range r.figures {
		fmt.Fprintf(&b, "- %s\n", f)
	}
	fmt.Fprintf(&b, "\n%s, %s, commit %s, %s, %s:\n\n    %s", r.began.UTC().Format("2006-01-02 15:04 UTC"),
		r.took.Round(time.Second), p.commit, p.machine, p.programs, r.command())
	return strings.TrimSpace(b.String())
}
