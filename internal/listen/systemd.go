package listen

import (
	"fmt"
	"log/slog"
	"net"
	"strings"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
)

// redirectName is the FileDescriptorName of the socket that does what --redirect-http does.
const redirectName = "redirect-http"

// inherited are the sockets that systemd listens on for this service, as sd_listen_fds(3)
// has it; none without a .socket unit.
func inherited() (all []*Address, redirect *Address, err error) {
	files := activation.Files(true)
	defer func() {
		for _, f := range files {
			f.Close() // the listener has its own
		}
	}()
	for _, f := range files {
		l, err := net.FileListener(f)
		if err == nil && l.Addr().Network() != "tcp" && l.Addr().Network() != "unix" {
			l.Close()
			err = fmt.Errorf("it is %s", l.Addr().Network())
		}
		if err != nil {
			return all, redirect, fmt.Errorf("the socket %s that the service manager passed on: %w (the .socket unit should have ListenStream=)", f.Name(), err)
		}
		a := addressOf(l)
		if f.Name() == redirectName {
			redirect = a
			continue
		}
		all = append(all, a)
	}
	return all, redirect, nil
}

// addressOf is the address that somebody else has opened.
func addressOf(l net.Listener) *Address {
	a := &Address{sockets: []net.Listener{l}}
	switch at := l.Addr().(type) {
	case *net.TCPAddr:
		a.Port = at.Port
		if !at.IP.IsUnspecified() {
			a.Host = at.IP.String()
		}
	case *net.UnixAddr:
		a.Path = at.Name
	}
	return a
}

// What the service manager is told.
const (
	ServiceReady    = daemon.SdNotifyReady
	ServiceStopping = daemon.SdNotifyStopping
)

// NotifyReloading tells the service manager that ServiceReady will follow.
func NotifyReloading(log *slog.Logger) {
	Notify(log, daemon.SdNotifyReloading, daemon.SdNotifyMonotonicUsec())
}

// Notify tells the service manager how far the server is, as sd_notify(3) has it; without
// one it does nothing.
func Notify(log *slog.Logger, states ...string) {
	if _, err := daemon.SdNotify(false, strings.Join(states, "\n")); err != nil {
		log.Warn("the service manager ($NOTIFY_SOCKET) can't be told", "error", err, "of", states[0])
	}
}
