package config

import (
	"slices"

	"ferry/internal/auth"
	"ferry/internal/setting"
)

// Key is one line of the configuration: its place in the file, the flag of
// `ferry serve` that overrides it, what it is without either, and what it
// means. The example, the documentation and the reading of files and flags are
// all made from the table below.
type Key struct {
	Name    string // "section.key"
	Flag    string // "--name", "DIR", or "" where there is none
	Live    bool   // SIGHUP lets a change take effect; else a restart does
	preset  any    // as set takes it
	comment string // sentences; one line each
	At      func(*Config) setting.Value
}

// What Key.Live says, so that the rows can be read.
const (
	live    = true
	restart = false
)

// sections are the tables of the file, in their order, each with its headline.
func sections() [][2]string {
	return [][2]string{
		{"server", "The server as a whole."},
		{"ftp", "The FTP listener and its data connections."},
		{"ftps", "The listener for FTP that begins with TLS (implicit FTPS). On that of [ftp], clients ask for TLS (AUTH TLS)."},
		{"sftp", "The SSH listener, for SFTP and SCP. Users, rights and files are those of FTP."},
		{"tls", "Certificates, and what must be protected by them."},
		{"hosts", "Virtual hosts, chosen by HOST (RFC 7151) or the server name in TLS. Their certificates are those of [tls] with their names."},
		{"storage", "The files that are served, and how uploads reach them."},
		{"users", "Who may log in, beside the accounts that `ferry user` keeps in the database."},
		{"system", "The accounts of the machine that the server runs on."},
		{"limits", "What one client, or all together, may take. 0 means no limit."},
		{"log", "What is written down."},
	}
}

// Keys is the table of all keys, in the order of the file.
func Keys() []Key {
	return slices.Concat(listenerKeys(), sftpKeys(), tlsKeys(), hostsKeys(), storageKeys(), systemKeys(), limitKeys())
}

