//go:build unix

package main

import (
	"testing"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/clitest"
)

func program() *cobra.Command { return (&app{}).root() }

func TestHelp(t *testing.T) { clitest.Help(t, program) }

func TestManualPages(t *testing.T) { clitest.Man(t, program) }

func TestExitCodes(t *testing.T) { clitest.ExitCodes(t, program, ".", "../internal/qrcli") }
