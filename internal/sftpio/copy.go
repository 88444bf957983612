package sftpio

import (
	"context"
	"errors"
	"io"
	"math"
)

// Copy copies n bytes between two files, fewer where the source ends
// before, and returns how many. n < 0 means all there is.
func (b *Buffers) Copy(ctx context.Context, dst io.WriterAt, to int64, src io.ReaderAt, from, n int64) (int64, error) {
	if n < 0 {
		n = math.MaxInt64
	}
	room := b.Get(Gathered)
	defer b.Put(room)
	var done int64
	for done < n {
		if ctx.Err() != nil {
			return done, context.Cause(ctx)
		}
		got, err := src.ReadAt(room.B[:min(int64(len(room.B)), n-done)], from+done)
		if got > 0 {
			wrote, err := dst.WriteAt(room.B[:got], to+done)
			done += int64(wrote)
			if err != nil {
				return done, err
			}
		}
		if errors.Is(err, io.EOF) {
			return done, nil
		}
		if err != nil {
			return done, err
		}
	}
	return done, nil
}
