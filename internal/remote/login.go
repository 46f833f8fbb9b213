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
	at *url.URL
}

func readLogins(given []Login) ([]login, error) {
	var all []login
	for _, l := range given {
		u, err := url.Parse(l.Origin)
		if err != nil || u.Hostname() == "" || u.User != nil || strings.TrimSuffix(u.Path, "/")+u.RawQuery+u.Fragment != "" {
			err = errors.New("not scheme://host[:port]")
		} else {
			err = checkLogin(u.Scheme, l)
		}
		if err != nil {
			return nil, fmt.Errorf("login for %.100q: %w", withoutUser(l.Origin), err)
		}
		all = append(all, login{l, u})
	}
	return all, nil
}

func checkLogin(scheme string, l Login) error {
	switch {
	case scheme != "http" && scheme != "https" && scheme != "oci":
		return errors.New("the scheme has to be http, https or oci")
	case l.Bearer != "" && l.Username+l.Password != "":
		return errors.New("a user with password and a bearer token, where there can be only one of them")
	case l.Bearer+l.Username+l.Password == "":
		return errors.New("neither a user nor a bearer token")
	case strings.ContainsAny(l.Bearer, "\r\n\x00"), strings.Contains(l.Username, ":"):
		return errors.New("what can't be sent: a line break in the token, or a colon in the user's name")
	}
	return nil
}

// withoutUser returns an origin as errors may show it, also when somebody wrote a
// password into it.
func withoutUser(origin string) string {
	return origin[strings.LastIndexByte(origin, '@')+1:]
}

// find returns the login for requests to u; nil where there is none. The URL may also
// go by the scheme alias, unless that is empty: oci for a registry's https.
func (c *Client) find(u *url.URL, alias string) *login {
	port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	for i := range c.logins {
		l := &c.logins[i]
		switch {
		case !strings.EqualFold(l.at.Hostname(), u.Hostname()):
		case l.at.Scheme != u.Scheme && (l.at.Scheme != alias || alias == ""):
		case cmp.Or(l.at.Port(), port) == cmp.Or(u.Port(), port):
			return l
		}
	}
	return nil
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
