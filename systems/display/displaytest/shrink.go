package displaytest

// Shrink drops steps, and simplifies drawing commands, as long as the program
// still fails, and returns the least one found. It tries at most limit programs.
func Shrink(p Program, limit int, fails func(Program) bool) Program {
	try := func(q Program) bool {
		if limit--; limit < 0 || !fails(q) {
			return false
		}
		p = q
		return true
	}
	for again := true; again; {
		again = false
		for size := max(1, len(p)/2); size > 0; size /= 2 {
			for at := len(p) - size; at >= 0; at -= size {
				q := append(append(Program{}, p[:at]...), p[at+size:]...)
				again = try(q) || again
				at = min(at, len(p))
			}
		}
		for i := range p {
			for _, s := range simpler(p[i]) {
				q := append(Program{}, p...)
				q[i] = s
				again = try(q) || again
			}
		}
	}
	return p
}

// simpler lists steps that do a little less.
func simpler(s Step) (all []Step) {
	if s.Do == Send && s.Count > 1 {
		s.Count /= 2
		return append(all, s)
	}
	if s.Draw == nil {
		return nil
	}
	for _, change := range []func(d *Draw) bool{
		func(d *Draw) bool { ok := len(d.Clip) > 0; d.Clip = nil; return ok },
		func(d *Draw) bool { ok := d.Mask != nil; d.Mask = nil; return ok },
		func(d *Draw) bool { ok := d.Brush != nil; d.Brush = nil; return ok },
		func(d *Draw) bool { ok := len(d.Deps) > 0; d.Deps = nil; return ok },
		func(d *Draw) bool { ok := d.Color != 0; d.Color = 0; return ok },
		func(d *Draw) bool { ok := d.Scale != 0; d.Scale = 0; return ok },
	} {
		d := *s.Draw
		if change(&d) {
			less := s
			less.Draw = &d
			all = append(all, less)
		}
	}
	return all
}
