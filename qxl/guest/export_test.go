package guest

// Offset is where an allocated block begins in the arena.
func (v *VRAM) Offset(b Block) (int, error) {
	p, err := v.address(b)
	return int(p) - start, err
}
