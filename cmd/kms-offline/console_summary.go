package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/review"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
)

// summaryFlag adds --summary.
func summaryFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().Var(&once{to: path}, "summary", "also write what became of it into this new file: .txt, .json, .csv or .html (for print)")
}

// once is the value of a flag that is given once: the last of several would
// silently win.
type once struct {
	to  *string
	set bool
}

// String implements pflag.Value.
func (o *once) String() string {
	if o.to == nil {
		return ""
	}
	return *o.to
}

// Type implements pflag.Value.
func (o *once) Type() string { return "string" }

// Set implements pflag.Value.
func (o *once) Set(s string) error {
	if o.set {
		return errors.New("it is given twice: there is one summary")
	}
	*o.to, o.set = s, true
	return nil
}

// summary is a review.Summary that grows with each batch, if it is asked for.
type summary struct {
	review.Summary
	path string
}

func (a *app) newSummary(session *openSession, path string) *summary {
	return &summary{path: path, Summary: review.Summary{Made: a.now(), Signer: session.Identity.Public().Fingerprint(), Policy: session.Rules()}}
}

// add takes in a batch that was signed, or reviewed.
func (s *summary) add(session *openSession, f finished) {
	if s.path == "" {
		return
	}
	batch := review.Finished{Batch: f.judged.Batch, How: f.how}
	for _, o := range f.approvers {
		batch.Operators = append(batch.Operators, o.String())
	}
	for _, o := range f.done.Outcomes {
		out := review.Outcome{TxID: o.Signed.TxID}
		if o.Err != nil {
			out = review.Outcome{Code: chain.CodeOf(o.Err), Reason: chain.ReasonOf(o.Err).Text()}
		}
		batch.Outcomes = append(batch.Outcomes, out)
	}
	s.Batches = append(s.Batches, batch)
	s.Ledger = session.Book()
}

// summaryWriter returns what writes a file with this ending.
func summaryWriter(path string) (func(review.Summary, io.Writer) error, error) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".txt":
		return review.Summary.Text, nil
	case ".json":
		return review.Summary.JSON, nil
	case ".csv":
		return review.Summary.CSV, nil
	case ".html":
		return review.Summary.HTML, nil
	}
	return nil, cli.Fail(cli.Usage, errors.New("the name of a summary ends in .txt, .json, .csv or .html"), "")
}

// checkSummary refuses before anything is signed what could not be written
// after.
func (a *app) checkSummary(path string) error {
	if path == "" {
		return nil
	}
	if _, err := summaryWriter(path); err != nil {
		return err
	}
	_, err := a.fs.Lstat(path)
	switch {
	case err == nil:
		return oneLine(cli.Fail(cli.Usage, fmt.Errorf("there is a file %s already", path), "name a new one: nothing is written over"))
	case !errors.Is(err, fs.ErrNotExist):
		return oneLine(cli.Fail(cli.Failed, err, ""))
	}
	info, err := a.fs.Stat(filepath.Dir(path))
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no folder", filepath.Dir(path))
	}
	return oneLine(cli.Fail(cli.Failed, err, ""))
}

func (a *app) writeSummary(s *summary) error {
	if s.path == "" {
		return nil
	}
	write, err := summaryWriter(s.path)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := write(s.Summary, &text); err != nil {
		return err
	}
	if err := durable.Create(a.fs, s.path, []byte(cli.Printable(text.String())), durable.PermFile, nil); err != nil {
		return oneLine(cli.Fail(cli.Failed, err, "only the summary is missing: make room, or name another file with --summary"))
	}
	return nil
}
