package metrics

import (
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"chartserve/internal/repo"
)

// namespace begins the names of all metrics but ChartMuseum's and those of the process.
const namespace = "chartserve"

// Metrics is a registry with all metrics. Its methods are safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	requests requests

	passes    *prometheus.CounterVec // by outcome
	duration  prometheus.Histogram
	latency   prometheus.Histogram
	downloads *prometheus.CounterVec // by outcome
}

// New makes the metrics of the chartserve of that version, of which nothing has happened yet.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: newRequests(),
		passes:   counters("passes_total", "Passes that brought the repository up to date with its sources, by outcome: ok or failed.", "outcome"),
		duration: histogram("pass_duration_seconds", "Time that a pass took.", .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300),
		latency: histogram("change_latency_seconds", "Time from the first event, in a source, in the repository folder or an upload, until requests got what it led to.",
			.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300),
		downloads: counters("downloads_total", "Downloads of dependencies from other repositories, by outcome: ok or failed.", "outcome"),
	}
	for _, vec := range []*prometheus.CounterVec{m.passes, m.downloads} {
		vec.WithLabelValues(ok)
		vec.WithLabelValues(failed)
	}
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "1, with the version of chartserve.",
		ConstLabels: prometheus.Labels{"version": version},
	}, func() float64 { return 1 })
	m.registry.MustRegister(m.passes, m.duration, m.latency, m.downloads, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.registry.MustRegister(m.requests.collectors()...)
	return m
}

const (
	ok     = "ok"
	failed = "failed"
)

func outcome(err error) string {
	if err != nil {
		return failed
	}
	return ok
}

// Passed is repo.Observer's.
func (m *Metrics) Passed(p repo.Pass) {
	m.passes.WithLabelValues(outcome(p.Err)).Inc()
	m.duration.Observe(p.Took.Seconds())
	if p.Latency > 0 {
		m.latency.Observe(p.Latency.Seconds())
	}
}

// Fetched is repo.Observer's.
func (m *Metrics) Fetched(err error) { m.downloads.WithLabelValues(outcome(err)).Inc() }

// Connections adds the number of open connections, which count returns.
func (m *Metrics) Connections(count func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "connections", Help: "Connections of clients that are open.",
	}, func() float64 { return float64(count()) }))
}

// Repository adds what the repository of that name holds; empty: the only one.
func (m *Metrics) Repository(name string, view func() *repo.View) {
	m.registry.MustRegister(newHoldings(name, view))
}

// Handler answers with all metrics, in the form that the client asks for. logger gets what
// keeps it from that.
func (m *Metrics) Handler(logger *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelError), MaxRequestsInFlight: 4,
	})
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func histogram(name, help string, buckets ...float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets})
}
