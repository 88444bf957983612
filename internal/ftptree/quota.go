package ftptree

import (
	"context"
	"fmt"

	"ferry"
	"ferry/internal/ftpreply"
)

// Quota is SITE QUOTA: what the session's user may keep where a directory lies, and how
// much of that there is. No RFC has it; clients show the lines as they are.
func (f *Files) Quota(ctx context.Context, arg string) ftpreply.Reply {
	name, _, r, ok := f.LookAt(ctx, "SITE QUOTA", arg)
	if !ok {
		return r
	}
	space, err := f.fs.Space(ctx, name)
	if err != nil {
		return f.report.Failed("SITE QUOTA", name, err)
	}
	limit, used := space.Quota.Limit, space.Quota.Used
	if limit == (ferry.Usage{}) {
		return ftpreply.Say(200, "There is no quota.")
	}
	return ftpreply.Reply{Code: 200, Text: "Quota:", More: []string{
		" " + quotaLine("Bytes", used.Bytes, limit.Bytes),
		" " + quotaLine("Files", used.Files, limit.Files),
		"End",
	}}
}

func quotaLine(what string, used, limit int64) string {
	if limit == 0 {
		return fmt.Sprintf("%s: %d, no limit", what, used)
	}
	return fmt.Sprintf("%s: %d of %d, %d left", what, used, limit, max(limit-used, 0))
}
