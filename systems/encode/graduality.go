package encode

import (
	"encoding/binary"

	"github.com/spiceecs/spiceecs/qxl"
)

// Level is how much an image looks like a photo: neighbouring pixels that
// differ a little, and few sharp edges.
type Level uint8

// Levels.
const (
	GradualityNone   Level = iota // the format has none
	GradualityLow                 // text, lines, flat areas
	GradualityMedium              // moves like a video, compresses like text
	GradualityHigh                // a photo
)

// Thresholds of the mean score, and what a pair of pixels scores.
const (
	high24     = -0.03
	high16     = 0.0
	medium     = 0.002
	scoreSame  = 0.5
	scoreEdge  = 1.0
	scoreClose = -0.25
	contrast24 = 60
	contrast16 = 8
)

// sampleStep is the distance of sampled pixels. An image with more than
// maxSamples of them is sampled less densely: nearly each sample is two lines of
// memory that nobody has read yet, so that more of them take as long as to compress the
// image, and the mean of these is known to 0.01.
const (
	sampleStep = 15
	maxSamples = 2048
)

// look tells the level of an image. A drawable's is looked at once, for all
// clients.
type look struct {
	im    *qxl.Image
	kept  *uint32 // Drawable.Looks, or nil
	shift uint
}

// lookBits is what each image has of Drawable.Looks: 0, or one more than a level.
const lookBits = 4

func (l look) level() Level {
	if l.kept == nil {
		return Graduality(l.im)
	}
	if kept := *l.kept >> l.shift & (1<<lookBits - 1); kept > 0 {
		return Level(kept - 1)
	}
	level := Graduality(l.im)
	*l.kept |= (uint32(level) + 1) << l.shift // nothing for images beyond the eighth
	return level
}

// Graduality looks at a sample of a bitmap's pixels and their neighbours to the
// right and below.
func Graduality(im *qxl.Image) Level {
	size := im.Format.BitsPerPixel() / 8
	if im.Format.Indexed() || im.Format == qxl.Bitmap8BitA || size < 2 || padded(im) {
		return GradualityNone
	}
	s := sampler{width: int(im.X), size: size, contrast: contrast24, step: sampleStep}
	if size == 2 {
		s.contrast = contrast16
	}
	if sampleStep%s.width == 0 {
		s.step = sampleStep - 1
	}
	if n := int(im.X) * int(im.Y) / s.step; n > maxSamples {
		s.step *= n/maxSamples + 1
		for gcd(s.step, s.width) > 1 { // or it would see some columns only
			s.step++
		}
	}
	for _, c := range im.Data.Chunks {
		s.chunk(c, int(im.Stride))
	}
	return s.level()
}

func gcd(a, b int) int {
	for b > 0 {
		a, b = b, a%b
	}
	return a
}

type sampler struct {
	width, size, step int
	contrast          int32
	score             float64
	samples           int
}

// chunk samples one piece of the bitmap, which is taken as a picture of its own.
func (s *sampler) chunk(p []byte, stride int) {
	lines := len(p) / stride
	if s.width <= 1 || lines <= 1 {
		s.score += scoreEdge
		s.samples++
		return
	}
	for at := s.width / 2; at < (lines-1)*s.width; at += s.step {
		if (at+1)%s.width == 0 {
			at--
		}
		a := s.pixel(p, at)
		right, below, beyond := s.pixel(p, at+1), s.pixel(p, at+s.width), s.pixel(p, at+s.width+1)
		s.samples += 3
		if a == right && a == below && a == beyond {
			continue
		}
		s.score += s.pair(a, right) + s.pair(a, below) + s.pair(a, beyond)
	}
}

// pixel is the colour of a pixel, without alpha.
func (s *sampler) pixel(p []byte, i int) uint32 {
	switch s.size {
	case 2:
		return uint32(binary.LittleEndian.Uint16(p[2*i:])) & 0x7fff
	case 3:
		return uint32(p[3*i]) | uint32(p[3*i+1])<<8 | uint32(p[3*i+2])<<16
	}
	return binary.LittleEndian.Uint32(p[4*i:]) & 0xffffff
}

func (s *sampler) pair(a, b uint32) float64 {
	if a == b {
		return scoreSame
	}
	bits := 8
	if s.size == 2 {
		bits = 5
	}
	for shift := 0; shift < 3*bits; shift += bits {
		mask := uint32(1)<<bits - 1
		if d := int32(a>>shift&mask) - int32(b>>shift&mask); d >= s.contrast || d <= -s.contrast {
			return scoreEdge
		}
	}
	return scoreClose
}

func (s *sampler) level() Level {
	if s.samples == 0 {
		return GradualityLow
	}
	mean, limit := s.score/float64(s.samples), high24
	if s.size == 2 {
		limit = high16
	}
	switch {
	case mean < limit:
		return GradualityHigh
	case mean < medium:
		return GradualityMedium
	}
	return GradualityLow
}
