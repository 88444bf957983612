package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"ferry"
	"ferry/internal/store"
)

// readSFTPGo reads what SFTPGo's dumpdata writes: an object with a list of users, and
// other lists beside it.
func readSFTPGo(files []File) *Accounts {
	all := &Accounts{}
	for _, f := range files {
		all.dump(f)
	}
	return all
}

// dump takes the users of f one after the other, each with the line where it begins.
func (a *Accounts) dump(f File) {
	d := json.NewDecoder(bytes.NewReader(f.Data))
	fail := func(err error) {
		a.refuse(Place{f.Name, lineAt(f.Data, d.InputOffset())}, "this is no dump of SFTPGo: %v", err)
	}
	found, err := enterUsers(d)
	if err != nil {
		fail(err)
		return
	}
	if !found {
		fail(errors.New("it has no list of users"))
		return
	}
	for d.More() {
		var fields map[string]json.RawMessage
		// What Decode skips before the value belongs to no user.
		start := d.InputOffset() + int64(bytes.IndexByte(f.Data[d.InputOffset():], '{'))
		if err := d.Decode(&fields); err != nil {
			fail(err)
			return
		}
		u, err := readUser(fields)
		at := Place{f.Name, lineAt(f.Data, start)}
		if err != nil {
			a.refuse(at, "this is no user of SFTPGo: %v", err)
			continue
		}
		a.take(at, u.Username, func(e *Entry) error { return a.user(e, u) })
	}
	if _, err := d.Token(); err != nil { // the end of the list: a dump that was cut off is none
		fail(err)
	}
}

// enterUsers reads up to the first element of "users"; false: there is no such list.
func enterUsers(d *json.Decoder) (found bool, err error) {
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return false, errors.Join(err, errors.New("it is no JSON object"))
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return false, err
		}
		if key == "users" {
			t, err := d.Token()
			return t == json.Delim('['), err
		}
		var other json.RawMessage
		if err := d.Decode(&other); err != nil {
			return false, err
		}
	}
	return false, nil
}

func lineAt(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(int(offset), len(data))], []byte("\n"))
}

// dumpedUser are the fields of a user that have a place in Ferry, or are asked to decide
// something. rest are the others.
type dumpedUser struct {
	Username          string              `json:"username"`
	Status            *int                `json:"status"`
	ExpirationDate    int64               `json:"expiration_date"` // milliseconds since 1970
	Password          string              `json:"password"`
	PublicKeys        []string            `json:"public_keys"`
	HomeDir           string              `json:"home_dir"`
	MaxSessions       int                 `json:"max_sessions"`
	UploadBandwidth   int64               `json:"upload_bandwidth"`   // KiB a second
	DownloadBandwidth int64               `json:"download_bandwidth"` // KiB a second
	QuotaSize         int64               `json:"quota_size"`         // bytes
	QuotaFiles        int64               `json:"quota_files"`
	Permissions       map[string][]string `json:"permissions"`
	Filesystem        struct {
		Provider int `json:"provider"`
	} `json:"filesystem"`
	Filters struct {
		DeniedLoginMethods []string `json:"denied_login_methods"`
		IsAnonymous        bool     `json:"is_anonymous"`
	} `json:"filters"`

	rest map[string]json.RawMessage
}

// readUser reads a user, and what it does not know by name.
func readUser(fields map[string]json.RawMessage) (u dumpedUser, err error) {
	data, err := json.Marshal(fields)
	if err != nil {
		return u, err
	}
	if err := json.Unmarshal(data, &u); err != nil {
		return u, plainly(err)
	}
	u.rest = fields
	filters := map[string]json.RawMessage{}
	if len(fields["filters"]) > 0 {
		if err := json.Unmarshal(fields["filters"], &filters); err != nil {
			return u, plainly(err)
		}
	}
	delete(u.rest, "filters")
	for name, value := range filters {
		u.rest["filters."+name] = value
	}
	return u, nil
}

// plainly is an error of package json without a value: it may be a password.
func plainly(err error) error {
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return fmt.Errorf("%s is a %s", wrong.Field, strings.Fields(wrong.Value + " value")[0])
	}
	return err
}

func (a *Accounts) user(e *Entry, u dumpedUser) error {
	switch {
	case u.Filters.IsAnonymous:
		return errors.New("it is an anonymous user: ferry serve --anonymous lets those in")
	case u.Filesystem.Provider != 0:
		return fmt.Errorf("its files are not in a directory of the host (filesystem provider %d)", u.Filesystem.Provider)
	case u.Password == "" && len(u.PublicKeys) == 0:
		return errors.New("it has neither a password nor a public key")
	case u.MaxSessions < 0 || u.QuotaSize < 0 || u.QuotaFiles < 0 || tooFast(u.UploadBandwidth) || tooFast(u.DownloadBandwidth):
		return errors.New("a limit of it is below 0, or no number that is one")
	}
	if err := e.home(u.HomeDir); err != nil {
		return err
	}
	if u.Password != "" {
		if err := a.secret(e, u.Password); err != nil {
			return err
		}
	}
	a.keys(e, u.PublicKeys)
	if err := a.permissions(e, u.Permissions); err != nil {
		return err
	}
	login := a.login(e, u.Filters.DeniedLoginMethods)
	e.set(func(account *store.Account) {
		account.Limits = ferry.Limits{Sessions: u.MaxSessions, Upload: u.UploadBandwidth << 10, Download: u.DownloadBandwidth << 10,
			QuotaBytes: u.QuotaSize, QuotaFiles: u.QuotaFiles}
		account.Disabled = u.Status == nil || *u.Status != 1
		account.Login = login
	})
	if u.ExpirationDate > 0 {
		e.expires(time.UnixMilli(min(u.ExpirationDate, latest)).UTC())
	} else {
		e.expires(time.Time{})
	}
	a.others(e, u.rest)
	return nil
}

