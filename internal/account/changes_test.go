package account

import (
	"errors"
	"strings"
	"testing"
	"time"

	"ferry"
)

func said[T any](v T) *T { return &v }

func TestChanges(t *testing.T) {
	u, err := New("alice", &Changes{
		Home: said("file:///srv/alice"), ReadOnly: true, Rules: []string{"/in=create,list", "/in/old=none"}, Login: said("key"),
		Principals: said("a,b"), Charset: said("GBK"), MaxSessions: said(3), Expires: said("2026-12-31"), Shared: said(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	if u.Home != "file:///srv/alice" || u.Login != ferry.LoginKey || len(u.Principals) != 2 || u.Charset != "gbk" || u.Limits.Sessions != 3 || !u.Shared {
		t.Errorf("%+v", u)
	}
	if want := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC); !u.Expires.Equal(want) {
		t.Errorf("expires %v, want the end of the day: %v", u.Expires, want)
	}
	for name, want := range map[ferry.Name]string{"/x": "read-only", "/in/x": "list,create", "/in/old/x": "none"} {
		if got := ferry.RightsAt(u.Rules, name).String(); got != want {
			t.Errorf("rights at %s: %s, want %s", name, got, want)
		}
	}
	// What is not said stays; PREFIX=- takes a rule away.
	if err := (&Changes{Rules: []string{"/in/old=-"}, Charset: said("utf-8"), Principals: said("")}).Apply(&u); err != nil {
		t.Fatal(err)
	}
	if got := ferry.RightsAt(u.Rules, "/in/old/x").String(); got != "list,create" || u.Charset != "" || u.Principals != nil || u.Login != ferry.LoginKey {
		t.Errorf("%+v", u)
	}
}

// What cannot be taken names the field.
func TestInvalid(t *testing.T) {
	for field, c := range map[string]Changes{
		"rights":       {Rights: said("everything")},
		"rule":         {Rules: []string{"in=create"}},
		"login":        {Login: said("token")},
		"charset":      {Charset: said("klingon")},
		"max-sessions": {MaxSessions: said(-1)},
		"quota-files":  {QuotaFiles: said(int64(-1))},
		"expires":      {Expires: said("tomorrow")},
	} {
		_, err := New("alice", &c)
		if wrong := (*Invalid)(nil); !errors.As(err, &wrong) || wrong.Field != field || !strings.HasPrefix(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, name := range []string{"", "a/b", "anonymous", "-x"} {
		if _, err := New(name, &Changes{}); err == nil {
			t.Errorf("the name %q was taken", name)
		}
	}
	if _, err := New("alice", &Changes{Home: said("s3://bucket/alice")}); err == nil || !strings.Contains(err.Error(), "no storage of the kind") {
		t.Errorf("a home of an unknown kind: %v", err)
	}
}
