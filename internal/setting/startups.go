package setting

import (
	"fmt"
	"strconv"
)

// Startups are the connections that may be without a login, as sshd's MaxStartups has
// them: "START:RATE:FULL", or one number for START and FULL.
type Startups struct{ Start, Rate, Full int }

func (s *Startups) Set(v any) error {
	if n, ok := v.(int64); ok && n >= 0 && n <= 1<<31-1 {
		*s = Startups{int(n), 100, int(n)}
		return nil
	}
	text, _ := v.(string)
	var set Startups
	if _, err := fmt.Sscanf(text, "%d:%d:%d", &set.Start, &set.Rate, &set.Full); err != nil || text != set.String() || !set.sound() {
		return fmt.Errorf("must be a number, or \"START:RATE:FULL\" with a RATE from 1 to 100 and a FULL not below START, not %v", Printed(v))
	}
	*s = set
	return nil
}

func (s *Startups) sound() bool {
	return s.Start >= 0 && s.Rate >= 1 && s.Rate <= 100 && s.Full >= max(s.Start, 1)
}

// String is START:RATE:FULL.
func (s *Startups) String() string { return fmt.Sprintf("%d:%d:%d", s.Start, s.Rate, s.Full) }

func (s *Startups) Toml() string {
	if s.Start == s.Full {
		return strconv.Itoa(s.Full)
	}
	return Quote(s.String())
}

func (s *Startups) Kind() string { return "START:RATE:FULL" }
