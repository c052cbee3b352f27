//go:build !(linux && (amd64 || arm64) && !purejpeg)

package jpeg

import "github.com/spiceecs/spiceecs/net/codec/internal/lines"

// Without a way to load libjpeg-turbo there are no encoders and decoders of it.

type turboEncoder struct{}

func newTurboEncoder() *turboEncoder { return nil }

func (*turboEncoder) encode(dst []byte, _ Image, _ [][]byte, _ *lines.Source, _, _, _ int) ([]byte, error) {
	return dst, ErrImage
}

type turboDecoder struct{}

func newTurboDecoder() *turboDecoder { return nil }

func (*turboDecoder) decode([]byte, Image, []byte) error { return ErrCorrupt }
