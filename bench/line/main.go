// Command line plays a video over a simulated line whose bandwidth falls and
// recovers, with spiceecs and with the reference server in turn, and shows how old
// the picture is that a viewer sees. It makes a table and a plot:
//
//	make -C bench/peer && cd bench/line && go run . -plot line.png
//
// The line is real network traffic: two network namespaces, each with a TUN device,
// and this program carries the packets between them, at a rate, through a queue,
// with a delay (shaper.go). That needs Linux and root. The session (recording.go)
// is made by this program, too: a video whose frames carry their number, a
// terminal, and a box that counts. The viewer (viewer.go) is our client, which
// shows frames as the reference's client does: at their time, and late ones never.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spiceecs/spiceecs/bench/servers"
)

// settings are the options of the command line.
type settings struct {
	ours, reference, only          string
	compression, streaming, codecs string
	congestion                     string
	fast, slow                     float64 // Mbit/s
	delay, queue, phase            time.Duration
	atOnce, json                   bool
	plot, from                     string
}

const usage = `line plays a video over a line whose bandwidth falls and recovers, with spiceecs
and with the reference server, and tells how old the picture is that a viewer sees.
It needs Linux and root, and vmmdrive from bench/peer.

  go run .                                 a table
  go run . -plot line.png                  and a picture
  go run . -json > line.json               all that was measured
  go run . -from line.json -plot line.png  a picture of that
  go run . -only spiceecs -slow 0.5        our server alone, on a worse line
  go run . -codecs gstreamer:vp8           another video codec, on both sides
  go run . -congestion bbr                 another congestion control

`

func main() {
	s := settings{}
	flag.StringVar(&s.ours, "spiceecs", "", "our `program`; it is built")
	flag.StringVar(&s.reference, "vmmdrive", "../../build/peer/vmmdrive", "the reference's feeder, of bench/peer")
	flag.StringVar(&s.only, "only", "", "play with this server alone: spiceecs or reference")
	flag.StringVar(&s.compression, "image-compression", "auto_glz", "of both servers")
	flag.StringVar(&s.streaming, "streaming-video", "filter", "of both servers: filter, all or off")
	flag.StringVar(&s.codecs, "codecs", "spice:mjpeg", "video codecs of both servers")
	flag.Float64Var(&s.fast, "fast", 20, "rate of the line in Mbit/s, at first and in the end")
	flag.Float64Var(&s.slow, "slow", 1, "and in between")
	flag.DurationVar(&s.delay, "delay", 100*time.Millisecond, "of the line, there and back: half of it each way")
	flag.DurationVar(&s.queue, "queue", 200*time.Millisecond, "most that packets wait for the line; others are dropped")
	flag.StringVar(&s.congestion, "congestion", "cubic", "`control` of TCP on the line, such as bbr; cubic is Linux's default")
	flag.DurationVar(&s.phase, "phase", 10*time.Second, "length of each of the three phases, at most a minute")
	flag.BoolVar(&s.atOnce, "at-once", false, "show frames of videos when they come, not at their time")
	flag.BoolVar(&s.json, "json", false, "print all that was measured as JSON")
	flag.StringVar(&s.plot, "plot", "", "draw a PNG into this `file`")
	flag.StringVar(&s.from, "from", "", "play nothing, show what -json wrote into this `file`")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := s.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "line:", err)
		os.Exit(1)
	}
}

func (s *settings) run(ctx context.Context) error {
	if s.fast <= 0 || s.slow <= 0 || s.phase < time.Second || s.phase > time.Minute || flag.NArg() > 0 {
		return errors.New("rates have to be above 0, phases from 1s to 1m (see -help)")
	}
	if s.from != "" {
		return s.replay()
	}
	dir, err := os.MkdirTemp("", "line")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if s.ours == "" {
		if s.ours, err = servers.Build(ctx, "../..", dir); err != nil {
			return err
		}
	}
	progress("making the recording")
	file := filepath.Join(dir, "session.rec")
	session, err := NewSession(file, 3*s.phase)
	if err != nil {
		return fmt.Errorf("making the recording: %w", err)
	}
	var runs []*Run
	for _, sv := range s.servers(file) {
		if s.only != "" && s.only != sv.name {
			continue
		}
		progress(fmt.Sprintf("%s plays for %v", sv.name, (session.End + settle).Round(time.Second)))
		limit, cancel := context.WithTimeout(ctx, session.End+settle+30*time.Second)
		r, err := s.play(limit, sv, session)
		cancel()
		if err != nil {
			return fmt.Errorf("%s: %w", sv.name, err)
		}
		runs = append(runs, r)
	}
	progress("")
	return s.show(runs)
}

// replay shows runs of another time.
func (s *settings) replay() error {
	data, err := os.ReadFile(s.from)
	if err != nil {
		return err
	}
	var runs []*Run
	if err := json.Unmarshal(data, &runs); err != nil {
		return fmt.Errorf("%s: %w", s.from, err)
	}
	return s.show(runs)
}

func (s *settings) show(runs []*Run) error {
	if len(runs) == 0 {
		return fmt.Errorf("-only %q: want spiceecs or reference", s.only)
	}
	if s.plot != "" {
		if err := s.draw(runs, s.plot); err != nil {
			return fmt.Errorf("plot: %w", err)
		}
	}
	if s.json {
		return json.NewEncoder(os.Stdout).Encode(runs)
	}
	printTable(runs)
	return nil
}

// progress says on a terminal what is going on.
func progress(what string) {
	if st, err := os.Stderr.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
		fmt.Fprintf(os.Stderr, "\r\x1b[K%s", what)
	}
}

// printTable prints ours : the reference's, and in brackets the ratio.
func printTable(runs []*Run) {
	fmt.Println("| | age, median, s | age, 95th percentile, s | frames/s | PSNR, dB | MB | box, median, s |")
	fmt.Println("|---|--:|--:|--:|--:|--:|--:|")
	for i, p := range runs[0].Phases {
		fmt.Printf("| %s |", p.Name)
		for _, c := range []struct {
			format string
			ratio  bool
			value  func(Phase) float64
		}{
			{"%.2f", true, func(p Phase) float64 { return p.Age50 }},
			{"%.2f", true, func(p Phase) float64 { return p.Age95 }},
			{"%.1f", false, func(p Phase) float64 { return p.Frames }},
			{"%.1f", false, func(p Phase) float64 { return p.PSNR }},
			{"%.2f", false, func(p Phase) float64 { return p.Megabytes }},
			{"%.2f", false, func(p Phase) float64 { return p.Echo50 }},
		} {
			a := c.value(p)
			fmt.Printf(" "+c.format, a)
			if len(runs) > 1 {
				b := c.value(runs[1].Phases[i])
				fmt.Printf(" : "+c.format, b)
				if c.ratio && b > 0 {
					fmt.Printf(" (%.2f)", a/b)
				}
			}
			fmt.Print(" |")
		}
		fmt.Println()
	}
	for _, r := range runs {
		exact := "not exact after " + settle.String()
		if r.Exact != nil {
			exact = fmt.Sprintf("exact %.1f s after the last command", *r.Exact)
		}
		fmt.Printf("\n%s: %s; %d frames of videos; %.2f MB dropped by the line", r.Server, exact, r.Streamed, float64(r.Dropped)/1e6)
	}
	fmt.Println()
}
