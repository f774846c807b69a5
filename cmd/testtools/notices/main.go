// Notices prints the licences of everything that is linked into programs: Go,
// and each module that they name in their build information. A module without
// a licence file is an error.
//
//	go run ./cmd/testtools/notices bin/kms-offline bin/kms-online > bin/NOTICES
package main

import (
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(programs []string, stdout, stderr io.Writer) int {
	text, err := notices(programs, moduleDir)
	if err != nil {
		fmt.Fprintln(stderr, "notices:", err)
		return 1
	}
	fmt.Fprint(stdout, text)
	return 0
}

// notices returns the licences of the modules in programs; dir returns where
// the source of a module is.
func notices(programs []string, dir func(module string) (string, error)) (string, error) {
	if len(programs) == 0 {
		return "", errors.New("name the programs whose licences are wanted")
	}
	linked := make(map[string]bool)
	for _, program := range programs {
		list, err := modules(program)
		if err != nil {
			return "", err
		}
		for _, module := range list {
			linked[module] = true
		}
	}
	var b strings.Builder
	b.WriteString("Licences of what is linked into the programs beside this file.\n")
	for _, module := range slices.Sorted(maps.Keys(linked)) {
		at, err := dir(module)
		if err == nil {
			err = add(&b, module, at)
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", module, err)
		}
	}
	return b.String(), nil
}

// modules returns what is linked into a program, as path@version, Go as "go".
func modules(program string) ([]string, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, err
	}
	list := []string{"go"}
	if info.Main.Path != own() {
		list = append(list, info.Main.Path+"@"+info.Main.Version)
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		list = append(list, m.Path+"@"+m.Version)
	}
	return list, nil
}

// own returns the path of this project's module. Its licence is the project's own,
// and a version that the toolchain made of a commit is on no proxy.
func own() string {
	info, _ := debug.ReadBuildInfo() // there is one in every program of a module
	return info.Main.Path
}

func moduleDir(module string) (string, error) {
	if module == "go" {
		out, err := exec.Command("go", "env", "GOROOT").Output()
		return strings.TrimSpace(string(out)), err
	}
	out, err := exec.Command("go", "mod", "download", "-json", module).Output()
	if err != nil {
		return "", err
	}
	var m struct{ Dir string }
	err = json.Unmarshal(out, &m)
	return m.Dir, err
}

func add(b *strings.Builder, module, dir string) error {
	files, err := licences(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "\n%s\n%s, %s\n\n%s\n", strings.Repeat("=", 72), module, filepath.Base(file), strings.TrimSpace(string(text)))
	}
	return nil
}

// licences returns the files of a folder that state terms; there is at least one.
func licences(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	terms := false
	for _, e := range entries {
		name := strings.ToUpper(e.Name())
		isTerms := strings.HasPrefix(name, "LICEN") || strings.HasPrefix(name, "COPYING")
		if e.Type().IsRegular() && (isTerms || strings.HasPrefix(name, "NOTICE") || strings.HasPrefix(name, "PATENTS")) {
			files = append(files, filepath.Join(dir, e.Name()))
			terms = terms || isTerms
		}
	}
	if !terms {
		return nil, errors.New("no licence file")
	}
	return files, nil
}