// latest is the end of the year 9999 in milliseconds, the last that a time can be
// written of.
const latest = 253402300799_000

// tooFast tells whether a bandwidth of KiB a second is none that can be kept.
func tooFast(kib int64) bool { return kib < 0 || kib > math.MaxInt64>>10 }

// keys takes the public keys that can be read.
func (a *Accounts) keys(e *Entry, lines []string) {
	var keys []store.Key
	for _, text := range lines {
		key, err := store.ParseKey(text)
		same := func(k store.Key) bool { return k.Fingerprint == key.Fingerprint }
		switch {
		case err != nil:
			a.note(e, "public_keys", "%v", err)
		case !slices.ContainsFunc(keys, same):
			keys = append(keys, key)
		}
	}
	e.set(func(account *store.Account) { account.Keys = keys })
}

// login says what the user must show, of the ways that are not denied. Passwords and
// keyboard-interactive are one way here.
func (a *Accounts) login(e *Entry, denied []string) ferry.Login {
	allowed := func(method string) bool { return !slices.Contains(denied, method) }
	password, key := allowed("password") || allowed("keyboard-interactive"), allowed("publickey")
	both := allowed("publickey+password") || allowed("publickey+keyboard-interactive")
	ways := ferry.LoginAny
	switch {
	case key && !password:
		ways = ferry.LoginKey
	case password && !key:
		ways = ferry.LoginPassword
	case !password && both:
		ways = ferry.LoginKeyAndPassword
	case !password:
		e.set(func(account *store.Account) { account.Disabled = true })
		a.note(e, "filters.denied_login_methods", "no way to log in is left: the account is disabled")
	}
	known := []string{"password", "keyboard-interactive", "publickey", "publickey+password", "publickey+keyboard-interactive"}
	for _, method := range denied {
		if !slices.Contains(known, method) {
			a.note(e, "filters.denied_login_methods", "%s", method)
		}
	}
	return ways
}

// others reports each field that says something and has no place here.
func (a *Accounts) others(e *Entry, rest map[string]json.RawMessage) {
	for _, field := range slices.Sorted(maps.Keys(rest)) {
		if slices.Contains(mapped(), field) || strings.HasPrefix(field, "used_") || saysNothing(rest[field]) {
			continue
		}
		a.note(e, field, "%s", brief(field, rest[field]))
	}
}

// mapped are the fields that are kept, or say nothing about what the user may do.
func mapped() []string {
	return []string{
		"username", "status", "expiration_date", "password", "public_keys", "home_dir", "max_sessions", "quota_size", "quota_files", "upload_bandwidth", "download_bandwidth",
		"permissions", "filesystem", "filters.denied_login_methods", "filters.is_anonymous",
		"id", "email", "description", "additional_info", "has_password", "created_at", "updated_at", "last_login", "last_quota_update",
		"last_password_change", "first_download", "first_upload", "deleted_at", "oidc_custom_fields",
		"filters.web_client", "filters.allow_api_key_auth", "filters.user_type", "filters.external_auth_cache_time", "filters.disable_fs_checks",
		"filters.default_shares_expiration", "filters.max_shares_expiration", "filters.additional_emails", "filters.custom1", "filters.custom_placeholder_1",
		"filters.hooks", "filters.password_strength",
	}
}

// saysNothing tells whether value is what a field has that was never set.
func saysNothing(value json.RawMessage) bool {
	var v any
	if json.Unmarshal(value, &v) != nil {
		return false
	}
	return empty(v)
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case float64:
		return v == 0
	case string:
		return v == "" || v == "None"
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, inner := range v {
			if !empty(inner) {
				return false
			}
		}
		return true
	}
	return false
}

// brief is a value as a report shows it; that of a secret is not shown.
func brief(field string, value json.RawMessage) string {
	if strings.Contains(field, "totp") || strings.Contains(field, "recovery") || strings.Contains(field, "tls_certs") {
		return "it is set"
	}
	if field == "virtual_folders" || field == "groups" {
		return strings.Join(names(value), ", ")
	}
	var b bytes.Buffer
	if json.Compact(&b, value) != nil || b.Len() > 200 {
		return "it is set"
	}
	return b.String()
}

// names are those of a list of groups, or of folders with where they are seen.
func names(value json.RawMessage) (all []string) {
	var list []struct {
		Name        string `json:"name"`
		VirtualPath string `json:"virtual_path"`
	}
	if json.Unmarshal(value, &list) != nil {
		return []string{"it is set"}
	}
	for _, one := range list {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%.60s %.100s", one.Name, one.VirtualPath)))
	}
	return all
}
