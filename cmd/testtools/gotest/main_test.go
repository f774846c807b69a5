package main

import (
	"bytes"
	"strings"
	"testing"
)

const recorded = `{"Action":"start","Package":"a"}
{"Action":"output","Package":"a","Test":"TestQuiet","Output":"noise\n"}
{"Action":"pass","Package":"a","Test":"TestQuiet"}
{"Action":"output","Package":"a","Test":"TestTable","Output":"relay faults: 77/77 held\n"}
{"Action":"pass","Package":"a","Test":"TestTable"}
{"Action":"output","Package":"a","Output":"PASS\n"}
{"Action":"output","Package":"a","Output":"ok  \ta\t0.1s\n"}
{"Action":"pass","Package":"a"}
{"Action":"output","Package":"b","Test":"TestX/one","Output":"    x_test.go:1: why\n"}
{"Action":"fail","Package":"b","Test":"TestX/one"}
{"Action":"fail","Package":"b","Test":"TestX"}
{"Action":"output","Package":"b","Output":"FAIL\tb\t0.1s\n"}
{"Action":"fail","Package":"b"}
{"ImportPath":"c","Action":"build-output","Output":"c.go:1: syntax\n"}
{"ImportPath":"c","Action":"build-fail"}
{"Action":"fail","Package":"c","FailedBuild":"c"}
{"Action":"output","Package":"d","Output":"panic: in TestMain\n"}
{"Action":"fail","Package":"d"}
{"Action":"skip","Package":"e"}
{"Action":"output","Package":"f","Test":"TestSlow","Output":"panic: test timed out\n"}
{"Action":"fail","Package":"f"}
`

func TestSummary(t *testing.T) {
	var seen tally
	var out bytes.Buffer
	if err := seen.read(strings.NewReader(recorded), &out); err != nil {
		t.Fatal(err)
	}
	const printed = "relay faults: 77/77 held\nok  \ta\t0.1s\n    x_test.go:1: why\nFAIL\tb\t0.1s\nc.go:1: syntax\npanic: in TestMain\npanic: test timed out\n"
	if out.String() != printed {
		t.Errorf("printed %q", out.String())
	}
	const last = "FAILED: b TestX/one\nFAILED: c (does not build)\nFAILED: d\nFAILED: f TestSlow\nFAIL: 1 packages ok, 1 without tests, 4 failed\n"
	if got := seen.summary(); got != last {
		t.Errorf("%s", got)
	}
}

func TestSummaryOfGreen(t *testing.T) {
	var seen tally
	green, _, _ := strings.Cut(recorded, `{"Action":"output","Package":"b"`)
	if err := seen.read(strings.NewReader(green), new(bytes.Buffer)); err != nil {
		t.Fatal(err)
	}
	if got := seen.summary(); got != "ok: 1 packages ok, 0 without tests, 0 failed\n" {
		t.Error(got)
	}
}
