package client

import (
	"bufio"
	"context"
	"fmt"
	"image"
	"image/png"
	"math"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"
)

type slow struct {
	net.Conn
	n *int
}

func (s slow) Read(p []byte) (int, error) {
	if len(p) > 2000 && *s.n < 300000 {
		p = p[:2000]
		time.Sleep(5 * time.Millisecond)
	}
	n, err := s.Conn.Read(p)
	*s.n += n
	return n, err
}

func zzplay(t *testing.T, throttle bool, rec string, args ...string) *image.RGBA {
	port := fmt.Sprint(20000 + (os.Getpid()*7+int(time.Now().UnixMilli()))%20000)
	cmd := exec.Command("/tmp/peer/vmmdrive", append(append([]string{"--port", port, "--linger", "3000"}, args...), rec)...)
	pipe, _ := cmd.StderrPipe()
	cmd.Start()
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	for sc := bufio.NewScanner(pipe); sc.Scan() && sc.Text() != "READY"; {
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	n := 0
	first := true
	s, err := Dial(ctx, "x", Options{DialContext: func(ctx context.Context) (net.Conn, error) {
		if !first {
			time.Sleep(1500 * time.Millisecond)
		}
		c, err := new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:"+port)
		if throttle && first {
			first = false
			return slow{c, &n}, err
		}
		return c, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	d := s.Display(0)
	<-d.Done()
	t.Log(d.Err())
	img, err := d.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	st := d.Stats()
	t.Logf("%v images %v, by message %v", args, st.Images, st.ByMessage)
	return img
}

func psnr(a, b *image.RGBA) float64 {
	if a.Rect != b.Rect { return -1 }
	var e float64
	for i := range a.Pix {
		d := float64(a.Pix[i]) - float64(b.Pix[i])
		e += d * d
	}
	return 10 * math.Log10(255*255/(e/float64(len(a.Pix))*4/3))
}

func TestZZ(t *testing.T) {
	rec := "/work/shared/traces/" + os.Getenv("ZZ")
	ref := zzplay(t, false, rec, "--never-wan", "--stream", "off", "--comp", "lz", "--stop", os.Getenv("ZZN"))
	for _, tc := range [][]string{{"--stream", "off", "--comp", "quic"}, {"--stream", "off", "--comp", "glz"}, {"--stream", "all", "--never-wan", "--comp", "lz", "--realtime"}, {"--stream", "filter", "--never-wan", "--comp", "lz", "--realtime", "--codecs", "spice:mjpeg"}} {
		img := zzplay(t, true, rec, append(tc, "--stop", os.Getenv("ZZN"))...)
		t.Logf("%v: PSNR %.1f", tc, psnr(ref, img))
		f, _ := os.Create("/tmp/w/client/zz.png")
		png.Encode(f, img)
		f.Close()
	}
}
