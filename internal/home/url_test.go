package home

import (
	"path/filepath"
	"strings"
	"testing"
)

// A path and its URL are one home.
func TestPath(t *testing.T) {
	for home, want := range map[string]string{"/srv/a": "/srv/a", "file:///srv/a": "/srv/a", "file:///srv/a%20b": "/srv/a b", "/srv/a//b/": "/srv/a/b"} {
		got, err := Path(home)
		if err != nil || filepath.Clean(got) != want || Clean(home) != want {
			t.Errorf("%s is %s (%s), %v; want %s", home, got, Clean(home), err, want)
		}
	}
	for home, want := range map[string]string{"s3://bucket/a": "no storage of the kind \"s3\"", "file://host/a": "three slashes", "file:a://b": "", "http://[::1": "no URL"} {
		if _, err := Path(home); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", home, err, want)
		}
	}
	dir := t.TempDir()
	if !Exists(dir) || !Exists("file://"+dir) || Exists(dir+"/none") || Exists("s3://bucket") {
		t.Error("Exists")
	}
}
