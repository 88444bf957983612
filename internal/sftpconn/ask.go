package sftpconn

import (
	"context"
	"fmt"

	"ferry/internal/sftpwire"
)

// Ask sends a request and waits for its answer.
func (c *Conn) Ask(ctx context.Context, r sftpwire.Request) (Reply, error) {
	k, err := c.Begin(ctx, r)
	if err != nil {
		return Reply{}, err
	}
	return k.Wait(ctx)
}

// Do is ask for a request that is answered with success or not.
func (c *Conn) Do(ctx context.Context, r sftpwire.Request) error {
	_, err := c.Ask(ctx, r)
	return err
}

func (c *Conn) AskAttrs(ctx context.Context, r sftpwire.Request) (sftpwire.Attrs, error) {
	answer, err := c.Ask(ctx, r)
	if err != nil {
		return sftpwire.Attrs{}, err
	}
	return answer.Reply.(*sftpwire.AttrsReply).Attrs, nil
}

// AskName is ask for what is answered with one name.
func (c *Conn) AskName(ctx context.Context, r sftpwire.Request) (string, error) {
	k, err := c.Begin(ctx, r)
	if err != nil {
		return "", err
	}
	return k.name(ctx)
}

// name is wait for what is answered with one name.
func (k *Call) name(ctx context.Context) (string, error) {
	answer, err := k.Wait(ctx)
	if err != nil {
		return "", err
	}
	names := answer.Reply.(*sftpwire.Names).Entries
	if len(names) != 1 {
		return "", k.conn.broke(fmt.Errorf("%d names where there is one", len(names)))
	}
	return names[0].Name, nil
}

// AskExtended reads the answer to an extended request into into.
func (c *Conn) AskExtended(ctx context.Context, r sftpwire.Request, into sftpwire.Reply) error {
	answer, err := c.Ask(ctx, r)
	if err != nil {
		return err
	}
	defer c.Recycle(answer.Packet)
	if err := answer.Reply.(*sftpwire.ExtendedReply).Parse(into); err != nil {
		return c.broke(err)
	}
	return nil
}

// broke ends the session because of an answer that the protocol does not allow.
func (c *Conn) broke(err error) error {
	err = fmt.Errorf("%w: %w", ErrProtocol, err)
	c.End(err)
	return err
}
