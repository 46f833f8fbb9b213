package listen

import (
	"cmp"
	"context"
	"net"
	"strconv"
)

// Dialer connects to the server that has text as its --address: HOST:PORT, whose host is
// the loopback addresses where the server listens on every interface, or unix:PATH.
type Dialer struct {
	Unix    bool // what is spoken there is HTTP, also beside HTTPS
	network string
	targets []string // tried in this order
}

// NewDialer reads text; the error is a ValueError.
func NewDialer(ctx context.Context, text string) (*Dialer, error) {
	host, port, path, err := parse(ctx, AddressFlag, text)
	switch {
	case err != nil:
		return nil, err
	case path != "":
		return &Dialer{Unix: true, network: "unix", targets: []string{path}}, nil
	case port == 0:
		return nil, badValue("invalid value %q for --address: port 0 is a free one that the server picks, and its log has it: write that one", text)
	}
	d := &Dialer{network: "tcp"}
	hosts := []string{host}
	if a := (&Address{Host: host}); host == "localhost" || a.everyInterface() {
		hosts = []string{"127.0.0.1", "::1"} // no hosts file is needed
	}
	for _, host := range hosts {
		d.targets = append(d.targets, net.JoinHostPort(host, strconv.Itoa(port)))
	}
	return d, nil
}

// Dial connects. The error is the first target's where there are two.
func (d *Dialer) Dial(ctx context.Context) (net.Conn, error) {
	var first error
	for _, target := range d.targets {
		c, err := new(net.Dialer).DialContext(ctx, d.network, target)
		if err == nil {
			return c, nil
		}
		first = cmp.Or(first, err)
	}
	return nil, first
}
