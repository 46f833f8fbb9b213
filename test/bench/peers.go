package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// glance is how often a starting server is asked whether it is ready. Sockets are
// asked more seldom than a file is looked for, to leave the server its time; it
// makes no difference to starts that take seconds.
const (
	glance = 500 * time.Microsecond
	knock  = 5 * time.Millisecond
)

// serve starts chartserve and returns the seconds that it took to the first
// complete index.
func (b *bench) serve(ctx context.Context, args ...string) (*server, float64, error) {
	dir, err := b.folderFor("ready")
	if err != nil {
		return nil, 0, err
	}
	file := filepath.Join(dir, "url")
	args = append([]string{"serve", "--address", "127.0.0.1:0", "--ready-file", file}, args...)
	began := time.Now()
	s, err := b.start(ctx, b.tools.chartserve, args...)
	if err != nil {
		return nil, 0, err
	}
	err = s.until(ctx, glance, func() bool { _, err := os.Stat(file); return err == nil })
	took := time.Since(began).Seconds()
	if err == nil {
		var url []byte
		url, err = os.ReadFile(file)
		s.url = strings.TrimSpace(string(url))
		s.archives = s.url
	}
	if err != nil {
		s.stop()
		return nil, 0, err
	}
	return s, took, nil
}

// serveHelm2 starts Helm 2.17's server on a folder of archives.
func (b *bench) serveHelm2(ctx context.Context, dir string) (*server, float64, error) {
	return b.helm2Server(ctx, dir, true)
}

// helm2Server is serveHelm2, which without index serves the index.yaml that is
// there.
func (b *bench) helm2Server(ctx context.Context, dir string, index bool) (*server, float64, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, 0, err
	}
	return b.listening(ctx, "http://"+address+"/charts", "/index.yaml", b.tools.helm2serve, fmt.Sprintf("-index=%t", index), dir, address)
}

// serveMuseum starts ChartMuseum on a folder of archives. Its index is below the context
// path, its archives are in charts/ below that.
func (b *bench) serveMuseum(ctx context.Context, dir string, args ...string) (*server, float64, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, 0, err
	}
	_, port, _ := net.SplitHostPort(address)
	args = append([]string{"--port", port, "--listen-host", "127.0.0.1", "--context-path", "/charts", "--storage", "local", "--storage-local-rootdir", dir}, args...)
	s, seconds, err := b.listening(ctx, "http://"+address+"/charts", "/index.yaml", b.tools.chartmuseum, args...)
	if err == nil {
		s.archives = s.url + "/charts"
	}
	return s, seconds, err
}

// serveNginx starts nginx on a folder, as Debian sets it up for static files
// (sendfile, a worker for each core), but without the access log, which we have
// not either.
func (b *bench) serveNginx(ctx context.Context, dir string) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	home, err := b.folderFor("nginx")
	if err != nil {
		return nil, err
	}
	user := ""
	if os.Getuid() == 0 {
		user = "user root;\n" // the folder may be below one that nobody else may enter
	}
	conf := filepath.Join(home, "nginx.conf")
	if err := os.WriteFile(conf, []byte(user+fmt.Sprintf(nginxConf, address, dir)), 0o644); err != nil {
		return nil, err
	}
	s, _, err := b.listening(ctx, "http://"+address+"/charts", "/index.yaml", b.tools.nginx, "-p", home, "-c", conf, "-e", filepath.Join(home, "error.log"))
	return s, err
}

const nginxConf = `daemon off;
worker_processes auto;
pid nginx.pid;
events { worker_connections 1024; }
http {
  types { application/gzip tgz; text/yaml yaml; }
  access_log off;
  sendfile on;
  tcp_nopush on;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen %s;
    location /charts/ { alias %s/; }
  }
}
`

// serveRegistry starts distribution's registry on a folder of its own, without its access log.
func (b *bench) serveRegistry(ctx context.Context) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	dir, err := b.folderFor("registry")
	if err != nil {
		return nil, err
	}
	conf := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(conf, fmt.Appendf(nil, registryConf, dir, address), 0o644); err != nil {
		return nil, err
	}
	s, _, err := b.listening(ctx, "http://"+address, "/v2/", b.tools.registry, "serve", conf)
	return s, err
}

const registryConf = `version: 0.1
log:
  level: error
  accesslog: {disabled: true}
storage:
  filesystem: {rootdirectory: %s/data}
http:
  addr: %s
`

// listening starts a server and waits until path answers 200; the seconds are to
// that answer's end.
func (b *bench) listening(ctx context.Context, url, path, name string, args ...string) (*server, float64, error) {
	began := time.Now()
	s, err := b.start(ctx, name, args...)
	if err != nil {
		return nil, 0, err
	}
	s.url, s.archives = url, url
	c := newClient(1)
	defer c.close()
	err = s.until(ctx, knock, func() bool {
		a, err := c.get(ctx, url+path)
		return err == nil && a.status == http.StatusOK
	})
	if err != nil {
		s.stop()
		return nil, 0, err
	}
	return s, time.Since(began).Seconds(), nil
}

// freeAddress is a loopback address that nobody listens on just now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
