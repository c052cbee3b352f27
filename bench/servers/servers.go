// Package servers has what the commands that measure whole servers share: ours and
// the reference's feeder (bench/peer) as programs that play a recording.
package servers

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Build builds our program, of the module in the folder root, and returns its path in dir.
func Build(ctx context.Context, root, dir string) (string, error) {
	program := filepath.Join(dir, "spiceecs")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/spiceecs")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building spiceecs: %w: %s", err, out)
	}
	return program, nil
}

// freePort is a TCP port of the loopback interface that nobody listens on.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// Unpack writes what a zstd file holds to another one.
func Unpack(to, from string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	r, err := zstd.NewReader(in)
	if err != nil {
		return err
	}
	defer r.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, r)
	return err
}

// Server is a program to which clients can connect.
type Server struct {
	Cmd    *exec.Cmd
	Addr   string
	Report bytes.Buffer // of the reference's feeder at its end

	says *bufio.Scanner
}

// Ours starts our server, with arguments of `serve`.
func Ours(program string, args ...string) (*Server, error) {
	sv := &Server{Cmd: exec.Command(program, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)}
	sv.Cmd.Stderr = os.Stderr
	says, err := sv.Cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return sv, sv.start(says)
}

// Reference starts the reference's feeder.
func Reference(program string, args ...string) (*Server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	sv := &Server{Cmd: exec.Command(program, append([]string{"--port", port}, args...)...), Addr: "127.0.0.1:" + port}
	sv.Cmd.Stdout = &sv.Report
	says, err := sv.Cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := sv.start(says); err != nil {
		return nil, fmt.Errorf("%w (make -C bench/peer builds it)", err)
	}
	return sv, nil
}

// start waits until the program says that clients can connect.
func (sv *Server) start(says io.Reader) error {
	if err := sv.Cmd.Start(); err != nil {
		return err
	}
	sv.says = bufio.NewScanner(says)
	for sv.says.Scan() {
		if _, addr, ok := strings.Cut(sv.says.Text(), "spice://"); ok {
			sv.Addr = addr
			return nil
		}
		if sv.says.Text() == "READY" {
			return nil
		}
	}
	return errors.Join(errors.New("it does not say that it listens"), sv.Stop())
}

// Fed waits for the last command. It returns when that was, and how many seconds
// feeding has taken.
func (sv *Server) Fed() (at time.Time, seconds float64, err error) {
	for sv.says.Scan() {
		line := sv.says.Text()
		if n, _ := fmt.Sscanf(line, "FED %f", &seconds); n == 1 {
			return time.Now(), seconds, nil
		}
		if n, _ := fmt.Sscanf(line, "Played in %f s", &seconds); n == 1 {
			return time.Now(), seconds, nil
		}
	}
	return at, 0, errors.New("it ended without having fed all")
}

// Listen takes what else the program says, which must not block it, until it ends.
func (sv *Server) Listen() {
	for sv.says.Scan() {
	}
}

// Stop kills the program.
func (sv *Server) Stop() error {
	err := sv.Cmd.Process.Kill()
	_ = sv.Cmd.Wait() // it was killed
	return err
}
