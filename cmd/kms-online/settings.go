package main

import (
	"fmt"
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

// parseEnv reads KEY=VALUE lines, with # comments, "export " in front and
// quotes around. Other lines are left alone: the file may be shared with
// other programs.
func parseEnv(text string) map[string]string {
	env := make(map[string]string)
	for line := range strings.Lines(text) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "export ")
		name, value, ok := strings.Cut(line, "=")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		value = strings.TrimSpace(value)
		for _, quote := range []string{`"`, "'"} {
			if len(value) >= 2 && strings.HasPrefix(value, quote) && strings.HasSuffix(value, quote) {
				value = value[1 : len(value)-1]
				break
			}
		}
		env[strings.TrimSpace(name)] = value
	}
	return env
}
