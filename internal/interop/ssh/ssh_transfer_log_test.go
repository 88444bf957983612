package ssh

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// TestTransferLogOfAllProtocols: the same is done by FTP, by SFTP and by both
// protocols of scp, and but for the protocol's name the lines are the same.
func TestTransferLogOfAllProtocols(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"xferlog", "json"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			transfers := filepath.Join(t.TempDir(), "transfers")
			v := startSSH(t, harness.Setup{Config: fmt.Sprintf("%s[log]\ntransfer_log = %q\ntransfer_format = %q\n", harness.CheapLogins, transfers, format)})
			here := t.TempDir()
			content := harness.Noise(1, 54_321)
			harness.WriteFile(t, filepath.Join(here, "f"), content)
			harness.WriteFile(t, filepath.Join(here, "large"), harness.Noise(2, 4<<20))
			k := harness.PhoneAs(t, v.Server, "", "bob", harness.Password)
			for protocol, do := range map[string]func(){
				"ftp": func() {
					k.WantStored("STOR a file", content)
					k.WantFetched("RETR a file", content)
				},
				"sftp": func() { fine(t, v.sftp(t, here, `put f "a file"`, `get "a file" back`)) },
				"scp": func() {
					fine(t, v.scp(t, here, "f", "there:a file"))
					fine(t, v.scp(t, here, "there:a file", "back"))
				},
				"scp -O": func() {
					fine(t, v.scp(t, here, "-O", "f", `there:a\ file`))
					fine(t, v.scp(t, here, "-O", `there:a\ file`, "back"))
				},
			} {
				do()
				want := []transferred{{"bob", "upload", "/a file", "127.0.0.1", 54_321, true}, {"bob", "download", "/a file", "127.0.0.1", 54_321, true}}
				service, _, _ := strings.Cut(strings.Replace(protocol, "scp", "sftp", 1), " ")
				wantTransfers(t, transfers, format, service, want)
				if err := os.Truncate(transfers, 0); err != nil {
					t.Fatal(err)
				}
			}

			// What breaks is incomplete, in the same words.
			client := exec.Command("sftp", v.byKey("-l", "8000", "-b", "-", "bob@127.0.0.1")...)
			client.Dir, client.Stdin = here, strings.NewReader("put large\n")
			harness.StartClient(t, client)
			harness.Eventually(t, "the part grows", func() bool { return harness.PartSize(t, v.Dir) > 100_000 })
			if err := client.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			wantTransfers(t, transfers, format, "sftp", []transferred{{"bob", "upload", "/large", "127.0.0.1", -1, false}})
			if err := os.Truncate(transfers, 0); err != nil {
				t.Fatal(err)
			}
			conn, err := k.Begin("STOR broken")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Write(content); err != nil {
				t.Fatal(err)
			}
			k.HangUp()
			wantTransfers(t, transfers, format, "ftp", []transferred{{"bob", "upload", "/broken", "127.0.0.1", -1, false}})
		})
	}
}

// transferred is what a line of a transfer log says.
type transferred struct {
	User, Op, Name, Peer string
	Bytes                int64 // -1: any
	Complete             bool
}

// wantTransfers waits for that many lines, and wants them to say this.
func wantTransfers(t testing.TB, file, format, protocol string, want []transferred) {
	t.Helper()
	var lines []string
	harness.Eventually(t, fmt.Sprintf("%d lines in the transfer log", len(want)), func() bool {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines = slices.Collect(strings.Lines(string(content)))
		return len(lines) >= len(want) && strings.HasSuffix(string(content), "\n")
	})
	if len(lines) != len(want) {
		t.Errorf("%d lines, want %d:\n%s", len(lines), len(want), lines)
	}
	for i, w := range want {
		got, by := transferOf(t, format, lines[i])
		if w.Bytes < 0 {
			w.Bytes = got.Bytes
		}
		if format == "xferlog" {
			w.Name = strings.ReplaceAll(w.Name, " ", "_")
		}
		if got != w || by != protocol {
			t.Errorf("%+v by %s, want %+v by %s: %s", got, by, w, protocol, lines[i])
		}
	}
}

// transferOf reads a line, and wants it to have all that its form has.
func transferOf(t testing.TB, format, line string) (got transferred, protocol string) {
	t.Helper()
	if format == "xferlog" {
		f := strings.Fields(line)
		if len(f) != 18 {
			t.Fatalf("%d fields: %q", len(f), line)
		}
		got = transferred{User: f[13], Op: map[string]string{"i": "upload", "o": "download"}[f[11]], Name: f[8], Peer: f[6], Complete: f[17] == "c"}
		if _, err := fmt.Sscan(f[7], &got.Bytes); err != nil || f[9] != "b" || f[12] != "r" {
			t.Errorf("not a line of a user's binary transfer: %q", line)
		}
		return got, f[14]
	}
	var fields map[string]any
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatal(err)
	}
	got.Peer, _, _ = strings.Cut(got.Peer, ":")
	for _, key := range []string{"time", "session", "protocol", "anonymous", "seconds", "ascii"} {
		if fields[key] == nil {
			t.Errorf("no %s: %s", key, line)
		}
	}
	if (fields["error"] != nil) == got.Complete {
		t.Errorf("complete, or an error: %s", line)
	}
	protocol, _ = fields["protocol"].(string)
	return got, protocol
}
