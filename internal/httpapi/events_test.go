package httpapi

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"chartserve/internal/repo"
)

// follow reads events, one a call, from a server.
func follow(t *testing.T, addr, headers string) (net.Conn, func() string) {
	t.Helper()
	c := dial(t, addr)
	if _, err := io.WriteString(c, "GET /charts/events HTTP/1.1\r\nHost: localhost\r\n"+headers+"\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 {
		return c, func() string { return resp.Status }
	}
	if kind := resp.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Errorf("Content-Type %s", kind)
	}
	r := bufio.NewReader(resp.Body)
	return c, func() string {
		var event strings.Builder
		for {
			line, err := r.ReadString('\n')
			event.WriteString(line)
			if err != nil {
				return event.String() + err.Error()
			}
			if line == "\n" {
				return event.String()
			}
		}
	}
}

// A client gets the state at once, then each change, and the end of the server.
func TestEvents(t *testing.T) {
	u := newUploader(t, Options{}, repo.Options{})
	server, addr := serve(t, &fixture{t: t, h: u.h})
	_, next := follow(t, addr, "")
	first := next()
	if !strings.Contains(first, "event: change\ndata: {\"ready\":true,\"charts\":0,\"archives\":0,\"failures\":0}\n\n") || !strings.HasPrefix(first, "id: ") {
		t.Fatalf("the first: %q", first)
	}
	start := time.Now()
	u.upload("nova", "1.0.0")
	if got := next(); !strings.Contains(got, `"charts":1,`) || time.Since(start) > 2*time.Second {
		t.Errorf("after %v: %q", time.Since(start), got)
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(ctx)
	}()
	start = time.Now()
	if got := next(); got != "EOF" || time.Since(start) > 2*time.Second {
		t.Errorf("when the server ended, after %v: %q", time.Since(start), got)
	}
}

// Who comes back with the last id gets the next event, not that one again; limit=1 is one.
func TestEventsGoOn(t *testing.T) {
	u := newUploader(t, Options{}, repo.Options{})
	_, body := u.do(http.MethodGet, "/events?limit=1", nil)
	id, _, _ := strings.Cut(strings.TrimPrefix(body, "id: "), "\n")
	time.AfterFunc(100*time.Millisecond, func() { u.upload("nova", "1.0.0") })
	code, next := u.do(http.MethodGet, "/events?limit=1", nil, "Last-Event-ID", id)
	if code != http.StatusOK || !strings.Contains(next, `"charts":1,`) || strings.Contains(next, id) {
		t.Errorf("after %q: %d %q", body, code, next)
	}
}

// What a reader may not see is no event for them.
func TestEventsOfSome(t *testing.T) {
	u := newUploader(t, Options{Access: guardOf(t, "", `- {names: [reader], rights: [read], charts: [nova]}`)}, repo.Options{})
	_, addr := serve(t, &fixture{t: t, h: u.h})
	_, next := follow(t, addr, "Authorization: "+as("reader")[1]+"\r\n")
	next()
	for _, name := range []string{"hidden", "nova"} {
		if code, body := u.do(http.MethodPost, "/api/charts", strings.NewReader(string(chartArchive(t, name, "1.0.0", nil))), as("all")...); code != 201 {
			t.Fatalf("%d %s", code, body)
		}
		time.Sleep(2 * eventsApart)
	}
	if got := next(); !strings.Contains(got, `"charts":1,"archives":1,`) {
		t.Errorf("got %q", got)
	}
}

// No more are told than Options.Followers, and those who go make room.
func TestFollowersAreBounded(t *testing.T) {
	u := newUploader(t, Options{Followers: 2}, repo.Options{})
	_, addr := serve(t, &fixture{t: t, h: u.h})
	first, next := follow(t, addr, "")
	next()
	_, next = follow(t, addr, "")
	next()
	if _, next = follow(t, addr, ""); next() != "503 Service Unavailable" {
		t.Error("a third one was told")
	}
	first.Close()
	for range 50 {
		if _, next = follow(t, addr, ""); next() != "503 Service Unavailable" {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("who went made no room")
}

// However many follow, what they are told of a View is made once.
func TestChangesAreMadeOnce(t *testing.T) {
	var c changes
	v := repo.NewView(nil)
	first := c.of(v)
	v.Status.Failures = []repo.Failure{{Path: "a"}} // nobody changes a View
	if again := c.of(v); again != first {
		t.Errorf("made again: %v, and %v", first, again)
	}
	if other := c.of(&repo.View{Status: v.Status}); other.id == first.id || other.Failures != 1 {
		t.Errorf("another View has the same: %v", other)
	}
}
