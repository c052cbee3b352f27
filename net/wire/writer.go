package wire

import (
	"encoding/binary"

	"github.com/spiceecs/spiceecs/regions"
)

// inlineLimit is the size up to which Ref copies instead of referencing: below
// it an iovec entry costs the kernel more than the copy costs us.
const inlineLimit = 192

// Writer marshals messages into a batch. The zero value writes mini headers.
// A batch is built by Begin…End pairs, handed out by Buffers, and forgotten by
// Reset, which keeps the storage. Not for concurrent use.
type Writer struct {
	Full   bool   // 18-byte headers instead of 6-byte ones
	Serial uint64 // of the last message begun, for full headers

	buf  []byte   // headers, fixed fields and small data of all messages
	segs []segRef // wire order; what buf holds behind the last one is not in it yet
	done int      // bytes of buf that segs covers
	size int      // bytes of the whole batch but buf[done:]

	count  int // messages in the batch
	header int // where the open message's header starts in buf
	origin int // batch offset of the open message's first body byte
}

// segRef is a piece of the batch: buf[from:to], or ext.
type segRef struct {
	from, to int
	ext      []byte
}

// Slot is a place in the batch whose value is known later.
type Slot int

// Begin opens a message of the given type.
func (w *Writer) Begin(msg uint16) {
	w.Serial++
	w.count++
	w.header = len(w.buf)
	if w.Full {
		w.U64(w.Serial)
	}
	w.U16(msg)
	w.U32(0)
	if w.Full {
		w.U32(0)
	}
	w.origin = w.Len()
}

// End closes the message and returns its size with header.
func (w *Writer) End() int {
	body := w.Len() - w.origin
	if w.Full {
		binary.LittleEndian.PutUint32(w.buf[w.header+10:], uint32(body))
		return body + FullHeaderSize
	}
	binary.LittleEndian.PutUint32(w.buf[w.header+2:], uint32(body))
	return body + MiniHeaderSize
}

// Len is the size of the batch so far, in bytes on the wire.
func (w *Writer) Len() int { return w.size + len(w.buf) - w.done }

// Empty reports whether the batch holds no message.
func (w *Writer) Empty() bool { return w.Len() == 0 }

// Reset forgets the batch and keeps its storage. Serial goes on.
func (w *Writer) Reset() {
	clear(w.segs)
	w.buf, w.segs, w.done, w.size, w.count = w.buf[:0], w.segs[:0], 0, 0, 0
}

// Count is the number of messages in the batch.
func (w *Writer) Count() int { return w.count }

// Copied is the number of bytes that the batch itself holds.
func (w *Writer) Copied() int { return len(w.buf) }

// Buffers appends the batch's pieces to dst in wire order. They are valid until Reset.
func (w *Writer) Buffers(dst [][]byte) [][]byte {
	w.seal()
	for _, s := range w.segs {
		if s.ext != nil {
			dst = append(dst, s.ext)
		} else {
			dst = append(dst, w.buf[s.from:s.to])
		}
	}
	return dst
}

// seal puts what buf holds behind the last segment into one of its own.
func (w *Writer) seal() {
	if w.done == len(w.buf) {
		return
	}
	w.segs = append(w.segs, segRef{from: w.done, to: len(w.buf)})
	w.size += len(w.buf) - w.done
	w.done = len(w.buf)
}

// U8 appends a byte.
func (w *Writer) U8(v uint8) { w.buf = append(w.buf, v) }

// U16 appends a 16-bit integer.
func (w *Writer) U16(v uint16) { w.buf = binary.LittleEndian.AppendUint16(w.buf, v) }

// U32 appends a 32-bit integer.
func (w *Writer) U32(v uint32) { w.buf = binary.LittleEndian.AppendUint32(w.buf, v) }

// I32 appends a signed 32-bit integer.
func (w *Writer) I32(v int32) { w.U32(uint32(v)) }

// U64 appends a 64-bit integer.
func (w *Writer) U64(v uint64) { w.buf = binary.LittleEndian.AppendUint64(w.buf, v) }

// Point appends x and y.
func (w *Writer) Point(p regions.Point) { w.I32(p.X); w.I32(p.Y) }

// Point16 appends x and y as 16-bit integers.
func (w *Writer) Point16(x, y int16) { w.U16(uint16(x)); w.U16(uint16(y)) }

// Rect appends top, left, bottom, right.
func (w *Writer) Rect(r regions.Rect) {
	w.I32(r.Top)
	w.I32(r.Left)
	w.I32(r.Bottom)
	w.I32(r.Right)
}

// Bytes copies p into the batch.
func (w *Writer) Bytes(p []byte) { w.buf = append(w.buf, p...) }

// Zeros appends n zero bytes.
func (w *Writer) Zeros(n int) { w.buf = append(w.buf, make([]byte, n)...) }

// Ref puts p into the batch without copying it. p must stay as it is until the
// batch has been sent.
func (w *Writer) Ref(p []byte) {
	if len(p) <= inlineLimit {
		w.Bytes(p)
		return
	}
	w.seal()
	w.segs = append(w.segs, segRef{ext: p})
	w.size += len(p)
}

// Slot reserves a 32-bit field, zero until it is set.
func (w *Writer) Slot() Slot {
	w.U32(0)
	return Slot(len(w.buf) - 4)
}

// Set stores v in a reserved field.
func (w *Writer) Set(s Slot, v uint32) { binary.LittleEndian.PutUint32(w.buf[s:], v) }

// Here makes a reserved pointer field point at what is written next.
func (w *Writer) Here(s Slot) { w.Set(s, uint32(w.Len()-w.origin)) }
