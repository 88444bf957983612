package setting

import (
	"fmt"
	"strconv"
)

// localPort is a port, or how it is chosen: "auto", "any".
type localPort struct{ at *string }

// LocalPort is a setting of a port, or of how it is chosen: "auto", "any".
func LocalPort(at *string) Value { return &localPort{at} }

func (p *localPort) Set(v any) error {
	s := fmt.Sprint(v)
	n, err := strconv.ParseUint(s, 10, 16)
	if s != "auto" && s != "any" && (err != nil || n == 0) {
		return fmt.Errorf("must be \"auto\", \"any\" or a port from 1 to 65535, not %v", Printed(v))
	}
	*p.at = s
	return nil
}

func (p *localPort) Toml() string { return Quote(*p.at) }
func (p *localPort) Kind() string { return "auto, any or a port" }
