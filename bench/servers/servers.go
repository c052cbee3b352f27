// Package servers has what the commands that measure whole servers share.
package servers

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
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

// FreePort is a TCP port of the loopback interface that nobody listens on.
func FreePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
