package sftpclient

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"slices"
	"testing"

	"ferry"
	"ferry/internal/sftpconn"
	"ferry/internal/sftpwire"
)

func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i + i>>8)
	}
	return p
}

// opened opens /a, which stands there with size bytes.
func opened(t *testing.T, f *FS, p *peer, m ferry.Mode, size uint64) ferry.Handle {
	t.Helper()
	got := make(chan ferry.Handle)
	go func() {
		h, err := f.Open(context.Background(), "/a", ferry.OpenOptions{Mode: m})
		if err != nil {
			t.Error(err)
		}
		got <- h
	}()
	p.answer(p.next(), &sftpwire.AttrsReply{Attrs: file(size)})
	p.answer(p.next(), &sftpwire.Handle{Handle: "h"})
	return <-got
}

// TestDownloadAsksAhead: as many READs as it may are on the way before the
// first is answered, of 32 KiB where the server names no limits, and no more
// than the file has. Answers in any order, and short ones, make the file.
func TestDownloadAsksAhead(t *testing.T) {
	const ahead = 64
	f, p := begin(t, hello(), Options{})
	whole := pattern(ahead * defaultData)
	h := opened(t, f, p, ferry.Read, uint64(len(whole)))
	here, there := net.Pipe()
	got := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(there)
		got <- all
	}()
	go func() {
		if n, err := h.SendTo(context.Background(), ferry.NewDataConn(here), 0, -1); n != int64(len(whole)) || err != nil {
			t.Errorf("SendTo: %d, %v; want %d", n, err, len(whole))
		}
		_ = here.Close()
	}()
	asked := make([]request, ahead)
	for i := range asked {
		asked[i] = p.next()
		if r := asked[i].Request.(*sftpwire.Read); r.Length != defaultData || r.Offset != uint64(i*defaultData) {
			t.Errorf("READ %d is for %d bytes at %d", i, r.Length, r.Offset)
		}
	}
	give := func(r request, most int) {
		read := r.Request.(*sftpwire.Read)
		if read.Offset >= uint64(len(whole)) {
			p.answer(r, status(sftpwire.EOF))
			return
		}
		data := whole[read.Offset:]
		p.answer(r, &sftpwire.Data{Data: data[:min(len(data), int(read.Length), most)]})
	}
	for i := ahead - 1; i >= 0; i-- {
		give(asked[i], 20_000)
	}
	go p.serve(func(r request) sftpwire.Reply { // the rest of each, and what lies behind
		read := r.Request.(*sftpwire.Read)
		if read.Offset >= uint64(len(whole)) {
			return status(sftpwire.EOF)
		}
		data := whole[read.Offset:]
		return &sftpwire.Data{Data: data[:min(len(data), int(read.Length))]}
	})
	if !bytes.Equal(<-got, whole) {
		t.Error("what arrived is not the file")
	}
}

// TestUploadDoesNotWait: as many WRITEs as it may are on the way before the
// first is answered, and one more with each answer.
func TestUploadDoesNotWait(t *testing.T) {
	const ahead = 8
	f, p := begin(t, hello(), Options{Outstanding: ahead})
	h := opened(t, f, p, ferry.Update, 0)
	here, there := net.Pipe()
	whole := pattern(20 * defaultData)
	go func() {
		_, _ = there.Write(whole)
		_ = there.Close()
	}()
	type end struct {
		n   int64
		err error
	}
	ended := make(chan end)
	go func() {
		n, err := h.ReceiveFrom(context.Background(), ferry.NewDataConn(here), 0, -1)
		ended <- end{n, err}
	}()
	wrote := make([]byte, len(whole))
	take := func(r request) {
		w := r.Request.(*sftpwire.Write)
		copy(wrote[w.Offset:], w.Data)
	}
	var asked []request
	for range ahead {
		asked = append(asked, p.next())
	}
	for range 20 - ahead {
		take(asked[0])
		p.answer(asked[0], status(sftpwire.OK))
		asked = append(asked[1:], p.next())
	}
	for _, r := range asked {
		take(r)
		p.answer(r, status(sftpwire.OK))
	}
	if e := <-ended; e.n != int64(len(whole)) || e.err != nil || !bytes.Equal(wrote, whole) {
		t.Errorf("ReceiveFrom: %d, %v, or not what was sent", e.n, e.err)
	}
}

// TestFailedWriteCountsWhatIsBeforeIt: what the server took behind a gap does
// not count, and is cut off before the part is kept: nobody shall go on there.
func TestFailedWriteCountsWhatIsBeforeIt(t *testing.T) {
	const failing = 2 * defaultData
	f, p := begin(t, hello(), Options{})
	var cut []uint64
	go p.serve(func(r request) sftpwire.Reply {
		switch r := r.Request.(type) {
		case *sftpwire.Lstat:
			return status(sftpwire.NoSuchFile)
		case *sftpwire.Open:
			return &sftpwire.Handle{Handle: "h"}
		case *sftpwire.Write:
			if r.Offset == failing {
				return &sftpwire.Status{Code: sftpwire.Failure, Text: "Failure: " + ferry.ErrNoSpace.Error()}
			}
		case *sftpwire.Fsetstat:
			cut = append(cut, r.Attrs.Size)
		}
		return status(sftpwire.OK)
	})
	h, err := f.Open(t.Context(), "/a", ferry.OpenOptions{Mode: ferry.Replace})
	if err != nil {
		t.Fatal(err)
	}
	n, err := h.WriteAt(pattern(5*defaultData), 0)
	if n != failing || !errors.Is(err, ferry.ErrNoSpace) {
		t.Errorf("WriteAt: %d, %v; want %d, %v", n, err, failing, ferry.ErrNoSpace)
	}
	if err := h.Abort(err); err != nil {
		t.Error(err)
	}
	if len(cut) != 1 || cut[0] != failing {
		t.Errorf("the part was cut at %v, want %d", cut, failing)
	}
}