// listenerKeys are those of the server and where it listens.
func listenerKeys() []Key {
	return []Key{
		{"server.state", "--state", restart, "",
			"Directory of the database and whatever else the server remembers; made with mode 0700.\nEmpty: /var/lib/ferry for root, else $XDG_STATE_HOME/ferry or ~/.local/state/ferry.",
			func(c *Config) setting.Value { return setting.Text(&c.Server.State) }},
		{"server.user", "--run-as", restart, "",
			"The account of this machine that the server becomes once it listens, where root starts it; the state\ndirectory becomes that one's. Empty: it stays who it is, with no more capabilities than it needs.",
			func(c *Config) setting.Value { return setting.Text(&c.Server.User) }},
		{"server.grace", "", live, "30s",
			"How long running transfers may go on after SIGTERM or the first Ctrl-C.",
			func(c *Config) setting.Value { return setting.Duration(&c.Server.Grace) }},

		{"ftp.address", "--ftp", restart, ":2121",
			"Where FTP listens: \"HOST:PORT\", or \":PORT\" for every address of the machine.\nPort 0 picks a free one; \"off\" turns it off, where [ftps] or [sftp] has an address.",
			func(c *Config) setting.Value { return setting.Endpoint(&c.FTP.Address) }},
		{"ftp.greeting", "", live, "Ferry ready",
			"The text of the 220 that a client is met with.",
			func(c *Config) setting.Value { return setting.Line(&c.FTP.Greeting) }},
		{"ftp.passive_ports", "--passive-ports", restart, "50000-50999",
			"Ports of passive data connections. A firewall in front must let them in.",
			func(c *Config) setting.Value { return &c.FTP.PassivePorts }},
		{"ftp.passive_addresses", "--passive-address", live, []string{},
			"The address that PASV tells clients to connect to, where it is not the one they reached:\n\"HOST\", or \"NETWORK=HOST\" for clients from that network. The first that fits is taken.",
			func(c *Config) setting.Value { return setting.Addresses(&c.FTP.PassiveAddresses) }},
		{"ftp.active", "", live, true,
			"Active mode (PORT, EPRT): the server connects to the client.",
			func(c *Config) setting.Value { return setting.Boolean(&c.FTP.Active) }},
		{"ftp.active_port", "", live, "auto",
			"The port that active data connections come from: \"auto\", the one below the control port (20 for 21),\n\"any\", or a number. Where it cannot be had (below 1024 it takes CAP_NET_BIND_SERVICE) any is used.",
			func(c *Config) setting.Value { return setting.LocalPort(&c.FTP.ActivePort) }},
		{"ftp.foreign_data", "", live, false,
			"Data connections with other hosts than the client (FXP). Opens the server to bounce attacks.",
			func(c *Config) setting.Value { return setting.Boolean(&c.FTP.ForeignData) }},
		{"ftp.epsv_off", "", live, []string{},
			"Networks whose clients are told that EPSV is not there: for devices that hang on it.",
			func(c *Config) setting.Value { return &c.FTP.EPSVOff }},
		{"ftp.proxy_from", "", restart, []string{},
			"Networks of load balancers that begin each connection with a PROXY protocol header, those of\npassive ports too.",
			func(c *Config) setting.Value { return &c.FTP.ProxyFrom }},
		{"ftp.login_timeout", "", live, "1m",
			"How long a connection may stay without a login.",
			func(c *Config) setting.Value { return setting.Duration(&c.FTP.LoginTimeout) }},
		{"ftp.idle_timeout", "", live, "15m",
			"How long a session may be idle. RFC 1123 wants 5 minutes or more.",
			func(c *Config) setting.Value { return setting.Duration(&c.FTP.IdleTimeout) }},
		{"ftp.data_timeout", "", live, "30s",
			"How long to wait for a data connection to come about.",
			func(c *Config) setting.Value { return setting.Duration(&c.FTP.DataTimeout) }},
		{"ftp.zone", "", live, "UTC",
			"Time zone of the times in LIST. MLSD and MDTM are always in UTC.",
			func(c *Config) setting.Value { return setting.Zone(&c.FTP.Zone) }},
		{"ftp.mode_z", "", live, false,
			"MODE Z: compressed transfers. They cost CPU.",
			func(c *Config) setting.Value { return setting.Boolean(&c.FTP.ModeZ) }},
		{"ftp.recursive_list", "", live, true,
			"LIST -R and NLST -R.",
			func(c *Config) setting.Value { return setting.Boolean(&c.FTP.RecursiveList) }},
		{"ftp.list_limit", "", live, int64(10000),
			"Entries at most in one listing with -R or a pattern. Plain listings have no end.",
			func(c *Config) setting.Value { return setting.Count(&c.FTP.ListLimit) }},
		{"ftp.loose_allo", "", live, false,
			"Publish an upload that has fewer bytes than the client's ALLO announced. Such an upload is\ntaken for a broken one otherwise.",
			func(c *Config) setting.Value { return setting.Boolean(&c.FTP.LooseALLO) }},
		{"ftp.require", "", live, "default",
			"What must be protected by TLS on this listener: as tls.require, and in its place. \"default\": what that says.",
			func(c *Config) setting.Value {
				return setting.Choice(&c.FTP.Require, append([]string{"default"}, requireWords()...)...)
			}},
		{"ftp.legacy", "", live, false,
			"Treat every client of this listener as one from tls.legacy_networks.",
			func(c *Config) setting.Value { return setting.Boolean(&c.FTP.Legacy) }},

		{"ftps.address", "--ftps", restart, "off",
			"Where FTP listens that begins with TLS: as ftp.address; the custom is port 990.",
			func(c *Config) setting.Value { return setting.Endpoint(&c.FTPS.Address) }},
		{"ftps.require", "", live, "default",
			"As ftp.require, for this listener. Here passwords are protected whatever it says.",
			func(c *Config) setting.Value {
				return setting.Choice(&c.FTPS.Require, append([]string{"default"}, requireWords()...)...)
			}},
		{"ftps.legacy", "", live, false,
			"As ftp.legacy, for this listener.",
			func(c *Config) setting.Value { return setting.Boolean(&c.FTPS.Legacy) }},
	}
}

