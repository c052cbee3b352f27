package client

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/spiceecs/spiceecs/net/wire"
)

// Sizes of the link phase, in bytes.
const (
	linkHeaderSize  = 16
	linkMessageSize = 18
	linkReplySize   = 178
	publicKeySize   = 162
	ticketSize      = 128
	maxLinkReply    = 4096
	maxPassword     = 60
)

// authTicket is the mechanism number of password authentication.
const authTicket = 1

// Errors of the link phase besides wire.LinkError.
var (
	ErrNotSPICE  = errors.New("not a SPICE server")
	ErrVersion   = errors.New("unknown version of the SPICE protocol")
	ErrLinkReply = errors.New("malformed link reply")
	ErrPassword  = errors.New("password longer than 60 bytes")
	ErrNeedSASL  = errors.New("server asks for SASL authentication, which the client lacks")
)

// linkRequest is what a client says about a channel it wants to open.
type linkRequest struct {
	session  uint32 // 0 for a new session
	typ      wire.ChannelType
	id       uint8
	caps     wire.Caps // of the channel
	full     bool      // do without mini headers
	password string
}

// linked is what the two sides agreed on.
type linked struct {
	mini bool
	caps wire.Caps // the server's, of the channel
}

// do performs the link phase: request, reply with the server's key and
// capabilities, ticket encrypted with that key, result.
func (l *linkRequest) do(c net.Conn) (linked, error) {
	if len(l.password) > maxPassword {
		return linked{}, ErrPassword
	}
	common := wire.NewCaps(wire.CapAuthSelection, wire.CapAuthSPICE)
	if !l.full {
		common = wire.NewCaps(wire.CapAuthSelection, wire.CapAuthSPICE, wire.CapMiniHeader)
	}
	if _, err := c.Write(l.request(common)); err != nil {
		return linked{}, fmt.Errorf("sending the link request: %w", err)
	}
	key, serverCommon, caps, err := readLinkReply(c)
	if err != nil {
		return linked{}, err
	}
	if err := l.authenticate(c, key, serverCommon); err != nil {
		return linked{}, err
	}
	return linked{mini: !l.full && serverCommon.Has(wire.CapMiniHeader), caps: caps}, nil
}

func (l *linkRequest) request(common wire.Caps) []byte {
	le := binary.LittleEndian
	b := append(make([]byte, 0, 64), wire.Magic...)
	b = le.AppendUint32(b, wire.VersionMajor)
	b = le.AppendUint32(b, wire.VersionMinor)
	b = le.AppendUint32(b, uint32(linkMessageSize+4*(len(common)+len(l.caps))))
	b = le.AppendUint32(b, l.session)
	b = append(b, byte(l.typ), l.id)
	b = le.AppendUint32(b, uint32(len(common)))
	b = le.AppendUint32(b, uint32(len(l.caps)))
	b = le.AppendUint32(b, linkMessageSize)
	for _, caps := range []wire.Caps{common, l.caps} {
		for _, w := range caps {
			b = le.AppendUint32(b, w)
		}
	}
	return b
}

// readLinkReply returns the server's key in DER and its capabilities.
func readLinkReply(c io.Reader) (key []byte, common, caps wire.Caps, err error) {
	var head [linkHeaderSize]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return nil, nil, nil, fmt.Errorf("reading the link reply: %w", err)
	}
	if string(head[:4]) != wire.Magic {
		return nil, nil, nil, ErrNotSPICE
	}
	if major := binary.LittleEndian.Uint32(head[4:]); major != wire.VersionMajor {
		return nil, nil, nil, fmt.Errorf("%w: %d", ErrVersion, major)
	}
	size := binary.LittleEndian.Uint32(head[12:])
	if size < linkReplySize || size > maxLinkReply {
		return nil, nil, nil, fmt.Errorf("%w: %d bytes", ErrLinkReply, size)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(c, body); err != nil {
		return nil, nil, nil, fmt.Errorf("reading the link reply: %w", err)
	}
	r := wire.NewReader(body)
	if code := wire.LinkError(r.U32()); code != wire.LinkOK {
		return nil, nil, nil, code
	}
	key = r.Bytes(publicKeySize)
	nCommon, nCaps := r.U32(), r.U32()
	at := r.At(r.U32())
	common, caps = readCaps(&at, nCommon), readCaps(&at, nCaps)
	if nCommon+nCaps > 0 && at.Err() != nil {
		return nil, nil, nil, fmt.Errorf("%w: capabilities lie outside", ErrLinkReply)
	}
	return key, common, caps, nil
}

func readCaps(r *wire.Reader, n uint32) wire.Caps {
	var caps wire.Caps
	for ; n > 0 && r.Err() == nil; n-- {
		caps = append(caps, r.U32())
	}
	return caps
}

// authenticate sends the ticket and reads the result of the link phase.
func (l *linkRequest) authenticate(c net.Conn, der []byte, common wire.Caps) error {
	if common.Has(wire.CapAuthSASL) && !common.Has(wire.CapAuthSPICE) {
		return ErrNeedSASL
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return fmt.Errorf("%w: the server's key: %w", ErrLinkReply, err)
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok || key.Size() != ticketSize {
		return fmt.Errorf("%w: the server's key is not RSA-1024", ErrLinkReply)
	}
	ticket, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, key, append([]byte(l.password), 0), nil)
	if err != nil {
		return fmt.Errorf("encrypting the ticket: %w", err)
	}
	var out []byte
	if common.Has(wire.CapAuthSelection) {
		out = binary.LittleEndian.AppendUint32(out, authTicket)
	}
	if _, err := c.Write(append(out, ticket...)); err != nil {
		return fmt.Errorf("sending the ticket: %w", err)
	}
	var result [4]byte
	if _, err := io.ReadFull(c, result[:]); err != nil {
		return fmt.Errorf("reading the link result: %w", err)
	}
	if code := wire.LinkError(binary.LittleEndian.Uint32(result[:])); code != wire.LinkOK {
		return code
	}
	return nil
}
