package account

import (
	"time"

	"ferry"
	"ferry/internal/store"
)

// Record is an account as people and scripts read it. It holds no secret.
type Record struct {
	Name          string       `json:"name"`
	Home          string       `json:"home"` // "": users.home of the configuration
	Rules         []RuleRecord `json:"rules"`
	Login         string       `json:"login"`      // any, key, password, key+password
	Principals    []string     `json:"principals"` // none: the name
	Shared        bool         `json:"shared"`
	DirectUploads bool         `json:"direct_uploads"`
	Charset       string       `json:"charset"`
	MaxSessions   int          `json:"max_sessions"`
	UploadRate    int64        `json:"upload_rate"`   // bytes a second; 0: no limit
	DownloadRate  int64        `json:"download_rate"` // bytes a second; 0: no limit
	QuotaBytes    int64        `json:"quota_bytes"`   // that the home may hold; 0: no limit
	QuotaFiles    int64        `json:"quota_files"`   // 0: no limit
	Expires       *time.Time   `json:"expires"`       // null: never
	Disabled      bool         `json:"disabled"`
	Password      bool         `json:"password"` // whether there is one
	Keys          []KeyRecord  `json:"keys"`
	Created       time.Time    `json:"created"`
	Changed       time.Time    `json:"changed"`
}

type RuleRecord struct {
	Prefix string `json:"prefix"`
	Rights string `json:"rights"`
}

type KeyRecord struct {
	Fingerprint string    `json:"fingerprint"`
	Line        string    `json:"line"`
	Added       time.Time `json:"added"`
}

func RecordOf(a store.Account) Record {
	u := Record{Name: a.Name, Home: a.Home, Rules: []RuleRecord{}, Login: a.Login.String(), Principals: append([]string{}, a.Principals...), Shared: a.Shared, DirectUploads: a.DirectUploads,
		Charset: a.Charset, MaxSessions: a.Limits.Sessions, UploadRate: a.Limits.Upload, DownloadRate: a.Limits.Download,
		QuotaBytes: a.Limits.QuotaBytes, QuotaFiles: a.Limits.QuotaFiles,
		Disabled: a.Disabled, Password: a.Hash != "", Keys: []KeyRecord{}, Created: a.Created, Changed: a.Changed}
	if u.Charset == "" {
		u.Charset = "utf-8"
	}
	if !a.Expires.IsZero() {
		u.Expires = &a.Expires
	}
	for _, r := range a.Rules {
		u.Rules = append(u.Rules, RuleRecord{string(r.Prefix), r.Rights.String()})
	}
	for _, k := range a.Keys {
		u.Keys = append(u.Keys, KeyRecord{k.Fingerprint, k.Line, k.Added})
	}
	return u
}

// State says whether the user may log in, by the predicate that logins ask.
func (u Record) State(now time.Time) string {
	user := ferry.User{Disabled: u.Disabled}
	if u.Expires != nil {
		user.Expires = *u.Expires
	}
	switch {
	case u.Disabled:
		return "disabled"
	case !user.MayLogin(now):
		return "expired " + u.Expires.Format(time.RFC3339)
	case u.Expires != nil:
		return "active until " + u.Expires.Format(time.RFC3339)
	}
	return "active"
}
