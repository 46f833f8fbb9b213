// Package metrics counts what a server does, and tells Prometheus.
//
// There is one Metrics a process. Requests and passes are counted as they end
// (httpapi.Observer, repo.Observer); what the repository holds is read from its View when
// somebody asks. Labels have few values, none of which a client chooses: routes are
// patterns, and unknown methods are one. What each metric means is in its help text.
package metrics
