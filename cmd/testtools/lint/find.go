package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxColumns    = 120
	maxComplexity = 25

	kindLong    = "long"
	kindComplex = "complex"
	kindDead    = "dead"
)

// findings returns everything found below some folders.
func findings(folders []string) (tally, error) {
	found := make(tally)
	for _, folder := range folders {
		if err := longLines(found, folder); err != nil {
			return nil, err
		}
	}
	out, err := tool(append([]string{"gocognit", "-over", strconv.Itoa(maxComplexity)}, folders...)...)
	if err != nil {
		return nil, err
	}
	if err := complexFunctions(found, out); err != nil {
		return nil, err
	}
	if out, err = tool("deadcode", "-test", "./..."); err != nil {
		return nil, err
	}
	return found, deadFunctions(found, out)
}

func longLines(found tally, folder string) error {
	return filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			if utf8.RuneCountInString(strings.TrimRight(line, "\n")) > maxColumns {
				found[key{kindLong, filepath.ToSlash(path), ""}]++
			}
		}
		return nil
	})
}

// tool runs a tool that go.mod pins. Gocognit ends with 1 if it found something.
func tool(args ...string) (string, error) {
	var stderr bytes.Buffer
	cmd := exec.Command("go", append([]string{"tool"}, args...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil && len(out) == 0 {
		return "", fmt.Errorf("go tool %s: %w\n%s", args[0], err, stderr.String())
	}
	return string(out), nil
}

var complexLine = regexp.MustCompile(`^(\d+) \S+ (\S+) (\S+?):\d+:\d+$`)

func complexFunctions(found tally, out string) error {
	for line := range strings.Lines(out) {
		m := complexLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			return fmt.Errorf("gocognit printed %q", line)
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return err
		}
		found[key{kindComplex, filepath.ToSlash(m[3]), m[2]}] = n
	}
	return nil
}

var deadLine = regexp.MustCompile(`^(\S+?):\d+:\d+: unreachable func: (\S+)$`)

func deadFunctions(found tally, out string) error {
	for line := range strings.Lines(out) {
		m := deadLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			return fmt.Errorf("deadcode printed %q", line)
		}
		found[key{kindDead, filepath.ToSlash(m[1]), m[2]}] = 1
	}
	return nil
}
