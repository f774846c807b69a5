//go:build unix

package loop

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// newContainer has a command run under another hostname, where this process may
// make one.
func newContainer(cmd *exec.Cmd) {
	if os.Geteuid() != 0 {
		return
	}
	shell, err := exec.LookPath("sh")
	if err != nil {
		return
	}
	cmd.Path, cmd.Args = shell, append([]string{filepath.Base(shell), "-c", `hostname another-container; exec "$@"`, "sh"}, cmd.Args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUTS}
}
