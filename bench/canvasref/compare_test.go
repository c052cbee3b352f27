package canvasref

import (
	"bufio"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
	"github.com/spiceecs/spiceecs/qxl/record"
	"github.com/spiceecs/spiceecs/regions"
)

var (
	seeds = flag.Int("seeds", numberOfSeeds(), "random command sequences for each operation; also SPICEECS_CANVASREF_SEEDS")
	show  = flag.Int("show", 6, "differences to describe")
	first = flag.Uint64("seed", 1, "the first of them")
)

func numberOfSeeds() int {
	if n, err := strconv.Atoi(os.Getenv("SPICEECS_CANVASREF_SEEDS")); err == nil {
		return n
	}
	return 60
}

// perSeed is the number of commands in a sequence.
const perSeed = 8

// unavailable ends a test that lacks the reference.
func unavailable(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// buildReference compiles the C program.
func buildReference(t *testing.T) string {
	t.Helper()
	flags, err := exec.Command("pkg-config", "--cflags", "--libs", "spice-server").Output()
	if err != nil {
		unavailable(t, "no libspice-server to compare with: pkg-config spice-server: %v", err)
	}
	out := filepath.Join(t.TempDir(), "reference")
	args := append([]string{"-O2", "-w", "-o", out, filepath.Join("testdata", "reference.c")}, strings.Fields(string(flags))...)
	if msg, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		unavailable(t, "cannot build reference.c: %v\n%s", err, msg)
	}
	return out
}

// reference is a running C program.
type reference struct {
	cmd    *exec.Cmd
	out    *bufio.Reader
	stderr strings.Builder
}

// start runs the program on a recording that feed writes.
func start(t *testing.T, program string, feed func(*record.Writer)) *reference {
	t.Helper()
	r := &reference{cmd: exec.Command(program)}
	in, err := r.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.out = bufio.NewReaderSize(out, 1<<16)
	r.cmd.Stderr = &r.stderr
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer in.Close()
		if w, err := record.NewWriter(in); err == nil {
			feed(w)
			w.Flush()
		}
	}()
	t.Cleanup(func() {
		r.cmd.Process.Kill()
		r.cmd.Wait()
	})
	return r
}

// next reads the surface as of the next update.
func (r *reference) next() (id uint32, mem []byte, err error) {
	var head [8]byte
	if _, err = io.ReadFull(r.out, head[:]); err != nil {
		return 0, nil, err
	}
	mem = make([]byte, binary.LittleEndian.Uint32(head[4:]))
	_, err = io.ReadFull(r.out, mem)
	return binary.LittleEndian.Uint32(head[:]), mem, err
}

// sequence is what one seed makes.
type sequence struct {
	seed           uint64
	target, source qxl.SurfaceCommand
	draws          []*qxl.Drawable
}

func makeSequence(seed uint64, op *operation) *sequence {
	g := newGen(seed, op.alpha)
	s := &sequence{seed: seed, target: g.target, source: g.source}
	for range perSeed {
		s.draws = append(s.draws, op.make(g))
	}
	return s
}

// write records the sequence, with an update after every drawing.
func (s *sequence) write(w *record.Writer) {
	w.Surface(0, &s.target)
	w.Surface(0, &s.source)
	for i, d := range s.draws {
		w.Draw(0, d)
		w.Update(0, &qxl.UpdateCommand{
			Surface: s.target.Surface, UpdateID: uint32(i),
			Area: regions.Rect{Right: int32(s.target.Width), Bottom: int32(s.target.Height)},
		})
	}
	w.Surface(0, &qxl.SurfaceCommand{Surface: s.target.Surface, Action: qxl.SurfaceDestroy})
	w.Surface(0, &qxl.SurfaceCommand{Surface: s.source.Surface, Action: qxl.SurfaceDestroy})
}

// surfaces are the sequence's canvases, as sources for drawing.
type surfaces map[uint32]*canvas.Canvas

func (s surfaces) Surface(id uint32) *canvas.Canvas { return s[id] }

func (s surfaces) Decode(*qxl.Image) (*canvas.Pixmap, error) {
	return nil, fmt.Errorf("no compressed images here")
}

func open(t *testing.T, c *qxl.SurfaceCommand) *canvas.Canvas {
	t.Helper()
	mem := append([]byte(nil), c.Memory...)
	cv, err := canvas.Wrap(c.Format, int(c.Width), int(c.Height), int(c.Stride), mem)
	if err != nil {
		t.Fatal(err)
	}
	return cv
}

// colours is the part of a word that is compared: the pad byte of xRGB is
// undefined, that bit of 555 only if words were not handled as they are.
func colours(f qxl.SurfaceFormat, raw bool) uint32 {
	switch {
	case f == qxl.Surface32xRGB:
		return 0x00ffffff
	case f == qxl.Surface16x555 && !raw:
		return 0x7fff
	}
	return 0xffffffff
}

