package guest

// Offset is where an allocated block begins in the arena.
func (v *VRAM) Offset(b Block) (int, error) {
	p, err := v.Address(b)
	return int(p) - start, err
}
