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
	const last = "FAILED: b TestX/one\nFAILED: c (does not build)\nFAILED: d\nFAILED: f TestSlow\nFAIL: 1 packages ok, 1 without tests, 4 failed; 4 tests ran, 0 were skipped\n"
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
	if got := seen.summary(); got != "ok: 1 packages ok, 0 without tests, 0 failed; 2 tests ran, 0 were skipped\n" {
		t.Error(got)
	}
}

const withSkips = `{"Action":"output","Package":"a","Test":"TestTool","Output":"    a_test.go:9: zbar is not installed\n"}
{"Action":"output","Package":"a","Test":"TestTool","Output":"--- SKIP: TestTool (0.00s)\n"}
{"Action":"skip","Package":"a","Test":"TestTool"}
{"Action":"output","Package":"a","Test":"TestLong","Output":"    a_test.go:19: KMS_LONG is not set\n"}
{"Action":"skip","Package":"a","Test":"TestLong"}
{"Action":"output","Package":"a","Test":"TestCalls","Output":"    a_test.go:29: this kernel has no 32-bit calls\n"}
{"Action":"skip","Package":"a","Test":"TestCalls"}
{"Action":"pass","Package":"a","Test":"TestSlow","Elapsed":2.5}
{"Action":"pass","Package":"a"}
`

func TestSkipsAreNamed(t *testing.T) {
	const (
		lists = "slow:    2.5 s a TestSlow\nskipped: a TestTool: zbar is not installed\nskipped: a TestLong: KMS_LONG is not set\n" +
			"skipped: a TestCalls: this kernel has no 32-bit calls\n"
		total = " packages ok, 0 without tests, "
	)
	for noSkip, want := range map[bool]string{
		false: lists + "ok: 1" + total + "0 failed; 1 tests ran, 3 were skipped\n",
		true:  lists + "FAILED: a TestTool\nFAIL: 1" + total + "1 failed; 1 tests ran, 3 were skipped\n",
	} {
		seen := tally{noSkip: noSkip}
		if err := seen.read(strings.NewReader(withSkips), new(bytes.Buffer)); err != nil {
			t.Fatal(err)
		}
		if got := seen.summary(); got != want {
			t.Errorf("KMS_NO_SKIP %t:\n%s", noSkip, got)
		}
	}
}
