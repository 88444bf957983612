package config

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"ferry"
)

// assignment is "LEFT=RIGHT" in a list: what the right side is for the left.
type assignment struct{ Left, Right string }

// assignments is several of them, each left side once. clean brings one into
// the form that is kept; its error completes "KEY must ...".
type assignments struct {
	at      *[]assignment
	example string
	clean   func(assignment) (assignment, error)
}

func (a assignments) set(v any) error {
	var seen []string
	return fill(a.at, v, func(item string) (assignment, error) {
		left, right, ok := strings.Cut(item, "=")
		if !ok || left == "" || right == "" {
			return assignment{}, fmt.Errorf("must hold lines such as %q, not %q", a.example, item)
		}
		one, err := a.clean(assignment{left, right})
		if err == nil && slices.Contains(seen, one.Left) {
			err = fmt.Errorf("must say one thing of %s, not two", one.Left)
		}
		seen = append(seen, one.Left)
		return one, err
	})
}

func (a assignments) Toml() string {
	var items []string
	for _, one := range *a.at {
		items = append(items, one.Left+"="+one.Right)
	}
	return quoteList(items)
}

func (a assignments) kind() string { return "list of assignments" }

// Assigned is what all says of left; "": nothing.
func Assigned(all []assignment, left string) string {
	for _, one := range all {
		if one.Left == left {
			return one.Right
		}
	}
	return ""
}

// requireWords are the levels of tls.require, from the least on.
func requireWords() []string { return []string{"off", "login", "data", "all"} }

func checkRequire(word string) error {
	if !slices.Contains(requireWords(), word) {
		return fmt.Errorf("must say one of %s, not %q", strings.Join(requireWords(), ", "), word)
	}
	return nil
}

// requireNetwork wants a network on the left and a level on the right.
func requireNetwork(a assignment) (assignment, error) {
	network, err := parseNetwork(a.Left)
	if err != nil {
		return a, err
	}
	return assignment{network.String(), a.Right}, checkRequire(a.Right)
}

func requireUser(a assignment) (assignment, error) {
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
func fingerprintUser(a assignment) (assignment, error) {
	bare := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(a.Left, "SHA256:"), ":", ""))
	if sum, err := hex.DecodeString(bare); err != nil || len(sum) != 32 {
		return a, fmt.Errorf("must hold SHA-256 fingerprints, 64 hex digits (openssl x509 -noout -fingerprint -sha256), not %q", a.Left)
	}
	return assignment{bare, a.Right}, checkUser(a.Right)
}

func hostGreeting(a assignment) (assignment, error) {
	var text string
	if err := (line{&text}).set(a.Right); err != nil {
		return a, err
	}
	return onHost(a)
}

func hostRoot(a assignment) (assignment, error) {
	if !filepath.IsAbs(a.Right) {
		return a, fmt.Errorf("must name directories by absolute paths, not %q", a.Right)
	}
	return onHost(a)
}

// onHost wants a virtual host on the left.
func onHost(a assignment) (assignment, error) {
	a.Left = strings.ToLower(a.Left)
	return a, checkVirtualHost(a.Left)
}

// hostNames is a list of virtual hosts, in lower case.
type hostNames struct{ at *[]string }

func (h hostNames) set(v any) error {
	return fill(h.at, v, func(item string) (string, error) {
		name := strings.ToLower(item)
		return name, checkVirtualHost(name)
	})
}

func (h hostNames) Toml() string { return quoteList(*h.at) }
func (h hostNames) kind() string { return "list of host names" }

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
