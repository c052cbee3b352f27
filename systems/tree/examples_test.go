package tree_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/release"
	"github.com/spiceecs/spiceecs/systems/tree"
)

// line is the tree of a surface that is one line of six pixels, with one client
// that takes nothing.
type line struct {
	scene *components.Scene
	rel   *release.Releaser
	tree  *tree.Tree
	names map[ecs.Entity]string
	pipe  []ecs.Entity
}

const lineWidth = 6

func newLine() *line {
	l := &line{scene: components.NewScene(1), names: map[ecs.Entity]string{}}
	l.rel = release.New(l.scene, func(qxl.Resource) {})
	l.tree = tree.New(l.scene, l)
	l.rel.Ending = l.tree.Forget
	l.tree.CreateSurface(0, lineWidth, 1)
	return l
}

// Hidden takes a drawable from the pipe.
func (l *line) Hidden(e ecs.Entity) {
	i := slices.Index(l.pipe, e)
	l.pipe = slices.Delete(l.pipe, i, i+1)
	l.rel.Unref(e)
}

// do adds a drawable, such as "fill a 0 4", "blend b 1 3", "xor x 2 3" (which
// undoes itself when repeated), or "copy c 4 6 from 0".
func (l *line) do(t *testing.T, text string) {
	t.Helper()
	var what, name string
	var from, to, src int32
	if n, _ := fmt.Sscanf(text, "%s %s %d %d from %d", &what, &name, &from, &to, &src); n < 4 {
		t.Fatalf("%q is no command", text)
	}
	h, cmd, _ := l.scene.Commands.Alloc()
	cmd.Reset()
	cmd.Type, cmd.Effect, cmd.Rop, cmd.Brush.Type = qxl.DrawFill, qxl.EffectOpaque, qxl.RopPut, qxl.BrushSolid
	cmd.BBox, cmd.SrcPos = regions.XYWH(from, 0, to-from, 1), regions.Point{X: src}
	switch what {
	case "blend":
		cmd.Effect = qxl.EffectBlend
	case "xor":
		cmd.Effect, cmd.Rop = qxl.EffectRevertOnDup, qxl.RopXor
	case "or":
		cmd.Effect, cmd.Rop = qxl.EffectNOPOnDup, qxl.RopOr
	case "brush":
		cmd.Effect = qxl.EffectOpaqueBrush
	case "copy":
		cmd.Type = qxl.DrawCopyBits
	}
	e, d, _ := l.scene.NewDrawable.New()
	d.Command, d.BBox, d.Type, d.Effect, d.Refs = h, cmd.BBox, cmd.Type, cmd.Effect, 1
	d.Current = true
	l.names[e] = name
	switch res, with := l.tree.Add(e); res {
	case tree.Added:
		l.rel.Ref(e)
		l.pipe = append(l.pipe, e)
	case tree.Reverted:
		l.Hidden(with)
	}
	l.rel.Unref(e)
	if err := l.tree.Check(); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// dots draws a region.
func dots(r *regions.Region) string {
	b := []byte(strings.Repeat(".", lineWidth))
	for x := range int32(lineWidth) {
		if r.ContainsPoint(x, 0) {
			b[x] = '#'
		}
	}
	return string(b)
}

// String lists the nodes, newest first, each with a > for every container
// around it, then what is in the pipe.
func (l *line) String() string {
	var b strings.Builder
	for e, n := range l.tree.Nodes(0) {
		for c := n.Container; !c.IsZero(); c = l.scene.Nodes.Get(c).Container {
			b.WriteByte('>')
		}
		area := dots(l.scene.Region(n.Area, new(regions.Region)))
		switch n.Kind {
		case components.NodeContainer:
			fmt.Fprintf(&b, "{} %s\n", area)
		case components.NodeShadow:
			s := l.scene.Shadows.Get(e)
			fmt.Fprintf(&b, "shadow of %s %s holds %s\n", l.names[s.Owner], area, dots(l.scene.Region(s.OnHold, new(regions.Region))))
		default:
			fmt.Fprintf(&b, "%s %s\n", l.names[e], area)
		}
	}
	b.WriteString("pipe")
	for i := len(l.pipe) - 1; i >= 0; i-- {
		b.WriteString(" " + l.names[l.pipe[i]])
	}
	return b.String()
}

var examples = []struct {
	name string
	do   []string
	want string
}{
	{"partial cover", []string{"fill a 0 4", "fill b 2 6"}, `
b ..####
a ##....
pipe b a`},
	{"container", []string{"fill a 0 6", "blend b 1 4"}, `
{} ######
>b .###..
>a ######
pipe b a`},
	{"inside a container", []string{"fill a 0 6", "blend b 1 4", "fill c 2 3"}, `
{} ######
>c ..#...
>b .#.#..
>a ##.###
pipe c b a`},
	// A container that is left with one child is no longer needed.
	{"covered in a container", []string{"fill a 0 6", "blend b 1 4", "fill c 2 3", "fill d 1 4"}, `
d .###..
a #...##
pipe d a`},
	{"covered with its container", []string{"fill a 0 6", "blend b 1 4", "fill c 2 3", "fill d 1 4", "fill e 0 6"}, `
e ######
pipe e`},
	{"nested containers", []string{"fill a 0 6", "fill b 1 5", "fill c 2 4"}, `
{} ######
>{} .####.
>>c ..##..
>>b .#..#.
>a #....#
pipe c b a`},
	{"two halves hide a whole", []string{"fill a 0 4", "fill b 0 2", "fill c 2 4"}, `
c ..##..
b ##....
pipe c b`},
	{"hold", []string{"fill a 0 2", "copy c 4 6 from 0", "fill b 0 2"}, `
b ##....
c ....##
shadow of c ##.... holds ##....
a ##....
pipe b c a`},
	{"release", []string{"fill a 0 2", "copy c 4 6 from 0", "fill b 0 2", "fill d 4 6"}, `
d ....##
b ##....
pipe d b`},
	// What the copy no longer needs goes at once, wherever the newcomer lies.
	{"partial release", []string{"fill a 0 2", "copy c 4 6 from 0", "fill b 0 2", "fill d 4 5"}, `
d ....#.
b ##....
c .....#
shadow of c .#.... holds .#....
a .#....
pipe d b c a`},
	{"partly overwritten source", []string{"fill a 0 3", "copy c 3 6 from 0", "fill b 1 2", "fill d 3 6"}, `
d ...###
b .#....
a #.#...
pipe d b a`},
	{"scroll", []string{"fill a 0 6", "copy s 0 5 from 1"}, `
s #####.
shadow of s .##### holds .####.
a .#####
pipe s a`},
	{"scrolling", []string{"fill a 0 6", "copy s 0 5 from 1", "fill n 5 6", "copy t 0 5 from 1", "fill m 5 6"}, `
m .....#
t #####.
shadow of t .##### holds .#####
n .....#
s .####.
shadow of s ..#### holds ..####
a ..####
pipe m t n s a`},
	{"copy of a copy", []string{"fill a 0 2", "copy b 2 4 from 0", "copy c 4 6 from 2", "fill d 2 4", "fill e 4 6"}, `
e ....##
d ..##..
a ##....
pipe e d a`},
	{"copy to where it is", []string{"fill a 0 2", "copy c 0 2 from 0"}, `
a ##....
pipe a`},
	{"undone", []string{"fill a 0 6", "xor x 1 3", "xor x 1 3"}, `
a ######
pipe a`},
	{"undone below something else", []string{"fill a 0 6", "xor x 1 3", "blend b 2 3", "xor y 1 3"}, `
{} ######
>y .##...
>b ..#...
>x .##...
>a ######
pipe y b x a`},
	{"done before", []string{"fill a 0 6", "or x 1 3", "or y 1 3"}, `
{} ######
>x .##...
>a ######
pipe x a`},
	{"painted over", []string{"fill a 0 6", "brush x 1 3", "brush y 1 3"}, `
y .##...
a ######
pipe y a`},
}

// TestExamples checks small trees that can be followed by hand.
func TestExamples(t *testing.T) {
	for _, ex := range examples {
		t.Run(ex.name, func(t *testing.T) {
			l := newLine()
			for _, command := range ex.do {
				l.do(t, command)
			}
			if got := l.String(); got != ex.want[1:] {
				t.Errorf("%s\ngives\n%s\n\nwant%s", strings.Join(ex.do, ", "), got, ex.want)
			}
			for len(l.pipe) > 0 {
				l.Hidden(l.pipe[0])
				if err := l.tree.Check(); err != nil {
					t.Fatalf("sending: %v", err)
				}
			}
			if n := l.scene.Regions.Len() + l.scene.Commands.Len(); n != 0 {
				t.Errorf("%d regions and commands are left", n)
			}
		})
	}
}
