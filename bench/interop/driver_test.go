package interop

import (
	"fmt"
	"image"
	"net"
	"testing"

	"github.com/spiceecs/spiceecs"
	"github.com/spiceecs/spiceecs/net/client"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
	"github.com/spiceecs/spiceecs/qxl/guest"
)

// driver is a guest that is told what to draw. It draws it on canvases of its
// own, too.
type driver struct {
	t        *testing.T
	vram     *guest.VRAM
	asm      *guest.Assembler
	commands chan qxl.Command
	device   *spiceecs.Device
	painted  painted
}

// painted are the surfaces of a driver, as canvas.Sources.
type painted map[uint32]*canvas.Canvas

func (p painted) Surface(id uint32) *canvas.Canvas { return p[id] }

func (painted) Decode(*qxl.Image) (*canvas.Pixmap, error) { return nil, canvas.ErrImage }

// drive starts a server with a screen and returns what draws on it, and clients
// as they join.
func drive(t *testing.T, width, height uint32) (d *driver, addr string, joined chan uint32) {
	t.Helper()
	vram, err := guest.NewVRAM(8 << 20)
	if err != nil {
		t.Fatal(err)
	}
	d = &driver{t: t, vram: vram, asm: guest.NewAssembler(vram), commands: make(chan qxl.Command, 64), painted: painted{}}
	server, err := spiceecs.New(spiceecs.Options{NoPassword: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	joined = make(chan uint32, 16)
	d.device, err = server.AddDevice(spiceecs.DeviceOptions{Ring: d, OnDisplay: func(id uint32) { joined <- id }})
	d.check(err)
	d.check(d.device.AddMemSlot(vram.Slot()))
	d.check(d.device.CreatePrimary(qxl.PrimarySurface{
		Width: width, Height: height, Stride: int32(4 * width), Format: qxl.Surface32xRGB, Memory: make([]byte, 4*width*height),
	}))
	d.painted[0] = canvas.New(qxl.Surface32xRGB, int(width), int(height))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	d.check(err)
	go func() { _ = server.Serve(l) }()
	return d, l.Addr().String(), joined
}

func (d *driver) check(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// surface creates a surface that shows pix already.
func (d *driver) surface(id uint32, format qxl.SurfaceFormat, width, height uint32, pix []byte) {
	d.t.Helper()
	c := canvas.New(format, int(width), int(height))
	for y := range c.Height() {
		copy(c.Row(y), pix[y*c.Stride():])
	}
	d.painted[id] = c
	block, mem, err := d.vram.Alloc(len(pix))
	d.check(err)
	copy(mem, pix)
	cmd, err := d.asm.CreateSurface(&qxl.SurfaceCommand{
		Surface: id, Action: qxl.SurfaceCreate, Flags: qxl.SurfaceKeepData, Format: format,
		Width: width, Height: height, Stride: int32(c.Stride()),
	}, block)
	d.check(err)
	d.commands <- cmd
	d.device.Wakeup()
}

func (d *driver) draw(cmd *qxl.Drawable) {
	d.t.Helper()
	d.check(d.painted[cmd.Surface].Draw(cmd, d.painted))
	c, err := d.asm.Drawable(cmd)
	d.check(err)
	d.commands <- c
	d.device.Wakeup()
}

// shows is the fingerprint of the driver's screen.
func (d *driver) shows() string {
	c := d.painted[0]
	img := image.NewRGBA(image.Rect(0, 0, c.Width(), c.Height()))
	for y := range c.Height() {
		for x, row := 0, c.Row(y); x < c.Width(); x++ {
			copy(img.Pix[img.PixOffset(x, y):], []byte{row[4*x+2], row[4*x+1], row[4*x], 0xff})
		}
	}
	return fmt.Sprintf("%016x", client.Hash(img))
}

// GetCommand and the rest make a driver a qxl.Ring.
func (d *driver) GetCommand(c *qxl.Command) bool {
	select {
	case *c = <-d.commands:
		return true
	default:
		return false
	}
}
func (d *driver) RequestCommandNotification() bool   { return len(d.commands) == 0 }
func (d *driver) GetCursorCommand(*qxl.Command) bool { return false }
func (d *driver) RequestCursorNotification() bool    { return true }
func (d *driver) NotifyUpdate(uint32)                {}
func (d *driver) FlushResources() bool               { return false }
func (d *driver) Release(r qxl.Resource)             { _ = d.vram.Release(r) }
