//go:build unix

package loop

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// goList returns one line for each package, "path: import import …".
func goList(t *testing.T, args ...string) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-f", `{{.ImportPath}} {{join .Imports " "}}`}, args...)...)
	cmd.Dir = "../../.."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %v: %v", args, err)
	}
	list := make(map[string][]string)
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		list[words[0]] = words[1:]
	}
	return list
}

func half(path string) string {
	for _, h := range []string{"offline", "online", "shared", "cmd"} {
		if path == "coldkms/"+h || strings.HasPrefix(path, "coldkms/"+h+"/") {
			return h
		}
	}
	return ""
}

// The halves never import each other, shared imports neither, and only cmd
// joins them.
func TestImportRules(t *testing.T) {
	allowed := map[string]string{"offline": "offline shared", "online": "online shared", "shared": "shared", "cmd": "cmd offline online shared"}
	packages := goList(t, "./...")
	if len(packages) < 15 {
		t.Fatalf("go list knows only %d packages", len(packages))
	}
	for path, imports := range packages {
		for _, imp := range imports {
			if to := half(imp); to != "" && !strings.Contains(" "+allowed[half(path)]+" ", " "+to+" ") {
				t.Errorf("%s imports %s: %s may import %s", path, imp, half(path), allowed[half(path)])
			}
		}
	}
	for program, stranger := range map[string]string{"kms-offline": "coldkms/online", "kms-online": "coldkms/offline"} {
		for path := range goList(t, "-deps", "./cmd/"+program) {
			if path == stranger || strings.HasPrefix(path, stranger+"/") {
				t.Errorf("%s depends on %s", program, path)
			}
		}
	}
	for path := range goList(t, "-deps", "./cmd/kms-offline", "./cmd/kms-online", "./cmd/kms-sandbox") {
		if strings.HasPrefix(path, "coldkms/cmd/testtools/") {
			t.Errorf("a product program depends on %s", path)
		}
	}
}

// Outside its families the relay knows no chain's transactions.
func TestRelayIsNeutral(t *testing.T) {
	for path, imports := range goList(t, "./online/...") {
		if strings.HasPrefix(path, "coldkms/online/prepare/") {
			continue // a family
		}
		for _, imp := range imports {
			for _, family := range []string{"coldkms/shared/chain/", "coldkms/shared/psbt", "coldkms/shared/interop/", "coldkms/online/prepare/", "github.com/btcsuite/"} {
				if strings.HasPrefix(imp, family) {
					t.Errorf("%s imports %s: that belongs into a family, below online/prepare", path, imp)
				}
			}
		}
	}
}

// What the signer may not depend on at all, and why.
var forbidden = map[string]string{
	"net/http":   "speaks to the network",
	"crypto/tls": "speaks to the network",
	"os/exec":    "starts programs that could",
	"plugin":     "loads code that was not checked",
	"net/rpc":    "speaks to the network",
}

// socketSymbol matches what is linked into a program that can open a socket
// or start another program. The package net itself comes in through the flag
// and Bitcoin libraries; what counts is what the linker kept.
var socketSymbol = regexp.MustCompile(`\s((syscall|golang\.org/x/sys/unix)\.([sS]ocket(pair)?|[cC]onnect|[bB]ind|[lL]isten|[aA]ccept4?|[sS]endto\S*|[sS]endmsg\S*|[rR]ecvfrom|[rR]ecvmsg\S*|[eE]xec|execve\S*|PidfdGetfd|ProcessVM\S*|[pP]trace\S*)|net\.\(\*Dialer\)\S*|net\.(Dial|Listen|socket|internetSocket)\S*|net\.\(\*Resolver\)\.(Lookup|exchange)\S*|os\.StartProcess|os/exec\.\S+|syscall\.(forkExec|ForkExec|forkAndExecInChild\S*)|net/http\.\S+|crypto/tls\.\S+)$`)

func linkedSockets(t *testing.T, dir, pkg string) []string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "program")
	build := exec.Command("go", "build", "-o", binary, pkg)
	build.Dir = dir
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", pkg, err, out)
	}
	return socketSymbols(t, binary)
}

func socketSymbols(t *testing.T, binary string) []string {
	t.Helper()
	out, err := exec.Command("go", "tool", "nm", binary).Output()
	if err != nil {
		t.Fatalf("go tool nm: %v", err)
	}
	var hits []string
	for line := range strings.Lines(string(out)) {
		if socketSymbol.MatchString(strings.TrimRight(line, "\n")) {
			hits = append(hits, strings.TrimSpace(line))
		}
	}
	return hits
}

