package main

import (
	"fmt"
	"regexp"
	"strings"

	"coldkms/cmd/internal/cli"
	"coldkms/online/tatum"
	"coldkms/shared/durable"
)

// maxEnvFile bounds an --env-file in bytes.
const maxEnvFile = 64 << 10

type settings struct{ key, url string }

// settings gathers key and address: a flag wins over the environment, the
// environment over the file.
func (a *app) settings() (settings, error) {
	s := settings{key: a.apiKey, url: a.apiURL}
	file := map[string]string{}
	if a.envFile != "" {
		text, err := durable.ReadFile(a.fs, a.envFile, maxEnvFile)
		if err != nil {
			return s, cli.Fail(cli.Failed, fmt.Errorf("--env-file: %w", err), "")
		}
		file = parseEnv(string(text))
		if file["TATUM_API_KEY"] != "" {
			err = durable.CheckSecret(a.fs, a.envFile)
		}
		if err != nil {
			return s, cli.Fail(cli.Usage, fmt.Errorf("--env-file: %w", err), "the API key is in it")
		}
	}
	for name, field := range map[string]*string{"TATUM_API_KEY": &s.key, "TATUM_API_URL": &s.url} {
		for _, value := range []string{a.getenv(name), file[name]} {
			if *field == "" {
				*field = value
			}
		}
	}
	if s.url == "" {
		s.url = tatum.DefaultURL
	}
	return s, nil
}

// envLine is a line of a .env file as the dotenv package of npm reads it, which
// Tatum's KMS uses: an "export " in front, a value in quotes of three sorts, and a
// comment after it.
var envLine = regexp.MustCompile(
	`^\s*(?:export\s+)?([\w.-]+)\s*=\s*('(?:\\'|[^'])*'|"(?:\\"|[^"])*"|` + "`(?:\\\\`|[^`])*`" + `|[^#]*)\s*(?:#.*)?$`,
)

// parseEnv reads KEY=VALUE lines. Other lines are left alone: the file may be
// shared with other programs.
func parseEnv(text string) map[string]string {
	env := make(map[string]string)
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		m := envLine.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if m == nil {
			continue
		}
		value := strings.TrimSpace(m[2])
		if n := len(value); n >= 2 && value[0] == value[n-1] && strings.IndexByte("'\"`", value[0]) >= 0 {
			value = value[1 : n-1]
		}
		env[m[1]] = value
	}
	return env
}
