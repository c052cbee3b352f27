package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/spiceecs/spiceecs/net/client"
	"github.com/spiceecs/spiceecs/net/wire"
)

// passwordEnv holds the password for who does not want it among the arguments.
const passwordEnv = "SPICEECS_PASSWORD"

// shot is a screen shot to be taken.
type shot struct {
	app      *app
	addr     string
	file     string // "-" for standard output
	password string
	display  uint8
	quiet    time.Duration
	timeout  time.Duration
	json     bool
	gst      bool

	tls      bool
	ca       string
	name     string
	insecure bool
}

// shotReport is what is printed about a screen shot.
type shotReport struct {
	File     string  `json:"file"`
	Display  uint8   `json:"display"`
	Width    int     `json:"width"`
	Height   int     `json:"height"`
	Hash     string  `json:"hash"` // FNV-1a 64 over the R, G, B bytes
	Messages uint64  `json:"messages"`
	Bytes    uint64  `json:"bytes"`
	Seconds  float64 `json:"seconds"`
}

func newShotCmd(a *app) *cobra.Command {
	s := &shot{app: a}
	cmd := &cobra.Command{
		Use:   "shot HOST:PORT OUT.png",
		Short: "Take a picture of a SPICE server's screen",
		Long: `Connect to a SPICE server, wait until its screen has stopped changing, write the
picture as PNG and print its size and hash.

HOST:PORT may also be unix:PATH for a local socket, and OUT.png may be - for
standard output. The password is taken from --password or $` + passwordEnv + `.`,
		Example: `  spiceecs shot localhost:5900 screen.png
  spiceecs shot --tls --ca ca.pem --password secret vmhost:5901 screen.png
  spiceecs shot --json --quiet 2s unix:/run/vm.sock - > screen.png`,
		Args: usageArgs(cobra.ExactArgs(2)),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return []string{"png"}, cobra.ShellCompDirectiveFilterFileExt
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			s.addr, s.file = args[0], args[1]
			s.password = cmp.Or(s.password, os.Getenv(passwordEnv))
			return s.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&s.password, "password", "", "password of the server")
	f.Uint8Var(&s.display, "display", 0, "number of the display")
	f.DurationVar(&s.quiet, "quiet", 500*time.Millisecond, "how long the screen must not have changed")
	f.DurationVar(&s.timeout, "timeout", 30*time.Second, "how long to try altogether")
	f.BoolVar(&s.json, "json", false, "print JSON")
	f.BoolVar(&s.gst, "gstreamer", false, "show videos also in the codecs that GStreamer decodes, if it is installed")
	f.BoolVar(&s.tls, "tls", false, "connect with TLS")
	f.StringVar(&s.ca, "ca", "", "file with the certificates (PEM) to trust; implies --tls")
	f.StringVar(&s.name, "tls-name", "", "name the server's certificate must have, if not HOST; implies --tls")
	f.BoolVar(&s.insecure, "insecure", false, "do not check the server's certificate; implies --tls")
	return cmd
}

func (s *shot) run(ctx context.Context) error {
	tlsConfig, err := s.tlsConfig()
	if err != nil {
		return err
	}
	begin := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, errTimeout)
	defer cancel()
	session, err := client.Dial(ctx, s.addr, client.Options{
		Password: s.password, TLS: tlsConfig, Log: s.app.log, GStreamer: s.gst,
		Channels: []wire.ChannelType{wire.ChannelDisplay},
	})
	if err != nil {
		return s.explain(err)
	}
	defer session.Close()
	d := session.Display(s.display)
	if d == nil {
		return hintError{fmt.Errorf("%s has no display %d", s.addr, s.display), fmt.Sprintf("it has %d; their numbers begin with 0", len(session.Displays()))}
	}
	if err := d.WaitQuiet(ctx, s.quiet); err != nil {
		return s.explain(err)
	}
	img, err := d.Snapshot()
	if err != nil {
		return err
	}
	if err := s.write(img); err != nil {
		return err
	}
	st := d.Stats()
	return s.print(shotReport{
		File: s.file, Display: s.display, Width: img.Rect.Dx(), Height: img.Rect.Dy(),
		Hash: fmt.Sprintf("%016x", client.Hash(img)), Messages: st.Messages, Bytes: st.Bytes,
		Seconds: time.Since(begin).Seconds(),
	})
}

// write stores the picture; a file is touched only once it is encoded.
func (s *shot) write(img image.Image) error {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return fmt.Errorf("encoding the picture: %w", err)
	}
	if s.file == "-" {
		_, err := s.app.out.Write(b.Bytes())
		return err
	}
	return os.WriteFile(s.file, b.Bytes(), 0o644)
}

// print tells about the picture, on standard error if the picture itself went
// to standard output.
func (s *shot) print(r shotReport) error {
	w := s.app.out
	if s.file == "-" {
		w = s.app.err
	}
	if s.json {
		return json.NewEncoder(w).Encode(r)
	}
	_, err := fmt.Fprintf(w, "%s: %dx%d, hash %s (%d messages, %d bytes)\n", r.File, r.Width, r.Height, r.Hash, r.Messages, r.Bytes)
	return err
}

func (s *shot) tlsConfig() (*tls.Config, error) {
	if !s.tls && s.ca == "" && s.name == "" && !s.insecure {
		return nil, nil
	}
	cfg := &tls.Config{ServerName: s.name, InsecureSkipVerify: s.insecure}
	if s.ca == "" {
		return cfg, nil
	}
	pem, err := os.ReadFile(s.ca)
	if err != nil {
		return nil, fmt.Errorf("reading the trusted certificates: %w", err)
	}
	cfg.RootCAs = x509.NewCertPool()
	if !cfg.RootCAs.AppendCertsFromPEM(pem) {
		return nil, hintError{fmt.Errorf("%s holds no certificate", s.ca), "--ca wants a file in PEM form: -----BEGIN CERTIFICATE-----"}
	}
	return cfg, nil
}

// errTimeout is why a shot's context ends by itself.
var errTimeout = errors.New("time is over")

// explain adds advice to the errors of a connection that have a usual cause.
func (s *shot) explain(err error) error {
	var unknown x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var record tls.RecordHeaderError
	hint := ""
	switch {
	case errors.Is(err, errTimeout):
		hint = fmt.Sprintf("the screen did not stay unchanged for %v within %v: give a shorter --quiet or a longer --timeout", s.quiet, s.timeout)
	case errors.Is(err, wire.LinkErrPermissionDenied):
		hint = "the password is wrong or has expired: give it with --password or $" + passwordEnv
	case errors.Is(err, wire.LinkErrNeedSecured):
		hint = "the server wants TLS: use its TLS port with --tls and --ca FILE"
	case errors.Is(err, client.ErrNotSPICE):
		hint = "something else listens on " + s.addr
	case errors.Is(err, syscall.ECONNREFUSED):
		hint = "nothing listens on " + s.addr + ": is the server running, and is that its port?"
	case errors.As(err, &unknown):
		hint = "give the certificate of the server's authority with --ca FILE"
	case errors.As(err, &hostname):
		hint = "give the name in the server's certificate with --tls-name"
	case errors.As(err, &record):
		hint = "the port does not speak TLS: leave --tls, --ca and --insecure out, or use the server's TLS port"
	default:
		return err
	}
	return hintError{err, hint}
}
