package main

import (
	"strings"

	"github.com/alecthomas/kong"
)

// configFlags are the flags that override keys. The rows of keys name them.
type configFlags struct {
	Config         string   `placeholder:"FILE" type:"path" help:"Read the configuration from FILE (see: ferry config example)."`
	State          string   `placeholder:"DIR" help:"Directory of the database, and of the certificates and host keys that the server makes (default: /var/lib/ferry for root, else ~/.local/state/ferry)."`
	FTP            string   `name:"ftp" placeholder:"ADDR" help:"Where FTP listens: HOST:PORT, :PORT, or off (default :2121). Port 0 picks a free one."`
	FTPS           string   `name:"ftps" placeholder:"ADDR" help:"Where FTP listens that begins with TLS (implicit FTPS, by custom on port 990); off by default."`
	SFTP           string   `name:"sftp" placeholder:"ADDR" help:"Where SFTP and SCP listen: HOST:PORT, :PORT, or off (default :2222). Port 0 picks a free one."`
	Cert           string   `placeholder:"FILE" help:"TLS certificate, PEM, with those that lead to its authority (default: self-signed, made once)."`
	Key            string   `placeholder:"FILE" help:"Its private key, PEM (default: in the same file)."`
	User           []string `placeholder:"NAME[:PASSWORD]" sep:"none" help:"Let this user in. Without a password, it is taken from FERRY_PASSWORD, or made up. May be repeated."`
	RunAs          string   `placeholder:"USER" help:"Once the ports are bound, become this account of the machine, wholly. Takes root."`
	System         bool     `negatable:"" help:"Let the accounts of this machine in, at home in their directories. Takes root."`
	Anonymous      bool     `negatable:"" help:"Let anybody in as anonymous, to read."`
	Drop           string   `placeholder:"DIR" help:"Let anonymous users put new files into DIR of their tree."`
	ReadOnly       bool     `negatable:"" help:"Let nobody change anything."`
	PassivePorts   string   `placeholder:"A-B" help:"Ports of passive data connections (default 50000-50999)."`
	PassiveAddress []string `placeholder:"HOST" sep:"none" help:"The address that PASV tells clients, when a NAT is in front: HOST or NETWORK=HOST."`
	LogFormat      string   `placeholder:"FORMAT" words:"auto,text,json,short" help:"Form of the log on standard error: auto (short on a terminal, else text), text, json or short."`
	LogLevel       string   `placeholder:"LEVEL" words:"debug,info,warn,error" help:"debug, info, warn or error."`
}

// flagsGiven picks out of a parsed command line the flags that were really
// given, by the names that keys uses, with their values.
func flagsGiven(k *kong.Context) map[string]any {
	given := map[string]any{}
	for _, at := range k.Path {
		switch {
		case at.Flag != nil:
			given["--"+at.Flag.Name] = k.FlagValue(at.Flag)
		case at.Positional != nil:
			given[strings.ToUpper(at.Positional.Name)] = at.Positional.Target.Interface()
		}
	}
	return given
}
