package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	engine "github.com/spiceecs/spiceecs"
	"github.com/spiceecs/spiceecs/qxl/replay"
	"github.com/spiceecs/spiceecs/systems/encode"
	"github.com/spiceecs/spiceecs/systems/stream"
)

func init() { commands = append([]func(*app) *cobra.Command{newServeCmd}, commands...) }

// sample is what a guest's driver wrote in half a minute of a desktop session.
//
//go:embed sample.rec.zst
var sample []byte

// serveFlags are the options of serve.
type serveFlags struct {
	listen      string
	recording   string
	pace        string
	loop        bool
	waitClient  bool
	stopAfter   uint64
	compression string
	jpegWAN     string
	zlibWAN     string
	streaming   string
	videoCodecs string
	stall       time.Duration
	password    string
	noAuth      bool
	name        string
	cpuProfile  string
}

func newServeCmd(a *app) *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Play a recorded session to SPICE clients",
		Long: `serve plays what a real guest driver once wrote into its command rings, and
shows the screen to any SPICE client: remote-viewer, spicy, GNOME Boxes.
Without options it plays a built-in sample in a loop.`,
		Example: `  spiceecs serve
  spiceecs serve --recording session.rec.zst --pace fast --wait-client
  spiceecs serve --listen 0.0.0.0:5930 --password secret`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("loop") {
				f.loop = f.recording == ""
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return a.serve(ctx, f)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.listen, "listen", "127.0.0.1:5930", "address to listen on, `HOST:PORT`")
	fl.StringVar(&f.recording, "recording", "", "recording to play, plain or zstd, instead of the sample")
	fl.StringVar(&f.pace, "pace", "recorded", "when commands come: recorded or fast")
	fl.BoolVar(&f.loop, "loop", false, "begin again at the end (default for the sample)")
	fl.BoolVar(&f.waitClient, "wait-client", false, "begin when a client's display is ready")
	fl.Uint64Var(&f.stopAfter, "stop-after", 0, "play only the first `N` display and cursor commands")
	fl.StringVar(&f.compression, "image-compression", "auto_glz", "compression of images: "+strings.Join(encode.CompressionNames, ", "))
	fl.StringVar(&f.jpegWAN, "jpeg-wan", "auto", "lossy images, of photos: auto (on slow lines), always or never")
	fl.StringVar(&f.zlibWAN, "zlib-glz-wan", "auto", "zlib around GLZ images: auto (on slow lines), always or never")
	fl.StringVar(&f.streaming, "streaming-video", "filter", "what is sent as video: off, all (whatever is painted again and again), or filter (what looks like one)")
	fl.StringVar(&f.videoCodecs, "video-codecs", "auto", "video codecs to use, the best one first: `ENCODER:CODEC;...` with the encoders spice and gstreamer")
	fl.DurationVar(&f.stall, "stall-timeout", 30*time.Second, "drop a client that takes nothing for so long")
	fl.StringVar(&f.password, "password", "", "password that clients have to know")
	fl.BoolVar(&f.noAuth, "insecure-no-auth", false, "let everybody in who reaches an address that is not loopback")
	fl.StringVar(&f.name, "name", "spiceecs", "name of the machine, shown by clients")
	fl.StringVar(&f.cpuProfile, "cpuprofile", "", "write a CPU profile for 'go tool pprof' to `FILE`")
	for flag, words := range map[string][]string{
		"pace": {"recorded", "fast"}, "image-compression": encode.CompressionNames,
		"jpeg-wan": encode.WANNames, "zlib-glz-wan": encode.WANNames,
		"streaming-video": stream.ModeNames,
	} {
		if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
			panic(err) // the flags were defined above
		}
	}
	return cmd
}

// session is one run of serve.
type session struct {
	app     *app
	flags   serveFlags
	server  *engine.Server
	device  *engine.Device
	player  *replay.Player
	clients atomic.Int64
	ready   chan struct{} // a client's display is ready; holds one signal
}

func (a *app) serve(ctx context.Context, f serveFlags) error {
	s := &session{app: a, flags: f, ready: make(chan struct{}, 1)}
	if err := s.checkAccess(); err != nil {
		return err
	}
	stopProfile, err := startProfile(f.cpuProfile)
	if err != nil {
		return err
	}
	defer stopProfile()
	if err := s.open(); err != nil {
		return err
	}
	l, err := net.Listen("tcp", f.listen)
	if err != nil {
		s.server.Close()
		return hintError{fmt.Errorf("listening on %s: %w", f.listen, err), "choose another address with --listen HOST:PORT"}
	}
	failed := make(chan error, 1)
	go func() { failed <- s.server.Serve(l) }()
	s.greet(l.Addr())
	stopStatus := s.showStatus()
	err = s.play(ctx, failed)
	stopStatus()
	s.summary()
	return errors.Join(err, s.server.Close())
}

