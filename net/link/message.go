package link

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/spiceecs/spiceecs/net/wire"
)

// Sizes of the link phase, in bytes. A reply's body is replySize bytes plus
// capability words.
const (
	headerSize  = 16
	requestSize = 18
	replySize   = 178
	keySize     = 162 // a DER SubjectPublicKeyInfo with a 1024-bit RSA key

	maxRequest  = 4096
	maxCapWords = 1024
)

// errRequest reports a link message whose fields do not fit each other.
var errRequest = errors.New("malformed link message")

// request is the client's link message.
type request struct {
	connectionID uint32
	channel      wire.ChannelType
	id           uint8
	common, caps wire.Caps
}

// parseRequest decodes the body of a link message: connection_id u32, type u8,
// id u8, number of common and of channel capability words u32 each, their
// offset u32 from the start of the body.
func parseRequest(body []byte) (request, error) {
	r := wire.NewReader(body)
	q := request{connectionID: r.U32(), channel: wire.ChannelType(r.U8()), id: r.U8()}
	common, caps, offset := r.U32(), r.U32(), r.U32()
	if r.Err() != nil {
		return q, fmt.Errorf("%w: %w", errRequest, r.Err())
	}
	if common > maxCapWords || caps > maxCapWords {
		return q, fmt.Errorf("%w: %d common and %d channel capability words", errRequest, common, caps)
	}
	if common+caps == 0 {
		return q, nil
	}
	end := uint64(offset) + 4*uint64(common+caps)
	if offset < requestSize || end > uint64(len(body)) {
		return q, fmt.Errorf("%w: capabilities at %d to %d of %d bytes", errRequest, offset, end, len(body))
	}
	at := r.At(offset)
	q.common, q.caps = readCaps(&at, common), readCaps(&at, caps)
	return q, at.Err()
}

func readCaps(r *wire.Reader, n uint32) wire.Caps {
	c := make(wire.Caps, n)
	for i := range c {
		c[i] = r.U32()
	}
	return c
}

// appendHeader appends a link header that announces size bytes.
func appendHeader(dst []byte, size int) []byte {
	dst = append(dst, wire.Magic...)
	dst = binary.LittleEndian.AppendUint32(dst, wire.VersionMajor)
	dst = binary.LittleEndian.AppendUint32(dst, wire.VersionMinor)
	return binary.LittleEndian.AppendUint32(dst, uint32(size))
}

// reply is the answer to an acceptable link message: error 0, the public key,
// and the server's capabilities.
func reply(key []byte, common, caps wire.Caps) []byte {
	words := len(common) + len(caps)
	b := appendHeader(make([]byte, 0, headerSize+replySize+4*words), replySize+4*words)
	b = binary.LittleEndian.AppendUint32(b, uint32(wire.LinkOK))
	b = append(b, key...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(common)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(caps)))
	b = binary.LittleEndian.AppendUint32(b, replySize)
	for _, w := range append(common[:len(common):len(common)], caps...) {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}

// errorReply is the answer that refuses a link message. All fields but the
// code are zero, the capabilities' offset included.
func errorReply(code wire.LinkError) []byte {
	b := appendHeader(make([]byte, 0, headerSize+replySize), replySize)
	b = binary.LittleEndian.AppendUint32(b, uint32(code))
	return append(b, make([]byte, replySize-4)...)
}