// The air gap as a fact about the binary: nothing that opens a socket or
// starts a program is linked into the signer.
func TestSignerHasNoSocket(t *testing.T) {
	deps := goList(t, "-deps", "./cmd/kms-offline")
	if len(deps) < 50 {
		t.Fatalf("the signer's closure has only %d packages: the list is wrong", len(deps))
	}
	for path, why := range forbidden {
		if _, in := deps[path]; in {
			t.Errorf("the signer depends on %s, which %s", path, why)
		}
	}
	if hits := linkedSockets(t, "../../..", "./cmd/kms-offline"); len(hits) > 0 {
		t.Errorf("linked into the signer:\n%s", strings.Join(hits, "\n"))
	}
}

// The gate can fail: programs that dial, exec or serve are caught by it.
func TestGateCatchesControlPrograms(t *testing.T) {
	for name, body := range map[string]string{
		"dial":   `import "net"; func main() { c, err := net.Dial("tcp", "127.0.0.1:1"); println(c, err) }`,
		"listen": `import "net"; func main() { c, err := net.Listen("unix", "x"); println(c, err) }`,
		"raw":    `import "syscall"; func main() { fd, err := syscall.Socket(2, 1, 0); println(fd, err) }`,
		"exec":   `import "os/exec"; func main() { println(exec.Command("true").Run()) }`,
		"start":  `import "os"; func main() { p, err := os.StartProcess("/bin/true", nil, &os.ProcAttr{}); println(p, err) }`,
	} {
		dir := t.TempDir()
		for file, text := range map[string]string{"go.mod": "module control\n\ngo 1.26\n", "main.go": "package main\n" + body + "\n"} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if hits := linkedSockets(t, dir, "."); len(hits) == 0 {
			t.Errorf("the control program %q passes the gate: the gate is blind", name)
		}
	}
}

// Every test that docs/THREATS.md names is there, and every promise names one.
func TestThreatsNameTests(t *testing.T) {
	text, err := os.ReadFile("../../../docs/THREATS.md")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	err = filepath.WalkDir("../../..", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(source, -1) {
			have[string(m[1])] = true
		}
		return err
	})
	if err != nil || len(have) < 300 {
		t.Fatalf("%d tests found: %v", len(have), err)
	}
	for _, m := range regexp.MustCompile("`(Test[A-Za-z0-9]+)").FindAllStringSubmatch(string(text), -1) {
		if !have[m[1]] {
			t.Errorf("docs/THREATS.md names %s, which is not there", m[1])
		}
	}
	for line := range strings.Lines(string(text)) {
		if regexp.MustCompile(`^\| I\d \|`).MatchString(line) && !strings.Contains(line, "`Test") {
			t.Errorf("a promise without a test: %s", line)
		}
	}
}

// familyRooms may import the family of Bitcoin: its own folders, adapters to other
// programs' formats, the mains, and test tooling.
var familyRooms = []string{
	"coldkms/shared/chain/utxo", "coldkms/offline/sign/utxo", "coldkms/online/prepare/utxo",
	"coldkms/shared/psbt", "coldkms/shared/interop", "coldkms/offline/interop", "coldkms/offline/hd/hdtest", "coldkms/cmd/kms-offline", "coldkms/cmd/kms-online", "coldkms/cmd/kms-sandbox", "coldkms/cmd/testtools",
}

// What is neutral about families of chains imports none, nor the libraries of
// one; no program links the family that tests make up.
func TestFamilyImports(t *testing.T) {
	for path, imports := range goList(t, "./...") {
		if slices.ContainsFunc(familyRooms, func(room string) bool { return path == room || strings.HasPrefix(path, room+"/") }) {
			continue
		}
		for _, imp := range imports {
			if imp != "coldkms/shared/chain/utxo" && imp != "coldkms/shared/psbt" {
				continue
			}
			t.Errorf("%s imports %s: what it needs belongs behind an interface", path, imp)
		}
	}
	for path := range goList(t, "-deps", "./cmd/kms-offline", "./cmd/kms-online", "./cmd/kms-sandbox") {
		if strings.HasPrefix(path, "coldkms/offline/sign/fakechain") || strings.HasPrefix(path, "coldkms/offline/sign/signtest") {
			t.Errorf("a program depends on %s", path)
		}
	}
}
