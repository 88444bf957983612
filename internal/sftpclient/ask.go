package sftpclient

import (
	"context"
	"fmt"

	"ferry/internal/sftpwire"
)

// ask sends a request and waits for its answer.
func (f *FS) ask(ctx context.Context, r sftpwire.Request) (reply, error) {
	k, err := f.conn.begin(ctx, r)
	if err != nil {
		return reply{}, err
	}
	return k.wait(ctx)
}

// do is ask for a request that is answered with success or not.
func (f *FS) do(ctx context.Context, r sftpwire.Request) error {
	_, err := f.ask(ctx, r)
	return err
}

func (f *FS) askAttrs(ctx context.Context, r sftpwire.Request) (sftpwire.Attrs, error) {
	answer, err := f.ask(ctx, r)
	if err != nil {
		return sftpwire.Attrs{}, err
	}
	return answer.Reply.(*sftpwire.AttrsReply).Attrs, nil
}

// askName is ask for what is answered with one name.
func (f *FS) askName(ctx context.Context, r sftpwire.Request) (string, error) {
	k, err := f.conn.begin(ctx, r)
	if err != nil {
		return "", err
	}
	return k.name(ctx)
}

// name is wait for what is answered with one name.
func (k *call) name(ctx context.Context) (string, error) {
	answer, err := k.wait(ctx)
	if err != nil {
		return "", err
	}
	names := answer.Reply.(*sftpwire.Names).Entries
	if len(names) != 1 {
		return "", k.conn.broke(fmt.Errorf("%d names where there is one", len(names)))
	}
	return names[0].Name, nil
}

// askExtended reads the answer to an extended request into into.
func (f *FS) askExtended(ctx context.Context, r sftpwire.Request, into sftpwire.Reply) error {
	answer, err := f.ask(ctx, r)
	if err != nil {
		return err
	}
	defer f.conn.recycle(answer.packet)
	if err := answer.Reply.(*sftpwire.ExtendedReply).Parse(into); err != nil {
		return f.conn.broke(err)
	}
	return nil
}

// broke ends the session because of an answer that the protocol does not allow.
func (c *conn) broke(err error) error {
	err = fmt.Errorf("%w: %w", ErrProtocol, err)
	c.end(err)
	return err
}
