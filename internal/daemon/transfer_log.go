package daemon

import (
	"log/slog"
	"sync/atomic"

	"ferry"
	"ferry/internal/config"
	"ferry/internal/event"
)

// transferLog is the transfer log where there is one, and nothing where none
// was asked for.
type transferLog struct {
	log *slog.Logger
	now atomic.Pointer[openTransfers] // nil: there is none
}

// openTransfers is one that is open.
type openTransfers struct {
	path, format string
	file         *event.TransferLog
	sink         ferry.Sink
}

func openTransferLog(conf *config.Config, log *slog.Logger) (*transferLog, error) {
	t := &transferLog{log: log}
	use, err := t.prepare(conf)
	if err != nil {
		return nil, err
	}
	use()
	return t, nil
}

// prepare opens what conf names, and gives what lets lines go there from then on. Where
// that is the same file, it is opened again: logrotate has moved it away.
func (t *transferLog) prepare(conf *config.Config) (use func(), err error) {
	old := t.now.Load()
	path, word := conf.Log.TransferLog, conf.Log.TransferFormat
	if old != nil && old.path == path && old.format == word {
		return func() { go t.reopen(old.file) }, nil // which waits for what is being written
	}
	if path == "" {
		return func() { t.replace(nil) }, nil
	}
	format, err := event.ParseFormat(word)
	if err != nil {
		return nil, err
	}
	file, err := event.OpenTransferLog(path, format, t.log)
	if err != nil {
		return nil, err
	}
	return func() { t.replace(&openTransfers{path, word, file, file.Sink()}) }, nil
}

func (t *transferLog) replace(by *openTransfers) {
	if old := t.now.Swap(by); old != nil {
		go t.close(old.file)
	}
}

func (t *transferLog) sink() ferry.Sink {
	return func(e ferry.Event) {
		if now := t.now.Load(); now != nil {
			now.sink(e)
		}
	}
}

func (t *transferLog) reopen(file *event.TransferLog) {
	if err := file.Reopen(); err != nil {
		t.log.Error("the transfer log could not be opened again; the old file stays in use", "error", err)
		return
	}
	t.log.Info("transfer log opened again")
}

// Close writes what waits.
func (t *transferLog) Close() {
	if now := t.now.Swap(nil); now != nil {
		t.close(now.file)
	}
}

func (t *transferLog) close(file *event.TransferLog) {
	if err := file.Close(); err != nil {
		t.log.Error("closing the transfer log failed", "error", err)
	}
}
