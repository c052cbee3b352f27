package spiceecs_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"time"

	"github.com/spiceecs/spiceecs"
	"github.com/spiceecs/spiceecs/net/client"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/guest"
	"github.com/spiceecs/spiceecs/regions"
)

// A virtual machine's screen, shown to a client. machine_test.go holds the ring
// and the keyboard.
func Example() {
	server, err := spiceecs.New(spiceecs.Options{Name: "example", Password: "secret"})
	check(err)
	defer server.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go func() { check(server.Serve(l)) }()
	server.SetKeyboard(&keys{})

	vram, err := guest.NewVRAM(1 << 20)
	check(err)
	r := &ring{commands: make(chan qxl.Command, 64), vram: vram}
	device, err := server.AddDevice(spiceecs.DeviceOptions{Ring: r})
	check(err)
	check(device.AddMemSlot(vram.Slot()))
	check(device.CreatePrimary(qxl.PrimarySurface{
		Width: 640, Height: 480, Stride: 640 * 4, Format: qxl.Surface32xRGB, Memory: make([]byte, 640*480*4),
	}))

	driver := guest.NewAssembler(vram)
	for i, colour := range []uint32{0x203040, 0xe0a030} {
		r.push(driver.Drawable(fill(regions.Rect{Left: int32(i) * 100, Top: 0, Right: 640, Bottom: 480}, colour)))
	}
	check(device.FlushSurfaces()) // or Wakeup, which does not wait

	session, err := client.Dial(context.Background(), l.Addr().String(), client.Options{Password: "secret"})
	check(err)
	defer session.Close()
	check(session.Display(0).WaitQuiet(context.Background(), 100*time.Millisecond))
	picture, err := session.Display(0).Snapshot()
	check(err)
	fmt.Println(picture.Rect, picture.RGBAAt(99, 0), picture.RGBAAt(100, 0))
	// Output: (0,0)-(640,480) {32 48 64 255} {224 160 48 255}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
