package canvas

import "github.com/spiceecs/spiceecs/qxl"

type dashes struct{ on bool }

func (d *dashes) set(l *qxl.LineAttr) {}
func (s *stroke) dashLines()          {}
