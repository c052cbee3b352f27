// Command compare plays recordings with spiceecs and with the reference server,
// in turn, to a client that only counts, and prints how they relate.
//
//	make -C bench/peer
//	go run ./bench/compare -traces testdata/traces
//
// Times on a shared machine drift, so a ratio is always that of two runs that
// followed each other; the median over the rounds is printed. Recordings are
// unpacked beforehand. Our process is measured as a whole, the reference's from
// when it listens.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spiceecs/spiceecs/bench/servers"
)

// settings are the options of the command line.
type settings struct {
	traces, only, compression string
	ours, reference           string // programs
	rounds                    int
	idle                      time.Duration
	json                      bool
}

// comparison is one recording, played by both.
type comparison struct {
	Trace     string `json:"trace"`
	Ours      []run  `json:"ours"`
	Reference []run  `json:"reference"`
}

// run is what one server did.
type run struct {
	Seconds  float64 `json:"seconds"` // to the last byte
	CPU      float64 `json:"cpu_seconds"`
	Messages int64   `json:"messages"`
	Bytes    int64   `json:"bytes"`
	MaxRSS   float64 `json:"max_rss_mb"`
}

func main() {
	var s settings
	flag.StringVar(&s.traces, "traces", "testdata/traces", "`folder` with recordings, NAME.rec.zst")
	flag.StringVar(&s.only, "only", "", "names of the recordings to play, separated by commas; all")
	flag.StringVar(&s.compression, "image-compression", "lz", "of both servers")
	flag.StringVar(&s.ours, "spiceecs", "", "our `program`; it is built")
	flag.StringVar(&s.reference, "vmmdrive", "build/peer/vmmdrive", "the reference's feeder, of bench/peer")
	flag.IntVar(&s.rounds, "rounds", 3, "how often to play each recording")
	flag.DurationVar(&s.idle, "idle", 3*time.Second, "silence after which all has come")
	flag.BoolVar(&s.json, "json", false, "print all runs as JSON")
	flag.Parse()
	if err := s.run(); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func (s *settings) run() error {
	files, err := s.recordings()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "compare")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if s.ours == "" {
		if s.ours, err = servers.Build(context.Background(), ".", dir); err != nil {
			return err
		}
	}
	var all []comparison
	for _, file := range files {
		plain := filepath.Join(dir, name(file)+".rec")
		if err := servers.Unpack(plain, file); err != nil {
			return fmt.Errorf("unpacking %s: %w", file, err)
		}
		c, err := s.compare(plain)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, c)
	}
	if s.json {
		return json.NewEncoder(os.Stdout).Encode(all)
	}
	printTable(all)
	return nil
}

// recordings are the files to play.
func (s *settings) recordings() ([]string, error) {
	files, err := filepath.Glob(filepath.Join(s.traces, "*.rec.zst"))
	if err != nil {
		return nil, err
	}
	if s.only != "" {
		names := strings.Split(s.only, ",")
		files = slices.DeleteFunc(files, func(f string) bool { return !slices.Contains(names, name(f)) })
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no recording in %s", s.traces)
	}
	return files, nil
}

func name(file string) string {
	return strings.TrimSuffix(strings.TrimSuffix(filepath.Base(file), ".zst"), ".rec")
}

func (s *settings) compare(file string) (comparison, error) {
	c := comparison{Trace: name(file)}
	for range s.rounds {
		fmt.Fprintln(os.Stderr, "playing", c.Trace)
		theirs, err := s.playReference(file)
		if err != nil {
			return c, fmt.Errorf("reference: %w", err)
		}
		ours, err := s.playOurs(file)
		if err != nil {
			return c, fmt.Errorf("spiceecs: %w", err)
		}
		c.Ours, c.Reference = append(c.Ours, ours), append(c.Reference, theirs)
	}
	return c, nil
}

// printTable prints medians: spiceecs, the reference, and in brackets the ratio.
func printTable(all []comparison) {
	fmt.Println("| recording | time to last byte, s | CPU, s | messages | bytes |")
	fmt.Println("|---|--:|--:|--:|--:|")
	for _, c := range all {
		fmt.Printf("| %s | %s | %s | %s | %s |\n", c.Trace,
			c.cell("%.3f", func(r run) float64 { return r.Seconds }),
			c.cell("%.2f", func(r run) float64 { return r.CPU }),
			c.cell("%.0f", func(r run) float64 { return float64(r.Messages) }),
			c.cell("%.0f", func(r run) float64 { return float64(r.Bytes) }))
	}
}

func (c *comparison) cell(format string, value func(run) float64) string {
	var ours, theirs, ratios []float64
	for i := range c.Ours {
		o, t := value(c.Ours[i]), value(c.Reference[i])
		ours, theirs, ratios = append(ours, o), append(theirs, t), append(ratios, o/t)
	}
	return fmt.Sprintf(format+" : "+format+" (%.2f)", median(ours), median(theirs), median(ratios))
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
