package metrics

import (
	"maps"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// requests counts the requests of clients. What is counted is found without a lock.
type requests struct {
	total    *prometheus.CounterVec   // by repo, route, method and code
	duration *prometheus.HistogramVec // by route
	bytes    *prometheus.CounterVec   // by route
	uploads  *prometheus.CounterVec   // by repo and outcome

	known *atomic.Pointer[map[answer]*series]
	mu    *sync.Mutex // for who adds to known
}

// answer is what the series of a request depend on.
type answer struct {
	repository, route, method string
	status                    int
}

// series are the metrics of an answer.
type series struct {
	total, bytes prometheus.Counter
	upload       prometheus.Counter // nil: it is none
	duration     prometheus.Observer
}

func newRequests() requests {
	r := requests{
		total: counters("http_requests_total", "Requests that were answered, by the pattern of the route, method and status; the code 0 is an answer that was cut off before it began.", "repo", "route", "method", "code"),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "http_request_duration_seconds", Help: "Time from a request's header to the end of its answer, by route.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"route"}),
		bytes:   counters("http_response_bytes_total", "Bytes of answers' bodies that went out, by route.", "route"),
		uploads: counters("uploads_total", "Uploads of archives and provenance files, by outcome: "+uploadOutcomes, "repo", "outcome"),
		known:   new(atomic.Pointer[map[answer]*series]),
		mu:      new(sync.Mutex),
	}
	for _, status := range []int{201, 200, 409, 401, 413, 400, 500} {
		r.uploads.WithLabelValues("", uploadOutcome(status))
	}
	r.known.Store(&map[answer]*series{})
	return r
}

func (r *requests) collectors() []prometheus.Collector {
	return []prometheus.Collector{r.total, r.duration, r.bytes, r.uploads}
}

// Answered is httpapi.Observer's.
func (m *Metrics) Answered(repository, route, method string, status int, bytes int64, took time.Duration) {
	s := m.requests.of(answer{repository, route, knownMethod(method), status})
	s.total.Inc()
	s.bytes.Add(float64(bytes))
	s.duration.Observe(took.Seconds())
	if s.upload != nil {
		s.upload.Inc()
	}
}

// of returns the series of a. There are as many as repositories, routes, methods and statuses, each of
// which is looked up in the vectors once.
func (r *requests) of(a answer) *series {
	if s := (*r.known.Load())[a]; s != nil {
		return s
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	route := a.route
	if route == "" {
		route = "none"
	}
	s := &series{
		total: r.total.WithLabelValues(a.repository, route, a.method, strconv.Itoa(a.status)), bytes: r.bytes.WithLabelValues(route),
		duration: r.duration.WithLabelValues(route),
	}
	if isUpload(a) {
		s.upload = r.uploads.WithLabelValues(a.repository, uploadOutcome(a.status))
	}
	known := maps.Clone(*r.known.Load())
	known[a] = s
	r.known.Store(&known)
	return s
}

// knownMethod bounds the values of the label.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// isUpload leaves out what no route takes.
func isUpload(a answer) bool {
	return (a.method == http.MethodPost || a.method == http.MethodPut) &&
		a.status != http.StatusNotFound && a.status != http.StatusMethodNotAllowed
}

const uploadOutcomes = "published, unchanged (the same bytes were there), conflict, denied, too_large, refused or failed."

func uploadOutcome(status int) string {
	switch {
	case status == http.StatusOK:
		return "unchanged"
	case status == http.StatusConflict:
		return "conflict"
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return "denied"
	case status == http.StatusRequestEntityTooLarge:
		return "too_large"
	case 200 <= status && status < 300:
		return "published"
	case 400 <= status && status < 500:
		return "refused"
	}
	return failed
}
