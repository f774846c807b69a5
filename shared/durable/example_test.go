package durable_test

import (
	"fmt"
	"os"
	"path/filepath"

	"coldkms/shared/durable"
)

// What Append has acknowledged is there when the log is opened again.
func ExampleLog() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "log")
	for _, line := range []string{"one\n", "two\n"} {
		log, content, err := durable.OpenLog(durable.OS{}, path, 1<<20)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%q\n", content)
		if err := log.Append([]byte(line)); err != nil {
			panic(err)
		}
		if err := log.Close(); err != nil {
			panic(err)
		}
	}
	// Output:
	// ""
	// "one\n"
}

// A file is replaced as a whole, or stays as it was.
func ExampleReplace() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "settings")
	for _, text := range []string{"old", "new"} {
		if err := durable.Replace(durable.OS{}, path, []byte(text), durable.PermFile, nil); err != nil {
			panic(err)
		}
	}
	content, err := durable.ReadFile(durable.OS{}, path, 100)
	fmt.Println(string(content), err)
	// Output: new <nil>
}
