package link

import (
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/spiceecs/spiceecs/net/link/websocket"
	"github.com/spiceecs/spiceecs/net/wire"
)

// commonCaps is what the server offers on every channel: the client names its
// authentication, tickets, 6-byte headers.
var commonCaps = wire.NewCaps(wire.CapAuthSelection, wire.CapAuthSPICE, wire.CapMiniHeader)

// handshake is the link phase of one connection. The checks come in the order
// that clients rely on; each has its answer.
type handshake struct {
	server  *Server
	conn    net.Conn
	trusted bool
	open    bool // any ticket did when the phase began, so the key is shared
	hello   Hello
}

// run returns nil when link result 0 has been sent. Otherwise the client has
// got the answer it is due, if any, and the error says why.
func (h *handshake) run() error {
	if err := h.magic(); err != nil {
		return err
	}
	body, err := h.request()
	if err != nil {
		return err
	}
	q, err := parseRequest(body)
	if err != nil {
		return h.refuse(wire.LinkErrInvalidData, err)
	}
	h.hello.ConnectionID, h.hello.Type, h.hello.ID = q.connectionID, q.channel, q.id
	h.hello.Common, h.hello.Caps, h.hello.MiniHeader = q.common, q.caps, q.common.Has(wire.CapMiniHeader)
	caps, err := h.channel()
	if err != nil {
		return err
	}
	key, der, err := h.server.keys.take(h.open)
	if err != nil {
		return err
	}
	if err := h.write(reply(der, commonCaps, caps)); err != nil {
		return err
	}
	if err := h.authenticate(key); err != nil {
		return err
	}
	return h.admit()
}

// magic reads the first bytes, through a WebSocket upgrade if there is one.
func (h *handshake) magic() error {
	var magic [4]byte
	if err := h.read(magic[:]); err != nil {
		return err
	}
	if string(magic[:]) == wire.Magic {
		return nil
	}
	if string(magic[:]) != websocket.Prefix {
		return h.refuse(wire.LinkErrInvalidMagic, fmt.Errorf("magic %q", magic))
	}
	ws, err := websocket.Upgrade(h.conn)
	if err != nil {
		return h.refuse(wire.LinkErrInvalidMagic, err)
	}
	h.conn = ws
	if err := h.read(magic[:]); err != nil {
		return err
	}
	if string(magic[:]) != wire.Magic {
		return h.refuse(wire.LinkErrInvalidMagic, fmt.Errorf("magic %q inside a WebSocket", magic))
	}
	return nil
}

// request reads the rest of the link header, and the link message. The minor
// version does not matter.
func (h *handshake) request() ([]byte, error) {
	var head [headerSize - 4]byte
	if err := h.read(head[:]); err != nil {
		return nil, err
	}
	major, size := binary.LittleEndian.Uint32(head[0:]), binary.LittleEndian.Uint32(head[8:])
	switch {
	case major == 0:
		return nil, fmt.Errorf("protocol version 0: %w", wire.LinkErrVersionMismatch)
	case major != wire.VersionMajor:
		return nil, h.refuse(wire.LinkErrVersionMismatch, fmt.Errorf("protocol version %d", major))
	case size < requestSize || size > maxRequest:
		return nil, h.refuse(wire.LinkErrInvalidData, fmt.Errorf("link message of %d bytes", size))
	}
	body := make([]byte, size)
	return body, h.read(body)
}

// channel checks that the channel may be linked over this transport and
// exists. For one that does not exist there is no answer.
func (h *handshake) channel() (wire.Caps, error) {
	allowed := h.server.cfg.Policy.Security(h.hello.Type)
	if h.hello.Secure && allowed&TLS == 0 {
		return nil, h.refuse(wire.LinkErrNeedUnsecured, nil)
	}
	if !h.hello.Secure && allowed&Plain == 0 {
		return nil, h.refuse(wire.LinkErrNeedSecured, nil)
	}
	caps, ok := h.server.cfg.Policy.Channel(h.hello.Type, h.hello.ID)
	if !ok {
		return nil, fmt.Errorf("no channel %v %d: %w", h.hello.Type, h.hello.ID, wire.LinkErrChannelNotAvailable)
	}
	return caps, nil
}

// authenticate reads and checks the ticket. A client that can choose names the
// mechanism first; asking for any other is answered by a link reply, not by a
// link result.
func (h *handshake) authenticate(key *rsa.PrivateKey) error {
	if h.hello.Common.Has(wire.CapAuthSelection) {
		var b [4]byte
		if err := h.read(b[:]); err != nil {
			return err
		}
		if m := binary.LittleEndian.Uint32(b[:]); m != wire.CapAuthSPICE {
			return h.refuse(wire.LinkErrInvalidData, fmt.Errorf("authentication mechanism %d", m))
		}
	}
	var ticket [ticketSize]byte
	if err := h.read(ticket[:]); err != nil {
		return err
	}
	password, err := decryptPassword(key, ticket[:])
	if err != nil {
		return h.result(wire.LinkErrPermissionDenied, fmt.Errorf("decrypting the ticket: %w", err))
	}
	t := h.server.cfg.Policy.Ticket()
	if h.trusted {
		return nil
	}
	if h.open && !t.Open {
		return h.result(wire.LinkErrPermissionDenied, errors.New("a password was set meanwhile"))
	}
	if !t.accepts(password, h.server.cfg.Clock.Now()) {
		return h.result(wire.LinkErrPermissionDenied, nil)
	}
	return nil
}

// admit sends the link result.
func (h *handshake) admit() error {
	code := h.server.cfg.Policy.Admit(h.hello)
	if _, ok := h.server.cfg.Policy.Channel(h.hello.Type, h.hello.ID); code == wire.LinkOK && !ok {
		code = wire.LinkErrChannelNotAvailable
	}
	if code != wire.LinkOK {
		return h.result(code, nil)
	}
	return h.write(make([]byte, 4))
}

// refuse sends an error in the form of a link reply and returns it.
func (h *handshake) refuse(code wire.LinkError, why error) error {
	return h.answer(errorReply(code), code, why)
}

// result sends an error in the form of a link result and returns it.
func (h *handshake) result(code wire.LinkError, why error) error {
	return h.answer(binary.LittleEndian.AppendUint32(nil, uint32(code)), code, why)
}

func (h *handshake) answer(p []byte, code wire.LinkError, why error) error {
	_ = h.write(p) // whether the client still listens does not matter
	if why == nil {
		return code
	}
	return fmt.Errorf("%w: %w", code, why)
}

// bye lets an answer that refuses reach the client. Closing a socket with
// unread data would make the kernel throw the answer away.
func (h *handshake) bye() {
	type closeWriter interface{ CloseWrite() error }
	if c, ok := h.conn.(closeWriter); !ok || c.CloseWrite() != nil {
		return
	}
	var rest [maxRequest]byte
	_, _ = h.conn.Read(rest[:])
}

func (h *handshake) read(p []byte) error {
	if _, err := io.ReadFull(h.conn, p); err != nil {
		return fmt.Errorf("reading the link message: %w", err)
	}
	return nil
}

func (h *handshake) write(p []byte) error {
	if _, err := h.conn.Write(p); err != nil {
		return fmt.Errorf("writing the link reply: %w", err)
	}
	return nil
}
