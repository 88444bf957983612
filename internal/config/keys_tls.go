package config

import "ferry/internal/setting"

// tlsKeys are the rows of [tls].
func tlsKeys() []Key {
	return []Key{
		{"tls.enabled", "", restart, true,
			"TLS. Where no certificate is given, a self-signed one is made once, in the state directory, and kept.",
			func(c *Config) setting.Value { return setting.Boolean(&c.TLS.Enabled) }},
		{"tls.cert", "--cert", live, "",
			"File of the certificate, PEM: the server's own first, then those that lead to its authority.\nRead again when it changes, and on SIGHUP; sessions go on.",
			func(c *Config) setting.Value { return setting.Text(&c.TLS.Cert) }},
		{"tls.key", "--key", live, "",
			"File of its private key, PEM, without a passphrase. Empty: it is in the file of the certificate.",
			func(c *Config) setting.Value { return setting.Text(&c.TLS.Key) }},
		{"tls.more", "", live, []string{},
			"Further certificates, \"CERT:KEY\" each, chosen by the name that the client asks for (SNI).",
			func(c *Config) setting.Value { return (*certPairs)(&c.TLS.More) }},
		{"tls.strict_sni", "", live, false,
			"Refuse clients that ask for a name which no certificate is for (ALPACA). Those that ask for none are let in.",
			func(c *Config) setting.Value { return setting.Boolean(&c.TLS.StrictSNI) }},
		{"tls.hosts", "", restart, []string{},
			"Names and addresses that the self-signed certificate is for, beside those of this machine.\nOf effect when it is made: remove tls/self-signed.pem in the state directory for a new one.",
			func(c *Config) setting.Value { return setting.List(&c.TLS.Hosts, checkHost) }},
		{"tls.require", "", live, "auto",
			"What must be protected: \"off\" nothing, \"login\" the password of everybody but anonymous, \"data\" that\nand their data connections, \"all\" the same for anonymous, too, and no CCC. \"auto\" is \"login\" with a\nconfiguration file and \"off\" without one.",
			func(c *Config) setting.Value {
				return setting.Choice(&c.TLS.Require, append([]string{"auto"}, requireWords()...)...)
			}},
		{"tls.require_networks", "", live, []string{},
			"Exceptions for clients of a network, which go before those for listeners, for devices that cannot do TLS: \"10.0.0.0/8=off\".\nThe narrowest network that holds the client counts.",
			func(c *Config) setting.Value {
				return setting.Assignments(&c.TLS.RequireNetworks, "10.0.0.0/8=off", requireNetwork)
			}},
		{"tls.require_users", "", live, []string{},
			"Exceptions for a user, which go before those for networks: \"camera=off\".",
			func(c *Config) setting.Value {
				return setting.Assignments(&c.TLS.RequireUsers, "camera=off", requireUser)
			}},
		{"tls.binding", "", live, "auto",
			"How a data connection must show that it belongs to its session, by resuming its TLS: \"enforce\" always,\n\"auto\" once the session has done so, of a client that must have a ticket, and never as another user, \"observe\" logs what \"enforce\" would refuse, \"off\" does not look. Not every client can\n\"enforce\": curl before 8.12 cannot upload in parallel (-Z), nor do TLS 1.2; observe first.",
			func(c *Config) setting.Value {
				return setting.Choice(&c.TLS.Binding, "auto", "off", "observe", "enforce")
			}},
		{"tls.ccc", "", live, false,
			"CCC: the control connection may go on in clear after the login, for firewalls that read along.",
			func(c *Config) setting.Value { return setting.Boolean(&c.TLS.CCC) }},
		{"tls.unclean_close_networks", "", live, []string{},
			"Networks of devices that end an upload without TLS's close_notify, which is taken for a broken one otherwise.\nWith it, whoever cuts the connection can shorten a file.",
			func(c *Config) setting.Value { return &c.TLS.UncleanNetworks }},
		{"tls.unclean_close_users", "", live, []string{},
			"The same for users.",
			func(c *Config) setting.Value { return setting.List(&c.TLS.UncleanUsers, checkUser) }},
		{"tls.legacy_networks", "", live, []string{},
			"Networks of devices that know nothing better than TLS 1.0 or 1.1, or RSA key exchange. They may use them,\nand get SIZE and REST as old servers had them. Each use is logged. RSA key exchange needs a certificate with an\nRSA key, such as one more in tls.more.",
			func(c *Config) setting.Value { return &c.TLS.LegacyNetworks }},
		{"tls.legacy_charset", "", live, "",
			"Encoding of their file names where the account has none: \"gbk\", \"shift_jis\", \"windows-1251\". Empty: UTF-8.",
			func(c *Config) setting.Value { return setting.Charset(&c.TLS.LegacyCharset) }},
		{"tls.legacy_dos_list", "", live, false,
			"LIST for them as Windows servers write it.",
			func(c *Config) setting.Value { return setting.Boolean(&c.TLS.LegacyDOSList) }},
		{"tls.client_certs", "", live, "off",
			"Whether clients are asked for a certificate, and must have one.",
			func(c *Config) setting.Value { return setting.Choice(&c.TLS.ClientCerts, "off", "ask", "require") }},
		{"tls.client_ca", "", live, "",
			"File of the authorities, PEM, whose client certificates are accepted.",
			func(c *Config) setting.Value { return setting.Text(&c.TLS.ClientCA) }},
		{"tls.client_crl", "", live, "",
			"File of their revocation lists, PEM.",
			func(c *Config) setting.Value { return setting.Text(&c.TLS.ClientCRL) }},
		{"tls.client_factor", "", live, "password",
			"What lets a user in: the \"password\", the \"certificate\" in its place (or the password, for who has none),\nor \"both\".",
			func(c *Config) setting.Value {
				return setting.Choice(&c.TLS.ClientFactor, "password", "certificate", "both")
			}},
		{"tls.client_match", "", live, "cn",
			"What of a client certificate is the user's name: the \"cn\" of its subject, one of its \"san\" (DNS names,\nmail addresses, URIs), or what client_fingerprints says of its \"fingerprint\".",
			func(c *Config) setting.Value { return setting.Choice(&c.TLS.ClientMatch, "cn", "san", "fingerprint") }},
		{"tls.client_fingerprints", "", live, []string{},
			"Users by the SHA-256 of their certificates: \"HEX=alice\".",
			func(c *Config) setting.Value {
				return setting.Assignments(&c.TLS.ClientFingerprints, "HEX=alice", fingerprintUser)
			}},
		{"tls.acme_names", "", restart, []string{},
			"Names that certificates are asked for by ACME, such as from Let's Encrypt, to whose terms you agree by this.",
			func(c *Config) setting.Value { return setting.List(&c.TLS.ACMENames, checkHost) }},
		{"tls.acme_email", "", restart, "",
			"Where the authority writes to when something is wrong.",
			func(c *Config) setting.Value { return setting.Line(&c.TLS.ACMEEmail) }},
		{"tls.acme_directory", "", restart, "",
			"URL of the ACME server. Empty: Let's Encrypt.",
			func(c *Config) setting.Value { return setting.Text(&c.TLS.ACMEDirectory) }},
		{"tls.acme_http", "", restart, ":80",
			"Where HTTP-01 is answered, while a certificate is asked for: port 80 of each name must lead here.\n\"off\": not at all.",
			func(c *Config) setting.Value { return setting.Text(&c.TLS.ACMEHTTP) }},
		{"tls.acme_tls", "", restart, "off",
			"Where TLS-ALPN-01 is answered: port 443 of each name must lead here.",
			func(c *Config) setting.Value { return setting.Text(&c.TLS.ACMETLS) }},
		{"tls.acme_root_ca", "", restart, "",
			"File of the authority, PEM, of the ACME server itself, for private ones.",
			func(c *Config) setting.Value { return setting.Text(&c.TLS.ACMERootCA) }},
	}
}

// hostsKeys are the rows of [hosts].
func hostsKeys() []Key {
	return []Key{
		{"hosts.names", "", live, []string{},
			"The virtual hosts. The address that the client reached always works, too.",
			func(c *Config) setting.Value { return hostNames{&c.Hosts.Names} }},
		{"hosts.greetings", "", live, []string{},
			"Their own greetings: \"NAME=TEXT\".",
			func(c *Config) setting.Value {
				return setting.Assignments(&c.Hosts.Greetings, "ftp.example.com=Welcome", hostGreeting)
			}},
		{"hosts.anonymous_roots", "", live, []string{},
			"What anonymous users see there: \"NAME=DIR\". Where a client cannot ask for a host (SFTP), they are \"anonymous@NAME\".",
			func(c *Config) setting.Value {
				return setting.Assignments(&c.Hosts.AnonymousRoots, "ftp.example.com=/srv/pub", hostRoot)
			}},
		{"hosts.own_users", "", live, []string{},
			"Hosts with users of their own: there, the login \"alice\" means the account \"alice@NAME\", and no other.\nWhere a client cannot ask for a host (SFTP), it logs in by that whole name.",
			func(c *Config) setting.Value { return hostNames{&c.Hosts.OwnUsers} }},
	}
}
