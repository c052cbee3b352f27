// Command lines plays recordings at their own pace with spiceecs and with the
// reference server, in turn, to a client that counts and reads so many bytes a
// second, and prints what it was sent and how late.
//
//	make -C bench/peer
//	go run ./bench/lines -traces testdata/traces
//	go run ./bench/lines -traces testdata/traces -beside 100000 -rates 0
//
// late is the time from the last command to the last byte that is not one of a
// ping; held is by how much feeding took longer than the recording. Both servers
// have their default settings.
//
// With -beside another client reads at that rate from the same server, while the
// first one is measured alone and beside it.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spiceecs/spiceecs/bench/servers"
	"github.com/spiceecs/spiceecs/qxl/record"
)

// settings are the options of the command line.
type settings struct {
	traces, only, rates, who, pace string
	ours, reference                string // programs
	beside                         int
	burst, idle                    time.Duration
	json                           bool
}

// result is a recording played by one server to one client.
type result struct {
	Trace  string  `json:"trace"`
	Rate   int     `json:"rate"`   // bytes per second the client read, 0: all
	Beside int     `json:"beside"` // likewise another client; 0: there was none
	Server string  `json:"server"`
	Length float64 `json:"length_s"` // of the recording
	Fed    float64 `json:"fed_s"`
	Late   float64 `json:"late_s"`
	Bytes  int64   `json:"bytes"`
	Frames int64   `json:"frames"` // of videos
}

func main() {
	var s settings
	flag.StringVar(&s.traces, "traces", "testdata/traces", "`folder` with recordings, NAME.rec.zst")
	flag.StringVar(&s.only, "only", "web,video,desktop", "names of the recordings to play, separated by commas")
	flag.StringVar(&s.rates, "rates", "250000,1000000,0", "`bytes` a second that the client reads, separated by commas; 0: all")
	flag.StringVar(&s.who, "servers", "reference,spiceecs", "the servers, in turn")
	flag.StringVar(&s.ours, "spiceecs", "", "our `program`; it is built")
	flag.StringVar(&s.reference, "vmmdrive", "build/peer/vmmdrive", "the reference's feeder, of bench/peer")
	flag.StringVar(&s.pace, "pace", "recorded", "of the guest: recorded or fast, when held is all the time that feeding took")
	flag.IntVar(&s.beside, "beside", 0, "`bytes` a second that another client reads, 0: there is none")
	flag.DurationVar(&s.burst, "burst", 0, "of how much silence clients make up by reading faster, 0: of all")
	flag.DurationVar(&s.idle, "idle", 3*time.Second, "silence after which all has come")
	flag.BoolVar(&s.json, "json", false, "print JSON instead of a table, a result a line")
	flag.Parse()
	if err := s.run(); err != nil {
		fmt.Fprintln(os.Stderr, "lines:", err)
		os.Exit(1)
	}
}

func (s *settings) run() error {
	dir, err := os.MkdirTemp("", "lines")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if s.ours == "" {
		if s.ours, err = servers.Build(context.Background(), ".", dir); err != nil {
			return err
		}
	}
	show := printRow
	if s.json {
		show = func(rs []result) { printJSON(rs) }
	} else {
		printHead()
	}
	for name := range strings.SplitSeq(s.only, ",") {
		file := filepath.Join(dir, name+".rec")
		if err := servers.Unpack(file, filepath.Join(s.traces, name+".rec.zst")); err != nil {
			return fmt.Errorf("unpacking %s: %w", name, err)
		}
		seconds, err := length(file)
		if err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
		if s.pace == "fast" {
			seconds = 0
		}
		for r := range strings.SplitSeq(s.rates, ",") {
			rate, err := strconv.Atoi(r)
			if err != nil {
				return fmt.Errorf("-rates: %w", err)
			}
			if err := s.play(file, result{Trace: name, Rate: rate, Length: seconds}, show); err != nil {
				return fmt.Errorf("%s at %d bytes/s: %w", name, rate, err)
			}
		}
		os.Remove(file)
	}
	return nil
}

// play plays a recording with every server, and with another client if so asked.
func (s *settings) play(file string, r result, show func([]result)) error {
	besides := []int{0}
	if s.beside > 0 {
		besides = append(besides, s.beside)
	}
	for _, r.Beside = range besides {
		var rs []result
		for r.Server = range strings.SplitSeq(s.who, ",") {
			if err := s.measure(file, &r); err != nil {
				return fmt.Errorf("%s: %w", r.Server, err)
			}
			rs = append(rs, r)
		}
		show(rs)
	}
	return nil
}

func printHead() {
	fmt.Println("| recording | bytes/s | server | bytes sent | video frames | late, s | held, s |")
	fmt.Println("|---|--:|---|--:|--:|--:|--:|")
}

// printRow prints the results of all servers, with ratios to the first one.
func printRow(rs []result) {
	for i, r := range rs {
		rate := "all"
		if r.Rate > 0 {
			rate = strconv.Itoa(r.Rate)
		}
		if r.Beside > 0 {
			rate += fmt.Sprintf(", beside %d", r.Beside)
		}
		mb, late := fmt.Sprintf("%.2f MB", float64(r.Bytes)/1e6), fmt.Sprintf("%.2f", r.Late)
		if i > 0 {
			mb += fmt.Sprintf(" (%.2f)", float64(r.Bytes)/float64(rs[0].Bytes))
			late += fmt.Sprintf(" (%.2f)", r.Late/rs[0].Late)
		}
		fmt.Printf("| %s | %s | %s | %s | %d | %s | %.2f |\n", r.Trace, rate, r.Server, mb, r.Frames, late, r.Fed-r.Length)
	}
}

func printJSON(rs []result) {
	for _, r := range rs {
		_ = json.NewEncoder(os.Stdout).Encode(r) // numbers and plain strings
	}
}

// length is how many seconds there are in a recording from its first command to the last.
func length(file string) (float64, error) {
	in, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	r, err := record.NewReader(in)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	var first, last uint64
	for ev := new(record.Event); ; {
		if err := r.Next(ev); err == io.EOF {
			return float64(last-first) / 1e9, nil
		} else if err != nil {
			return 0, err
		}
		if ev.Kind == record.Command {
			if last = ev.Timestamp; first == 0 {
				first = last
			}
		}
	}
}
