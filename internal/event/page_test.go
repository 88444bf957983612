package event_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ferry"
	"ferry/internal/event"
)

// logLine is a line of the log that stands in the code: what docs/logs.md has a row for.
type logLine struct {
	level, message string
	keys           []string
	at             string // "FILE:LINE"
}

// logLines are all that the server's code writes by a slog.Logger.
func logLines(t *testing.T) (all []logLine) {
	t.Helper()
	files := token.NewFileSet()
	for _, root := range []string{"../../internal", "../../cmd"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && slices.Contains([]string{"interop", "fstest", "gatetest", "nettest", "sftptest", "opensshlog", "testdata"}, d.Name()) {
				return fs.SkipDir // tests, and the log of `ferry sftp-server`, which is OpenSSH's
			}
			if strings.HasSuffix(path, "cmd/ferry/sftp_server.go") || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			file, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if line, ok := logCall(call); ok {
						line.at = fmt.Sprint(files.Position(call.Pos()))
						all = append(all, line)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// logCall is the line that a call writes; false: it is no call of a logger.
func logCall(call *ast.CallExpr) (l logLine, ok bool) {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return l, false
	}
	args := call.Args
	switch l.level = strings.ToLower(method.Sel.Name); method.Sel.Name {
	case "Debug", "Info", "Warn", "Error":
	case "Log":
		if len(args) < 3 {
			return l, false
		}
		l.level, args = "any", args[2:]
	default:
		return l, false
	}
	if len(args) == 0 {
		return l, false
	}
	if l.message, ok = literal(args[0]); !ok {
		l.message = "?"
		return l, isLogger(method.X)
	}
	if l.message == "" || regexp.MustCompile(`^[a-z]+\.[a-z_]+$`).MatchString(l.message) {
		return l, false // of a file, or a warning about a key of the configuration
	}
	pairs := args[1:]
	if call.Ellipsis.IsValid() { // append([]any{...}, more...)
		pairs = nil
		ast.Inspect(args[1], func(n ast.Node) bool {
			if list, ok := n.(*ast.CompositeLit); ok {
				pairs = list.Elts
			}
			return true
		})
	}
	for i := 0; i < len(pairs); i += 2 {
		key, ok := literal(pairs[i])
		if !ok {
			key = "?"
		}
		l.keys = append(l.keys, key)
	}
	return l, true
}

// isLogger tells whether an expression is named as loggers are here.
func isLogger(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "log"
	case *ast.SelectorExpr:
		return e.Sel.Name == "log" || e.Sel.Name == "Log"
	case *ast.CallExpr:
		return isLogger(e.Fun)
	}
	return false
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

// TestLogKeys: a key is one word in lower case, and what failed is "error" wherever it
// stands; a message is the same text each time, and what changes is a value.
func TestLogKeys(t *testing.T) {
	for _, l := range logLines(t) {
		if l.message == "?" {
			t.Errorf("%s: the message is no constant text: what changes belongs into a key", l.at)
		}
		for _, key := range l.keys {
			if !regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`).MatchString(key) {
				t.Errorf("%s: %q: the key %q is no word in lower case", l.at, l.message, key)
			}
			if slices.Contains([]string{"err", "cause", "failure"}, key) {
				t.Errorf("%s: %q: the key %q: what failed is \"error\"", l.at, l.message, key)
			}
		}
	}
}

// logPage are the rows of the tables of docs/logs.md: the first cells of each.
func logPage(t *testing.T) (rows [][]string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/logs.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| level |") {
			continue
		}
		for i := range cells {
			cells[i] = strings.Trim(cells[i], " `")
		}
		rows = append(rows, cells[1:])
	}
	return rows
}

// TestLogPage: docs/logs.md has every line that the code writes at info and above, with
// its level and its keys, and no other.
func TestLogPage(t *testing.T) {
	said := map[string]bool{}
	for _, cells := range logPage(t) {
		said[strings.Join(cells[:3], " | ")] = true
	}
	written := map[string]string{}
	for _, l := range logLines(t) {
		if l.level != "debug" {
			written[strings.Join([]string{l.level, l.message, strings.Join(l.keys, " ")}, " | ")] = l.at
		}
	}
	for kind := ferry.EventKind(0); kind.String() != "unknown"; kind++ {
		level, keys := eventLine(kind)
		written[strings.Join([]string{level, kind.String(), strings.Join(keys, " ")}, " | ")] = "event.go"
	}
	for line, at := range written {
		if !said[line] {
			t.Errorf("%s writes a line that docs/logs.md does not have: %s", at, line)
		}
	}
	for line := range said {
		if written[line] == "" {
			t.Errorf("docs/logs.md has a line that nobody writes: %s", line)
		}
	}
}

// eventLine is how an event of a kind is logged: its level, and its keys behind those
// that every event has.
func eventLine(kind ferry.EventKind) (level string, keys []string) {
	e := ferry.Event{Kind: kind, Session: "s", Protocol: "ftp", Peer: netip.MustParseAddrPort("192.0.2.7:1"), User: "u", Anon: true}
	switch kind {
	case ferry.EventUpload, ferry.EventDownload:
		e.Name, e.Bytes, e.Duration, e.ASCII, e.Err = "/a", 1, time.Second, true, ferry.ErrAborted
	case ferry.EventDisconnect:
		e.Bytes, e.Duration, e.Err = 1, time.Second, ferry.ErrShutdown
	case ferry.EventLogin:
		e.By = "password"
	case ferry.EventLoginFailed, ferry.EventLoginRefused:
		e.By, e.Err = "password", ferry.ErrLogin
	case ferry.EventRefused:
		e.Err = ferry.ErrServerFull
	case ferry.EventBan:
		e.Duration, e.Err = time.Second, ferry.ErrLogin
	case ferry.EventDenied:
		e.Op, e.Name, e.To, e.Err = "rename", "/a", "/b", fs.ErrPermission
	case ferry.EventRename, ferry.EventSymlink, ferry.EventLink:
		e.Name, e.To = "/a", "/b"
	case ferry.EventRemove, ferry.EventMkdir, ferry.EventRmdir, ferry.EventSetAttr:
		e.Name = "/a"
	case ferry.EventMore:
		e.Of, e.More = ferry.EventDenied, 2
	case ferry.EventPanic:
		e.Err = &ferry.PanicError{Value: "x", Stack: []byte("y")}
	}
	var line bytes.Buffer
	event.Log(slog.New(slog.NewJSONHandler(&line, nil)))(e)
	var given map[string]any
	_ = json.Unmarshal(line.Bytes(), &given)
	level = strings.ToLower(fmt.Sprint(given["level"]))
	order := json.NewDecoder(&line)
	for _, _ = order.Token(); order.More(); {
		key, _ := order.Token()
		_, _ = order.Token()
		if !slices.Contains([]string{"time", "level", "msg", "session", "protocol", "peer", "user", "anonymous"}, key.(string)) {
			keys = append(keys, key.(string))
		}
	}
	return level, keys
}