// storageKeys are those of files, users, limits and logs.
func storageKeys() []Key {
	return []Key{
		{"storage.root", "DIR", restart, "",
			"The directory that is served: home of anonymous, of [users] static, and of accounts without a home.",
			func(c *Config) setting.Value { return setting.Text(&c.Storage.Root) }},
		{"storage.read_only", "--read-only", live, false,
			"Nobody may change anything, whatever the rights of the account.",
			func(c *Config) setting.Value { return setting.Boolean(&c.Storage.ReadOnly) }},
		{"storage.keep", "", restart, "24h",
			"How long the hidden part of a broken upload is kept, so that it can be resumed.",
			func(c *Config) setting.Value { return setting.Duration(&c.Storage.Keep) }},
		{"storage.durable", "", restart, true,
			"Answer 226 only when the file is safe on the disk. false is faster for many small files,\nand loses what was acknowledged in the last seconds when the machine loses power.",
			func(c *Config) setting.Value { return setting.Boolean(&c.Storage.Durable) }},
		{"storage.umask", "", restart, "0022",
			"Permission bits that new files and directories do not get.",
			func(c *Config) setting.Value { return &c.Storage.Umask }},
		{"storage.resolver", "", restart, "auto",
			"How names are kept beneath the root: \"openat2\" (by the kernel, Linux 5.6), \"os.Root\" (anywhere;\nrefuses absolute links), or \"auto\" for the first that works.",
			func(c *Config) setting.Value {
				return setting.Choice(&c.Storage.Resolver, "auto", "openat2", "os.Root")
			}},

		{"users.home", "", restart, "",
			"Home of accounts that have none of their own; %u is the user's name: \"/srv/ftp/%u\".\nMade with mode 0750 at the first login when it is missing. Empty: the root of [storage].",
			func(c *Config) setting.Value { return setting.Text(&c.Users.Home) }},
		{"users.static", "--user", live, []string{},
			"Users beside the database: \"NAME:HASH\", \"NAME:PASSWORD\", or \"NAME\" with the password in\nthe environment variable FERRY_PASSWORD. Their home is the root of [storage].",
			func(c *Config) setting.Value { return (*staticUserList)(&c.Users.Static) }},
		{"users.anonymous", "--anonymous", live, false,
			"Let anybody in as \"anonymous\" or \"ftp\", with any password, to read; over SFTP with any key, too.",
			func(c *Config) setting.Value { return setting.Boolean(&c.Users.Anonymous) }},
		{"users.anonymous_root", "", live, "",
			"The directory that anonymous users see. Empty: the root of [storage].",
			func(c *Config) setting.Value { return setting.Text(&c.Users.AnonymousRoot) }},
		{"users.drop", "--drop", live, "",
			"A directory, by its name in the anonymous tree (\"/incoming\"), where anonymous users may put\nnew files and see nothing. Made when it is missing.",
			func(c *Config) setting.Value { return setting.Text(&c.Users.Drop) }},
		{"users.remember", "", live, "5m",
			"How long a verified password is remembered in memory, so that clients with many short\nsessions do not cost a hash each; \"0s\" for not at all. A change of the account ends it.",
			func(c *Config) setting.Value { return setting.Delay(&c.Users.Remember) }},
		{"users.hash_memory", "", live, int64(auth.DefaultCost().Memory) << 10,
			"Memory that one password hash (argon2id) takes. More of it, and more passes, cost an attacker\nwho has the hashes as much more as each login. Counts for passwords that are set from now on.",
			func(c *Config) setting.Value { return setting.Size(&c.Users.HashMemory) }},
		{"users.hash_passes", "", live, int64(auth.DefaultCost().Passes),
			"Passes of one password hash over its memory.",
			func(c *Config) setting.Value { return setting.Count(&c.Users.HashPasses) }},
		{"users.rehash", "", live, false,
			"Hash a password of the database anew when it is right and its hash is of another kind or cost than\nset here: one that was brought along, or made before a change.",
			func(c *Config) setting.Value { return setting.Boolean(&c.Users.Rehash) }},
	}
}

