package keeper

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// Sockets in Options.Sockets, by which a proxy on the same machine reaches what Listen and Admin are for others. Such a
// connection costs a fraction of one between two containers' networks.
const (
	SiteSocket  = "site.sock"
	AdminSocket = "admin.sock"
)

// stream is a connection by TCP or by a socket of this machine.
type stream interface {
	net.Conn
	syscall.Conn
	CloseWrite() error
}

// listen listens on an address, and on a socket of that name in the directory if there is one.
func listen(address, directory, name string) ([]net.Listener, error) {
	tcp, err := listenTCP(address)
	if err != nil || directory == "" {
		return []net.Listener{tcp}, err
	}
	unix, err := listenUnix(filepath.Join(directory, name))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("--sockets %s: %w; give a directory that exists and can be written",
			directory, err), tcp.Close())
	}
	return []net.Listener{tcp, unix}, nil
}

// listenTCP leaves dead clients to the time-outs of client.go; the kernel's probes would cost four system calls for
// each connection.
func listenTCP(address string) (net.Listener, error) {
	return (&net.ListenConfig{KeepAlive: -1}).Listen(context.Background(), "tcp", address)
}

// listenUnix takes the place of a socket that a keeper before this one left behind; the lock of Options.Link says that
// it does not live any more.
func listenUnix(path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() != fs.ModeSocket {
		return nil, fmt.Errorf("%s is no socket, and is left alone", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return net.Listen("unix", path)
}
