package config

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"ferry/internal/setting"

	"ferry"
)

// requireWords are the levels of tls.require, from the least on.
func requireWords() []string { return []string{"off", "login", "data", "all"} }

func checkRequire(word string) error {
	if !slices.Contains(requireWords(), word) {
		return fmt.Errorf("must say one of %s, not %q", strings.Join(requireWords(), ", "), word)
	}
	return nil
}

// requireNetwork wants a network on the left and a level on the right.
func requireNetwork(a setting.Assignment) (setting.Assignment, error) {
	network, err := setting.ParseNetwork(a.Left)
	if err != nil {
		return a, err
	}
	return setting.Assignment{Left: network.String(), Right: a.Right}, checkRequire(a.Right)
}

func requireUser(a setting.Assignment) (setting.Assignment, error) {
	if err := checkUser(a.Left); err != nil {
		return a, err
	}
	return a, checkRequire(a.Right)
}

func checkUser(name string) error {
	if err := ferry.CheckUserName(name); err != nil {
		return fmt.Errorf("must name users: %w", err)
	}
	return nil
}

// fingerprintUser takes a SHA-256 as any tool prints it: with or without
// colons, in upper or lower case, with "SHA256:" before it.
func fingerprintUser(a setting.Assignment) (setting.Assignment, error) {
	bare := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(a.Left, "SHA256:"), ":", ""))
	if sum, err := hex.DecodeString(bare); err != nil || len(sum) != 32 {
		return a, fmt.Errorf("must hold SHA-256 fingerprints, 64 hex digits (openssl x509 -noout -fingerprint -sha256), not %q", a.Left)
	}
	return setting.Assignment{Left: bare, Right: a.Right}, checkUser(a.Right)
}

func hostGreeting(a setting.Assignment) (setting.Assignment, error) {
	var text string
	if err := setting.Line(&text).Set(a.Right); err != nil {
		return a, err
	}
	return onHost(a)
}

func hostRoot(a setting.Assignment) (setting.Assignment, error) {
	if !filepath.IsAbs(a.Right) {
		return a, fmt.Errorf("must name directories by absolute paths, not %q", a.Right)
	}
	return onHost(a)
}

// onHost wants a virtual host on the left.
func onHost(a setting.Assignment) (setting.Assignment, error) {
	a.Left = strings.ToLower(a.Left)
	return a, checkVirtualHost(a.Left)
}

// hostNames is a list of virtual hosts, in lower case.
type hostNames struct{ at *[]string }

func (h hostNames) Set(v any) error {
	return setting.Fill(h.at, v, func(item string) (string, error) {
		name := strings.ToLower(item)
		return name, checkVirtualHost(name)
	})
}

func (h hostNames) Toml() string { return setting.QuoteList(*h.at) }
func (h hostNames) Kind() string { return "list of host names" }

// checkVirtualHost wants a name: who asks for an address gets the server.
func checkVirtualHost(name string) error {
	if _, err := netip.ParseAddr(name); err == nil {
		return fmt.Errorf("must hold names, not the address %q", name)
	}
	return checkHost(name)
}

// checkHost wants a name as DNS has it, or an address.
func checkHost(name string) error {
	if _, err := netip.ParseAddr(name); err == nil {
		return nil
	}
	const label = `[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?`
	if len(name) > 253 || !regexp.MustCompile(`^`+label+`(\.`+label+`)*$`).MatchString(name) {
		return fmt.Errorf("must hold host names such as \"ftp.example.com\", other scripts than Latin as xn--…, not %q", name)
	}
	return nil
}
