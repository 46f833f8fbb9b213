package remote

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Login is who we are to one origin: a user and a password, or a bearer token.
type Login struct {
	// Origin is scheme://host[:port]. Without a port it is the scheme's own. The
	// scheme may be http, https or oci.
	Origin             string
	Username, Password string
	Bearer             string // empty: Username and Password count
}

// login is a Login whose origin was read.
type login struct {
	Login
	scheme string
	host   string // small letters, without port
	port   string // empty: the scheme's own
}

func readLogins(given []Login) ([]login, error) {
	var all []login
	for _, g := range given {
		l, err := readLogin(g)
		if err != nil {
			return nil, fmt.Errorf("login for %.100q: %w", withoutUser(g.Origin), err)
		}
		all = append(all, l)
	}
	return all, nil
}

func readLogin(given Login) (login, error) {
	l := login{Login: given}
	scheme, hostport, found := strings.Cut(given.Origin, "://")
	l.scheme = strings.ToLower(scheme)
	u, err := url.Parse("//" + strings.TrimSuffix(hostport, "/"))
	if !found || err != nil || u.Hostname() == "" || u.User != nil || u.Path+u.RawQuery+u.Fragment != "" {
		return login{}, errors.New("not scheme://host[:port]")
	}
	if l.scheme != "http" && l.scheme != "https" && l.scheme != "oci" {
		return login{}, errors.New("the scheme has to be http, https or oci")
	}
	l.host, l.port = strings.ToLower(u.Hostname()), u.Port()
	switch {
	case given.Bearer != "" && given.Username+given.Password != "":
		return login{}, errors.New("a user with password and a bearer token, where there can be only one of them")
	case given.Bearer+given.Username+given.Password == "":
		return login{}, errors.New("neither a user nor a bearer token")
	case strings.ContainsAny(given.Bearer, "\r\n\x00"), strings.Contains(given.Username, ":"):
		return login{}, errors.New("what can't be sent: a line break in the token, or a colon in the user's name")
	}
	return l, nil
}

// withoutUser returns an origin as errors may show it, also when somebody wrote a
// password into it.
func withoutUser(origin string) string {
	return origin[strings.LastIndexByte(origin, '@')+1:]
}

// find returns the login for requests to u; nil where there is none. The URL may also
// go by the scheme alias, unless that is empty: oci for a registry's https.
func (c *Client) find(u *url.URL, alias string) *login {
	host, port := strings.ToLower(u.Hostname()), cmp.Or(u.Port(), defaultPort(u.Scheme))
	for i := range c.logins {
		l := &c.logins[i]
		switch {
		case l.host != host:
		case l.scheme != u.Scheme && (l.scheme != alias || alias == ""):
		case l.port == port, l.port == "" && port == defaultPort(u.Scheme):
			return l
		}
	}
	return nil
}

func defaultPort(scheme string) string {
	return map[string]string{"http": "80", "https": "443"}[scheme]
}

// authorize sends the credentials for the address along, if there are any. They
// go by header and not in the URL, where errors and redirects would carry them on.
func (c *Client) authorize(req *http.Request, user *url.Userinfo) {
	l := c.find(req.URL, "")
	switch {
	case user != nil:
		password, _ := user.Password()
		req.SetBasicAuth(user.Username(), password)
	case l == nil:
	case l.Bearer != "":
		req.Header.Set("Authorization", "Bearer "+l.Bearer)
	default:
		req.SetBasicAuth(l.Username, l.Password)
	}
}
