package listen

import (
	"errors"
	"net"
	"slices"
	"testing"
)

func TestDialer(t *testing.T) {
	loopback := []string{"127.0.0.1:8879", "[::1]:8879"}
	for text, c := range map[string]struct {
		unix    bool
		targets []string
	}{
		"localhost:8879":  {false, loopback},
		":8879":           {false, loopback},
		"0.0.0.0:8879":    {false, loopback},
		"[::]:8879":       {false, loopback},
		"192.0.2.10:80":   {false, []string{"192.0.2.10:80"}},
		"[fe80::1%lo]:80": {false, []string{"[fe80::1%lo]:80"}},
		"unix:/run/x":     {true, []string{"/run/x"}},
	} {
		d, err := NewDialer(t.Context(), text)
		if err != nil || d.Unix != c.unix || !slices.Equal(d.targets, c.targets) {
			t.Errorf("%s: got %+v, %v, want %v", text, d, err, c.targets)
		}
	}
	for _, text := range []string{"", "localhost", "localhost:0", ":0", "unix:", "unix:@x", "http://localhost:8879", ":99999", ":-1"} {
		if d, err := NewDialer(t.Context(), text); !errors.As(err, new(ValueError)) {
			t.Errorf("%q: got %+v, %v, want a ValueError", text, d, err)
		}
	}
}

// A machine may have ::1 alone.
func TestDialSecond(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d := &Dialer{network: "tcp", targets: []string{"127.0.0.1:1", l.Addr().String()}}
	c, err := d.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// FuzzDialer: an address is understood, or it is no address.
func FuzzDialer(f *testing.F) {
	for _, text := range []string{"localhost:8879", ":1", "unix:/a", "unix:@a", "[::1]:http", "[::]:2"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := NewDialer(t.Context(), text)
		if err != nil != (d == nil) || err == nil && len(d.targets) == 0 || err != nil && !errors.As(err, new(ValueError)) {
			t.Errorf("%q: got %+v, %v", text, d, err)
		}
	})
}
