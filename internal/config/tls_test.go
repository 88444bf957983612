package config

import (
	"strings"
	"testing"
)

func TestTLSMistakesNameLineAndRemedy(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	for _, test := range []struct{ name, file, want string }{
		{"level", "[tls]\nrequire = \"yes\"", `ferry.toml:2: tls.require must be one of auto, off, login, data, all, not "yes"`},
		{"level of a network", "[tls]\nrequire_networks = [\"10.0.0.0/8=on\"]", `tls.require_networks must say one of off, login, data, all, not "on"`},
		{"network without a level", "[tls]\nrequire_networks = [\"10.0.0.0/8\"]", `tls.require_networks must hold lines such as "10.0.0.0/8=off"`},
		{"network twice", "[tls]\nrequire_networks = [\"10.0.0.0/8=off\", \"10.1.0.0/8=all\"]", `must say one thing of 10.0.0.0/8, not two`},
		{"not a network", "[tls]\nrequire_networks = [\"camera=off\"]", `tls.require_networks must hold networks`},
		{"not a user", "[tls]\nrequire_users = [\"a/b=off\"]", `tls.require_users must name users`},
		{"key alone", "[tls]\nkey = \"/k\"", `ferry.toml:2: tls.key belongs to no certificate`},
		{"relative certificate", "[tls]\ncert = \"c.pem\"", `ferry.toml:2: tls.cert must be an absolute path`},
		{"relative pair", "[tls]\nmore = [\"c.pem:/k\"]", `tls.more must hold absolute paths`},
		{"host with a port", "[tls]\nhosts = [\"ftp.example.com:21\"]", `tls.hosts must hold host names`},
		{"authority for nobody", "[tls]\nclient_ca = \"/ca\"", `ferry.toml:2: tls.client_ca vouches for certificates that no client is asked for`},
		{"no authority", "[tls]\nclient_certs = \"ask\"", `ferry.toml:2: tls.client_certs needs the authority`},
		{"list of no authority", "[tls]\nclient_crl = \"/crl\"", `ferry.toml:2: tls.client_crl is of no authority`},
		{"factor without certificates", "[tls]\nclient_factor = \"both\"", `ferry.toml:2: tls.client_factor needs certificates`},
		{"no fingerprints", "[tls]\nclient_certs = \"ask\"\nclient_ca = \"/ca\"\nclient_match = \"fingerprint\"", `ferry.toml:4: tls.client_match goes by fingerprints`},
		{"idle fingerprints", "[tls]\nclient_fingerprints = [\"" + sum + "=a\"]", `ferry.toml:2: tls.client_fingerprints is not looked at`},
		{"short fingerprint", "[tls]\nclient_fingerprints = [\"abcd=a\"]", `must hold SHA-256 fingerprints, 64 hex digits`},
		{"fingerprint twice", "[tls]\nclient_fingerprints = [\"" + sum + "=a\", \"" + strings.ToUpper(sum) + "=b\"]", `must say one thing of ` + sum},
		{"ACME without names", "[tls]\nacme_email = \"a@example.com\"", `ferry.toml:2: tls.acme_email is set, and there is no name`},
		{"ACME in clear", "[tls]\nacme_names = [\"a.example\"]\nacme_directory = \"http://acme\"", `ferry.toml:2: tls.acme_names cannot get their certificates: the ACME directory must be an https URL`},
		{"ACME without a challenge", "[tls]\nacme_names = [\"a.example\"]\nacme_http = \"off\"", `ACME needs a way to show that the names are ours`},
		{"legacy for nobody", "[tls]\nlegacy_dos_list = true", `ferry.toml:2: tls.legacy_dos_list is for the devices of tls.legacy_networks`},
		{"legacy charset", "[tls]\nlegacy_networks = [\"10.0.0.1\"]\nlegacy_charset = \"klingon\"", `ferry.toml:3: tls.legacy_charset must be an encoding`},
		{"off and required", "[tls]\nenabled = false\nrequire = \"login\"", `ferry.toml:3: tls.require wants what tls.enabled = false forbids`},
		{"off and a certificate", "[tls]\nenabled = false\ncert = \"/c\"", `ferry.toml:3: tls.cert is set, and tls.enabled is false`},
		{"off and a level", "[tls]\nenabled = false\n[ftp]\nrequire = \"data\"", `ferry.toml:4: ftp.require is set, and tls.enabled is false`},
		{"level of no listener", "[ftps]\nrequire = \"data\"", `ferry.toml:2: ftps.require is for a listener that is off`},
		{"profile of no listener", "[ftps]\nlegacy = true", `ferry.toml:2: ftps.legacy is for a listener that is off`},
		{"off and FTPS", "[tls]\nenabled = false\n[ftps]\naddress = \":990\"", `ferry.toml:4: ftps.address needs TLS, and tls.enabled is false`},
		{"unknown host", "[hosts]\nnames = [\"a.example\"]\ngreetings = [\"b.example=Hello\"]", `ferry.toml:3: hosts.greetings speaks of "b.example", which hosts.names does not have`},
		{"users of an unknown host", "[hosts]\nown_users = [\"b.example\"]", `ferry.toml:2: hosts.own_users speaks of "b.example"`},
		{"address as a host", "[hosts]\nnames = [\"192.0.2.7\"]", `hosts.names must hold names, not the address "192.0.2.7"`},
		{"greeting of two lines", "[hosts]\nnames = [\"a.example\"]\ngreetings = [\"a.example=a\\nb\"]", `hosts.greetings must be one line of text`},
		{"relative root", "[users]\nanonymous = true\n[hosts]\nnames = [\"a.example\"]\nanonymous_roots = [\"a.example=pub\"]", `hosts.anonymous_roots must name directories by absolute paths`},
		{"root for nobody", "[hosts]\nnames = [\"a.example\"]\nanonymous_roots = [\"a.example=/pub\"]", `ferry.toml:3: hosts.anonymous_roots is for anonymous users, who are not let in`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := loadText(t, test.file, nil)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}
