package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// client is an HTTP client that asks for nothing by itself: no gzip, as Helm.
type client struct{ http *http.Client }

func newClient(connections int) *client {
	return &client{&http.Client{
		Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections},
		Timeout:   5 * time.Minute,
	}}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// answer is one response, read to its end.
type answer struct {
	status int
	etag   string
	body   []byte
	// began is when the answer's head was there.
	began time.Time
}

func (c *client) get(ctx context.Context, url string) (answer, error) {
	return c.do(ctx, http.MethodGet, url, nil)
}

func (c *client) head(ctx context.Context, url string) (answer, error) {
	return c.do(ctx, http.MethodHead, url, nil)
}

func (c *client) do(ctx context.Context, method, url string, header map[string]string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return answer{}, err
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	return c.send(req)
}

func (c *client) send(req *http.Request) (answer, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, etag: resp.Header.Get("Etag"), began: time.Now()}
	a.body, err = io.ReadAll(resp.Body)
	return a, err
}

// digests reads index.json: the digest of each archive, by "name version".
func (c *client) digests(ctx context.Context, base string) (map[string]string, string, error) {
	a, err := c.get(ctx, base+"/index.json")
	if err != nil {
		return nil, "", err
	}
	var index struct {
		Entries map[string][]struct{ Name, Version, Digest string }
	}
	if err := json.Unmarshal(a.body, &index); err != nil {
		return nil, "", fmt.Errorf("index.json: status %d: %w", a.status, err)
	}
	all := map[string]string{}
	for _, versions := range index.Entries {
		for _, v := range versions {
			all[v.Name+" "+v.Version] = v.Digest
		}
	}
	return all, a.etag, nil
}

// await polls until the index is another one than etag's and done agrees to it. It
// returns when that was first seen.
func (c *client) await(ctx context.Context, base, etag string, done func(digests map[string]string) bool) (time.Time, error) {
	const pause = 2 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		a, err := c.head(ctx, base+"/index.json")
		if err != nil {
			return time.Time{}, err
		}
		if a.etag != etag && a.status == http.StatusOK {
			digests, now, err := c.digests(ctx, base)
			if err != nil {
				return time.Time{}, err
			}
			if now == a.etag && done(digests) {
				return a.began, nil
			}
			if now == a.etag {
				etag = now
			}
			continue
		}
		time.Sleep(pause)
	}
}

// hammer asks for url total times over a few connections and wants 200 each time.
func hammer(ctx context.Context, url func(i int) string, total int) error {
	const connections = 8
	c := newClient(connections)
	defer c.close()
	return parallel(connections, 0, total, func(i int) error {
		a, err := c.get(ctx, url(i))
		if err == nil && a.status != http.StatusOK {
			err = fmt.Errorf("GET %s: status %d", url(i), a.status)
		}
		return err
	})
}