// limitKeys are those of what one may take, and of what is written down.
func limitKeys() []Key {
	return []Key{
		{"limits.sessions", "", live, int64(2000),
			"Connections at once.",
			func(c *Config) setting.Value { return setting.Count(&c.Limits.Sessions) }},
		{"limits.per_address", "", live, int64(200),
			"Connections at once from one address (IPv6: from one /64). Parallel clients open dozens.",
			func(c *Config) setting.Value { return setting.Count(&c.Limits.PerAddress) }},
		{"limits.before_login", "", live, "100:30:500",
			"Connections at once that have not logged in, as sshd's MaxStartups: \"START:RATE:FULL\". From START on,\na new one is turned away with a chance of RATE %, which grows to 100 % at FULL; not where its address has\nfewer than others. Beyond FULL, and where seats are short, the oldest of the address with the most has to go.",
			func(c *Config) setting.Value { return &c.Limits.BeforeLogin }},
		{"limits.open_files", "", live, int64(0),
			"Files and directories that all clients together have open at once. 0, and at most: as many as\nthe process may open, less what connections need. Whatever the numbers, an address, and a user, has at most as many as it leaves\nfree to others, and one connection by itself an eighth of all.",
			func(c *Config) setting.Value { return setting.Count(&c.Limits.OpenFiles) }},
		{"limits.open_files_per_connection", "", live, int64(1000),
			"Of those, the ones of one connection.",
			func(c *Config) setting.Value { return setting.Count(&c.Limits.OpenFilesPer.Connection) }},
		{"limits.open_files_per_user", "", live, int64(4000),
			"Of those, the ones of one user. Anonymous users are told apart by their addresses.",
			func(c *Config) setting.Value { return setting.Count(&c.Limits.OpenFilesPer.User) }},
		{"limits.open_files_per_address", "", live, int64(8000),
			"Of those, the ones of one address (IPv6: of one /64).",
			func(c *Config) setting.Value { return setting.Count(&c.Limits.OpenFilesPer.Address) }},
		{"limits.upload", "", live, int64(0),
			"Bytes a second of all uploads together. Where that is used up, sessions share it equally.",
			func(c *Config) setting.Value { return setting.Size(&c.Limits.Upload) }},
		{"limits.download", "", live, int64(0),
			"Bytes a second of all downloads together. Where that is used up, sessions share it equally.",
			func(c *Config) setting.Value { return setting.Size(&c.Limits.Download) }},
		{"limits.fails", "", live, int64(3),
			"Failed logins after which a connection is closed.",
			func(c *Config) setting.Value { return setting.Count(&c.Limits.Fails) }},
		{"limits.fail_delay", "", live, "5s",
			"How long the answer to a failed login is held back.",
			func(c *Config) setting.Value { return setting.Delay(&c.Limits.FailDelay) }},
		{"limits.ban_after", "", live, int64(10),
			"Failed logins and attacks from one address, within ban_window, that shut it out for ban_for. What is no TLS where\nTLS must be counts as an attack, and so does each handshake of TLS or SSH beyond 20 a minute that fails.",
			func(c *Config) setting.Value { return setting.Count(&c.Limits.BanAfter) }},
		{"limits.ban_window", "", live, "10m", "See ban_after.",
			func(c *Config) setting.Value { return setting.Duration(&c.Limits.BanWindow) }},
		{"limits.ban_for", "", live, "10m", "See ban_after.",
			func(c *Config) setting.Value { return setting.Duration(&c.Limits.BanFor) }},
		{"limits.never_ban", "", live, []string{},
			"Networks that are never shut out.",
			func(c *Config) setting.Value { return &c.Limits.NeverBan }},
		{"limits.stall", "", live, "5m",
			"How long a transfer may move no byte before it is ended.",
			func(c *Config) setting.Value { return setting.Duration(&c.Limits.Stall) }},

		{"log.format", "--log-format", restart, "auto",
			"Form of the log on standard error: \"text\" (KEY=VALUE), \"json\", \"short\" for people, or \"auto\":\nshort on a terminal, text otherwise.",
			func(c *Config) setting.Value { return setting.Choice(&c.Log.Format, "auto", "text", "json", "short") }},
		{"log.level", "--log-level", live, "info",
			"The least that is logged. \"debug\" shows every command, never a password.",
			func(c *Config) setting.Value { return setting.Choice(&c.Log.Level, "debug", "info", "warn", "error") }},
		{"log.transfer_log", "", live, "",
			"File that gets one line for each transfer. SIGHUP opens it again, for logrotate.",
			func(c *Config) setting.Value { return setting.Text(&c.Log.TransferLog) }},
		{"log.transfer_format", "", live, "xferlog",
			"Form of those lines: \"xferlog\" as wu-ftpd and its heirs write it, or \"json\".",
			func(c *Config) setting.Value { return setting.Choice(&c.Log.TransferFormat, "xferlog", "json") }},
	}
}
