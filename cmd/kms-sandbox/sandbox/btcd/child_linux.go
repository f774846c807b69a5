package btcd

import (
	"os/exec"
	"syscall"
)

// dieWithParent has the kernel end btcd when the thread that started it dies.
// A group of its own keeps a terminal's Ctrl-C from it.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
