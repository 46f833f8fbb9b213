package accesslog

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"strconv"
	"time"
)

// Request is a request that was answered. All texts but Client and ID are the client's.
type Request struct {
	// Time is when it came.
	Time   time.Time `json:"time"`
	Method string    `json:"method"`
	// Path and Query are escaped as in a URL.
	Path  string `json:"path"`
	Query string `json:"query,omitempty"`
	Proto string `json:"proto"`
	// Status is 0 where the client got no answer.
	Status int `json:"status"`
	// Bytes are those of the answer's body that went out.
	Bytes        int64   `json:"bytes"`
	Milliseconds float64 `json:"milliseconds"`
	// Client is an address, with a port where it is the peer's own.
	Client string `json:"client"`
	// User is who the client has proved to be; empty: nobody.
	User    string `json:"user,omitempty"`
	Agent   string `json:"agent,omitempty"`
	Referer string `json:"referer,omitempty"`
	// ID is the answer's X-Request-Id.
	ID string `json:"requestID"`
}

// Form appends the line of a request to b, without a newline. No text of the client's
// makes another line or another field of it.
type Form func(b []byte, r *Request) []byte

// JSON is an object a line.
func JSON(b []byte, r *Request) []byte {
	text, _ := json.Marshal(r) // a struct of texts and numbers has no errors
	return append(b, text...)
}

// Common is the form of NCSA's httpd: client, user, time, request, status and bytes.
func Common(b []byte, r *Request) []byte {
	client := r.Client
	if host, _, err := net.SplitHostPort(client); err == nil {
		client = host
	}
	b = appendWord(b, client)
	b = append(b, " - "...)
	b = appendWord(b, r.User)
	b = r.Time.AppendFormat(b, " [02/Jan/2006:15:04:05 -0700] ")
	b = append(b, '"')
	b = appendText(b, r.Method)
	b = append(b, ' ')
	b = appendText(b, r.Path)
	if r.Query != "" {
		b = append(b, '?')
		b = appendText(b, r.Query)
	}
	b = append(b, ' ')
	b = appendText(b, r.Proto)
	b = append(b, `" `...)
	b = strconv.AppendInt(b, int64(r.Status), 10)
	b = append(b, ' ')
	return strconv.AppendInt(b, r.Bytes, 10)
}

// Combined is Common with the referer and the user agent, as Apache and nginx have it.
func Combined(b []byte, r *Request) []byte {
	b = Common(b, r)
	for _, text := range [...]string{r.Referer, r.Agent} {
		b = append(b, ` "`...)
		b = appendText(b, cmp.Or(text, "-"))
		b = append(b, '"')
	}
	return b
}

// appendWord is for a field without quotes, in which a blank would begin the next one.
func appendWord(b []byte, text string) []byte { return escape(b, cmp.Or(text, "-"), '!') }

// appendText is for a text in quotes.
func appendText(b []byte, text string) []byte { return escape(b, text, ' ') }

// escape writes quotes, backslashes, and what is no printable ASCII from least on as \xHH,
// as nginx does.
func escape(b []byte, text string, least byte) []byte {
	const hex = "0123456789ABCDEF"
	for _, c := range []byte(text) {
		if c < least || c > '~' || c == '"' || c == '\\' {
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
			continue
		}
		b = append(b, c)
	}
	return b
}

// To has logger get a record for each request.
func To(logger *slog.Logger) func(*Request) {
	return func(r *Request) {
		attrs := []slog.Attr{
			slog.String("method", r.Method), slog.String("path", r.Path),
			slog.Int("status", r.Status), slog.Int64("bytes", r.Bytes), slog.Float64("milliseconds", r.Milliseconds),
			slog.String("client", r.Client), slog.String("agent", r.Agent), slog.String("requestID", r.ID),
			slog.String("user", r.User),
		}
		if r.User == "" { // cut, because to append would have all of them on the heap
			attrs = attrs[:len(attrs)-1]
		}
		logger.LogAttrs(context.Background(), slog.LevelInfo, "request", attrs...)
	}
}
