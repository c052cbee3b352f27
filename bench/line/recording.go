package main

import (
	"bufio"
	"cmp"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/record"
	"github.com/spiceecs/spiceecs/regions"
)

// What the recorded session shows: a desktop, on it a video, a terminal that
// writes a line now and then, and a small box whose colour is a number that
// counts up.
const (
	screenWide, screenHigh = 1024, 768
	videoWide, videoHigh   = 640, 360
	lead                   = 2 * time.Second // before the video begins
	frameEvery             = 40 * time.Millisecond
	tickEvery              = 50 * time.Millisecond
	lineEvery              = 250 * time.Millisecond
)

var (
	videoArea = regions.XYWH(40, 60, videoWide, videoHigh)
	tickArea  = regions.XYWH(960, 20, 32, 32)
	termArea  = regions.XYWH(40, 480, 480, 256)
)

const termLine = 16 // pixels a line is high

// Session is a recorded session and what is true of it.
type Session struct {
	Film   *Film
	Frames int
	End    time.Duration // of the last command
	screen Pix           // the final picture
	w      *record.Writer
	dr     qxl.Drawable
}

// action is something that is drawn at a time.
type action struct {
	at   time.Duration
	draw func(at uint64) error
}

// FrameAt is when a frame is drawn.
func FrameAt(number int) time.Duration { return lead + time.Duration(number)*frameEvery }

// TickAt is when the box gets a number as its colour.
func TickAt(number int) time.Duration { return time.Duration(number) * tickEvery }

// NewSession writes a session with a video of some length to a file.
func NewSession(file string, video time.Duration) (s *Session, err error) {
	out, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	buf := bufio.NewWriterSize(out, 1<<20)
	s = &Session{Film: NewFilm(videoWide, videoHigh), Frames: int(video / frameEvery)}
	s.screen = Pix{screenWide, screenHigh, make([]byte, 4*screenWide*screenHigh)}
	if s.w, err = record.NewWriter(buf); err != nil {
		return nil, err
	}
	if err := s.write(); err != nil {
		return nil, err
	}
	return s, errors.Join(s.w.Flush(), buf.Flush())
}

func (s *Session) write() error {
	primary := &qxl.PrimarySurface{
		Width: screenWide, Height: screenHigh, Stride: 4 * screenWide, Format: qxl.Surface32xRGB,
		MouseMode: true, Memory: make([]byte, 4*screenWide*screenHigh),
	}
	if err := s.w.Worker(0, record.WorkerCreatePrimary, primary); err != nil {
		return err
	}
	actions := s.actions()
	slices.SortStableFunc(actions, func(a, b action) int { return cmp.Compare(a.at, b.at) })
	for _, a := range actions {
		if err := a.draw(uint64(time.Second + a.at)); err != nil {
			return err
		}
	}
	for i := 3; i < len(s.screen.Data); i += 4 {
		s.screen.Data[i] = 0
	}
	s.End = actions[len(actions)-1].at
	return nil
}

// actions is all that is drawn.
func (s *Session) actions() []action {
	var as []action
	for y := int32(0); y < screenHigh; y += 16 {
		as = append(as, action{0, func(at uint64) error {
			return s.fill(at, regions.XYWH(0, y, screenWide, 16), 0x203040+uint32(y/16)*0x010102)
		}})
	}
	as = append(as, action{0, func(at uint64) error { return s.fill(at, termArea, 0x101010) }})
	end := lead + time.Duration(s.Frames)*frameEvery
	for i := 0; TickAt(i) < end; i++ {
		as = append(as, action{TickAt(i), func(at uint64) error { return s.fill(at, tickArea, uint32(i)+1) }})
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	for at := lead / 2; at < end; at += lineEvery {
		y := termArea.Top + int32(at/lineEvery)*termLine%termArea.Height()
		as = append(as, action{at, func(at uint64) error {
			area := regions.XYWH(termArea.Left, y, termArea.Width(), termLine)
			return s.copy(at, area, letters(rnd, int(area.Width()), int(area.Height())))
		}})
	}
	for i := range s.Frames {
		as = append(as, action{FrameAt(i), func(at uint64) error {
			return s.copy(at, videoArea, s.Film.Frame(i, nil))
		}})
	}
	return as
}

// letters is a line that looks like text.
func letters(rnd *rand.Rand, width, height int) Pix {
	p := Pix{width, height, make([]byte, 4*width*height)}
	for x := 0; x+8 <= width; x += 8 {
		if rnd.IntN(6) == 0 {
			continue
		}
		for y := 3; y < height-3; y++ {
			for dx := range 6 {
				if rnd.IntN(3) == 0 {
					copy(p.Data[4*(y*width+x+dx):], []byte{200, 220, 200, 0})
				}
			}
		}
	}
	return p
}

// draw begins a drawing command.
func (s *Session) draw(t qxl.DrawType, box regions.Rect) *qxl.Drawable {
	dr := &s.dr
	dr.Reset()
	dr.Type, dr.Effect, dr.BBox, dr.Rop = t, qxl.EffectOpaque, box, qxl.RopPut
	return dr
}

func (s *Session) fill(at uint64, box regions.Rect, color uint32) error {
	dr := s.draw(qxl.DrawFill, box)
	dr.Brush = qxl.Brush{Type: qxl.BrushSolid, Color: color, Image: qxl.NoImage}
	for y := box.Top; y < box.Bottom; y++ {
		for x := box.Left; x < box.Right; x++ {
			copy(s.screen.Data[4*(y*screenWide+x):], []byte{byte(color), byte(color >> 8), byte(color >> 16), 0})
		}
	}
	return s.w.Draw(at, dr)
}

func (s *Session) copy(at uint64, box regions.Rect, p Pix) error {
	dr := s.draw(qxl.DrawCopy, box)
	dr.SrcArea = regions.Rect{Right: int32(p.Width), Bottom: int32(p.Height)}
	im, index := dr.NewImage()
	dr.Src = index
	im.ID, im.Type, im.Width, im.Height = at<<8|1, qxl.ImageBitmap, uint32(p.Width), uint32(p.Height)
	im.Format, im.BitFlags = qxl.Bitmap32Bit, qxl.BitmapTopDown
	im.X, im.Y, im.Stride = im.Width, im.Height, uint32(4*p.Width)
	im.Data.Append(p.Data)
	for y := range p.Height {
		copy(s.screen.Data[4*((int(box.Top)+y)*screenWide+int(box.Left)):], p.Data[4*y*p.Width:][:4*p.Width])
	}
	return s.w.Draw(at, dr)
}