// startProfile profiles the program into a file until stop is called.
func startProfile(name string) (stop func(), err error) {
	if name == "" {
		return func() {}, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("creating the profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("starting the profile: %w", err)
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}, nil
}

// checkAccess refuses to show a screen to a network by mistake.
func (s *session) checkAccess() error {
	host, _, err := net.SplitHostPort(s.flags.listen)
	if err != nil {
		return usageError{fmt.Errorf("--listen %q: %w", s.flags.listen, err)}
	}
	if s.flags.password != "" || s.flags.noAuth || loopback(host) {
		return nil
	}
	return hintError{
		usageError{fmt.Errorf("%s can be reached from the network", s.flags.listen)},
		"protect it with --password, or say --insecure-no-auth",
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// open starts the server with a device on which the recording will be played.
func (s *session) open() error {
	opts := replay.Options{Loop: s.flags.loop, StopAfter: s.flags.stopAfter}
	switch s.flags.pace {
	case "fast":
	case "recorded":
		opts.Pace = replay.Recorded
	default:
		return usageError{fmt.Errorf("--pace %q: want recorded or fast", s.flags.pace)}
	}
	var err error
	if s.player, err = replay.New(s.source, opts); err != nil {
		return err
	}
	s.server, err = engine.New(engine.Options{
		Password: s.flags.password, NoPassword: s.flags.password == "", Name: s.flags.name, Logger: s.app.log,
		OnClient: func(e engine.ClientEvent) {
			if e.Connected {
				s.clients.Add(1)
			}
		},
	})
	if err != nil {
		return err
	}
	s.device, err = s.server.AddDevice(engine.DeviceOptions{
		Ring: s.player, ImageCompression: s.flags.compression, JPEG: s.flags.jpegWAN, ZlibGLZ: s.flags.zlibWAN,
		StreamingVideo: s.flags.streaming, VideoCodecs: s.flags.videoCodecs, StallTimeout: s.flags.stall,
		OnDisplay: s.displayReady,
	})
	if err != nil {
		s.server.Close()
		return usageError{err}
	}
	return nil
}

// source opens the recording.
func (s *session) source() (io.ReadCloser, error) {
	if s.flags.recording == "" {
		return io.NopCloser(bytes.NewReader(sample)), nil
	}
	return os.Open(s.flags.recording)
}

// displayReady notes that a client is going to be sent the screen.
func (s *session) displayReady(uint32) {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// greet says how to connect.
func (s *session) greet(addr net.Addr) {
	what := s.flags.recording
	if what == "" {
		what = "a built-in sample"
	}
	fmt.Fprintf(s.app.out, "Serving %s on %s\nConnect with:  remote-viewer spice://%s\nStop with Ctrl-C.\n", what, addr, addr)
}

// play feeds the recording, then keeps the screen up until ctx ends or the
// listener fails.
func (s *session) play(ctx context.Context, failed <-chan error) error {
	if s.flags.waitClient {
		select {
		case <-s.ready:
		case err := <-failed:
			return err
		case <-ctx.Done():
			return nil
		}
	}
	played, began := make(chan error, 1), time.Now()
	go func() { played <- s.player.Run(ctx, s.device) }()
	var problem error
	for {
		select {
		case err := <-played:
			if err != nil && ctx.Err() == nil {
				problem = fmt.Errorf("playing the recording: %w", err)
				fmt.Fprintf(s.app.err, "spiceecs: %v\nThe screen stays as it is. Stop with Ctrl-C.\n", problem)
			} else if err == nil {
				fmt.Fprintf(s.app.out, "Played in %.3f s. The screen stays as it is.\n", time.Since(began).Seconds())
			}
			played = nil
		case err := <-failed:
			return errors.Join(problem, err)
		case <-ctx.Done():
			if played != nil {
				<-played
			}
			return problem
		}
	}
}

// summary tells in one line what was done.
func (s *session) summary() {
	st, err := s.device.Stats()
	if err != nil {
		return
	}
	fed := s.player.Stats()
	fmt.Fprintf(s.app.out, "%d commands, %.1f MB sent to %d clients\n",
		fed.Commands, float64(st.SentBytes)/1e6, s.clients.Load())
}

var _ replay.OOMDevice = (*engine.Device)(nil)