// word is the pixel (x,y) of a canvas.
func word(c *canvas.Canvas, x, y int) (v uint32) {
	row := c.Row(y)
	if c.Format() == qxl.Surface1A {
		return uint32(row[x>>3] >> (x & 7) & 1)
	}
	size := c.Format().Depth() / 8
	for i := size - 1; i >= 0; i-- {
		v = v<<8 | uint32(row[x*size+i])
	}
	return v
}

// difference describes the first pixel in which ours is not theirs.
func difference(ours, theirs *canvas.Canvas, raw bool) string {
	mask := colours(ours.Format(), raw)
	for y := range ours.Height() {
		for x := range ours.Width() {
			if a, b := word(ours, x, y), word(theirs, x, y); a&mask != b&mask {
				return fmt.Sprintf("pixel (%d,%d) is %08x, reference %08x", x, y, a, b)
			}
		}
	}
	return ""
}

func TestAgainstReference(t *testing.T) {
	program := buildReference(t)
	for i := range operations {
		op := &operations[i]
		t.Run(op.name, func(t *testing.T) { compare(t, program, op) })
	}
}

// tally counts commands by what came of them.
type tally struct {
	same, different, deaths int
	known                   map[string]int // differences by the reference's defect
}

// compare draws what the seeds make of op on both sides.
func compare(t *testing.T, program string, op *operation) {
	sum := tally{known: map[string]int{}}
	for i := 0; i < *seeds; {
		from := i
		ref := start(t, program, func(w *record.Writer) {
			for k := from; k < *seeds; k++ {
				makeSequence(*first+uint64(k), op).write(w)
			}
		})
		for ; i < *seeds; i++ {
			s := makeSequence(*first+uint64(i), op)
			if err := s.compare(t, ref, op, &sum); err != nil {
				if !op.dies {
					t.Fatalf("seed %d: reference: %v\n%s", s.seed, err, ref.stderr.String())
				}
				sum.deaths++
				i++
				break // and start another for what comes behind
			}
		}
	}
	t.Logf("%s: %d seeds, %d commands the same, %d different", op.name, *seeds, sum.same, sum.different)
	for name, n := range sum.known {
		t.Logf("%s: %d excluded: %s", op.name, n, name)
	}
	if sum.deaths > 0 {
		t.Logf("%s: %d sequences cut short: the reference does not end a curve that turns back on itself", op.name, sum.deaths)
	}
}

// compare draws the sequence and counts how many commands had the same result.
// Each starts from what the reference had before. The error tells that there
// is no more reference.
func (s *sequence) compare(t *testing.T, ref *reference, op *operation, sum *tally) error {
	ours := open(t, &s.target)
	all := surfaces{1: ours, 2: open(t, &s.source)}
	for n, d := range s.draws {
		_, mem, err := ref.next()
		if err != nil {
			return err
		}
		theirs, err := canvas.Wrap(ours.Format(), ours.Width(), ours.Height(), ours.Stride(), mem)
		if err != nil {
			t.Fatal(err)
		}
		read := d
		if op.ours != nil {
			read = op.ours(d)
		}
		before := clone(ours)
		if err := ours.Draw(read, all); err != nil {
			t.Errorf("seed %d command %d: %v", s.seed, n, err)
		}
		diff, defect := difference(ours, theirs, op.raw), ""
		if diff != "" && op.defect != nil {
			defect = op.defect(&outcome{d, before, ours, theirs, all, colours(ours.Format(), op.raw)})
		}
		switch {
		case diff == "":
			sum.same++
		case defect != "":
			sum.known[defect]++
		default:
			t.Fail()
			if sum.different++; sum.different <= *show {
				t.Logf("seed %d command %d: %s\n%s", s.seed, n, diff, describe(s, d))
			}
		}
		for y := range ours.Height() {
			copy(ours.Row(y), theirs.Row(y))
		}
	}
	return nil
}

// describe prints a sequence's surfaces and a drawable without its pixels,
// leaving out fields that are zero.
func describe(s *sequence, d *qxl.Drawable) string {
	var b strings.Builder
	fmt.Fprintf(&b, "target %d %dx%d, source %d %dx%d", s.target.Format, s.target.Width, s.target.Height,
		s.source.Format, s.source.Width, s.source.Height)
	v := reflect.ValueOf(d).Elem()
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; name != "Images" && name != "DepRects" && !v.Field(i).IsZero() {
			fmt.Fprintf(&b, " %s %+v", name, v.Field(i))
		}
	}
	for i, im := range d.Images {
		fmt.Fprintf(&b, "\nimage %d: type %d format %d %dx%d stride %d flags %d bitmap flags %d surface %d, %d colours, %d chunks",
			i, im.Type, im.Format, im.X, im.Y, im.Stride, im.Flags, im.BitFlags, im.Surface, len(im.Palette.Entries), len(im.Data.Chunks))
	}
	return b.String()
}
