package glz

// The stream of an image can be sent to several receivers, although each has a
// window of its own: a reference says how many images back it goes, so it means
// the same wherever the images there are the same. The caller says which are, by
// numbers for what they contain.

// Unlike is the number of contents that are like no others.
const Unlike = 0

// Back is how many images back the furthest reference of the part goes that was
// encoded last.
func (e *Encoder) Back() int { return e.back }

// Before appends the contents of the n images before the slot's to dst, newest
// first. It must not be called after Release.
func (s *Slot) Before(dst []uint64, n int) []uint64 {
	for id := s.rec.id; n > 0 && id > s.head; n-- {
		id--
		dst = append(dst, s.record(id).content)
	}
	return dst
}

// Follows reports whether the images before the slot's have these contents,
// newest first, and may all be referred to. A stream that refers to no others is
// good for the slot too. It must not be called after Release.
func (s *Slot) Follows(before []uint64) bool {
	if uint64(len(before)) > s.rec.id-s.head {
		return false
	}
	id := s.rec.id
	for _, content := range before {
		id--
		if rec := s.record(id); content == Unlike || rec.content != content || !s.arrives(rec) {
			return false
		}
	}
	return true
}

// Adopt appends the stream of another slot's, of an image with the same contents,
// to dst as the slot's own. The slot must follow what the stream refers to, and
// is still to be released.
func (s *Slot) Adopt(dst, stream []byte) []byte {
	return append(appendHeader(dst, s.Header()), stream[headerSize:]...)
}