// TestLimitsOfTheServer say how large READs and WRITEs are.
func TestLimitsOfTheServer(t *testing.T) {
	for _, row := range []struct {
		said        sftpwire.Reply
		read, write int
	}{
		{&sftpwire.LimitsReply{Packet: 100_000, Read: 50_000, Write: 60_000}, 50_000, 60_000},
		{&sftpwire.LimitsReply{}, sftpwire.MaxData, sftpwire.MaxData},
		{&sftpwire.LimitsReply{Read: 1 << 40, Write: 1 << 50}, sftpwire.MaxData, sftpwire.MaxData},
		{status(sftpwire.OpUnsupported), defaultData, defaultData},
		{&sftpwire.LimitsReply{Read: 1, Write: 1}, 0, 0}, // nonsense
		{&sftpwire.ExtendedReply{Data: []byte("short")}, 0, 0},
	} {
		here, there := net.Pipe()
		p := newPeer(t, there)
		go func() {
			p.greet(hello("limits@openssh.com"))
			p.serve(func(request) sftpwire.Reply { return row.said })
		}()
		f, err := New(t.Context(), here, Options{})
		if row.read == 0 {
			if !errors.Is(err, sftpconn.ErrProtocol) {
				t.Errorf("%+v: %v, want %v", row.said, err, sftpconn.ErrProtocol)
			}
			continue
		}
		if err != nil {
			t.Errorf("%+v: %v", row.said, err)
			continue
		}
		if f.readSize != row.read || f.writeSize != row.write {
			t.Errorf("%+v: READs of %d and WRITEs of %d, want %d and %d", row.said, f.readSize, f.writeSize, row.read, row.write)
		}
		_ = f.Close()
	}
}

// TestOneTransferTakesBoundedMemory, however large a server's READs are.
func TestOneTransferTakesBoundedMemory(t *testing.T) {
	f := &FS{opts: withDefaults(Options{})}
	for size, want := range map[int]int{defaultData: 64, sftpwire.MaxData: 32, leastData: 64} {
		if got := f.sizes(size).Window; got != want || got*size > transferBytes {
			t.Errorf("%d requests of %d bytes, want %d", got, size, want)
		}
	}
}

// TestThreat37NamesOfAHostileListing: what a server lists never leads out of
// the directory that was asked for.
func TestThreat37NamesOfAHostileListing(t *testing.T) {
	f, p := begin(t, hello(), Options{})
	var names sftpwire.Names
	for _, name := range []string{
		".", "..", "", "/", "/etc/passwd", "../../.ssh/authorized_keys", "a/b", "b/", "nul\x00", "./x",
		"fine", `back\slash`, "...", "with\nline", ".ferry-part-0123456789abcdef0123456789abcdef",
		".ferry-remote-0123456789ab0123456789abcdef0123",
	} {
		names.Entries = append(names.Entries, sftpwire.Entry{Name: name, Long: name, Attrs: file(1)})
	}
	listed := false
	go p.serve(func(r request) sftpwire.Reply {
		switch r.Request.(type) {
		case *sftpwire.Opendir:
			return &sftpwire.Handle{Handle: "d"}
		case *sftpwire.Readdir:
			if !listed {
				listed = true
				return &names
			}
			return status(sftpwire.EOF)
		}
		return status(sftpwire.OK)
	})
	var got []string
	for i, err := range f.List(t.Context(), "/dir", ferry.Full) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, i.Name)
	}
	if want := []string{"fine", `back\slash`, "...", "with\nline"}; !slices.Equal(got, want) {
		t.Errorf("List gave %q, want %q", got, want)
	}
}

// TestListAsksForWhatTheServerLeftOut: types without attributes, and where
// links point; what vanishes meanwhile is left out.
func TestListAsksForWhatTheServerLeftOut(t *testing.T) {
	f, p := begin(t, hello(), Options{Outstanding: 2})
	link := sftpwire.Attrs{Flags: sftpwire.AttrMode | sftpwire.AttrSize | sftpwire.AttrTimes, Mode: 0o120777}
	batches := []sftpwire.Names{
		{Entries: []sftpwire.Entry{{Name: "bare"}, {Name: "gone"}, {Name: "link", Attrs: link}}},
		{Entries: []sftpwire.Entry{{Name: "whole", Attrs: file(7)}}},
	}
	go p.serve(func(r request) sftpwire.Reply {
		switch r := r.Request.(type) {
		case *sftpwire.Opendir:
			return &sftpwire.Handle{Handle: "d"}
		case *sftpwire.Readdir:
			if len(batches) == 0 {
				return status(sftpwire.EOF)
			}
			batch := batches[0]
			batches = batches[1:]
			return &batch
		case *sftpwire.Lstat:
			if r.Name == "/dir/bare" {
				return &sftpwire.AttrsReply{Attrs: file(3)}
			}
			return status(sftpwire.NoSuchFile)
		case *sftpwire.Readlink:
			return &sftpwire.Names{Entries: []sftpwire.Entry{{Name: "whole"}}}
		}
		return status(sftpwire.OK)
	})
	got := map[string]ferry.Info{}
	for i, err := range f.List(t.Context(), "/dir", ferry.Full) {
		if err != nil {
			t.Fatal(err)
		}
		got[i.Name] = i
	}
	if len(got) != 3 || got["bare"].Size != 3 || got["link"].Target != "whole" || got["link"].Mode.Type() != fs.ModeSymlink || got["whole"].Size != 7 {
		t.Errorf("List gave %+v", got)
	}
}
