package web

import "net/http"

// healthz says that the process lives; nothing else can make it fail.
func (s *server) healthz(w http.ResponseWriter, r *http.Request) error {
	writeText(w, http.StatusOK, "ok\n")
	return nil
}

// readyz says whether the daemon can do its work, and if not, why.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) error {
	if err := s.Ready(r.Context()); err != nil {
		writeText(w, http.StatusServiceUnavailable, err.Error()+"\n")
		return nil
	}
	writeText(w, http.StatusOK, "ready\n")
	return nil
}

func (s *server) metrics(w http.ResponseWriter, r *http.Request) error {
	if s.Metrics == nil {
		return errNotFound
	}
	s.Metrics.ServeHTTP(w, r)
	return nil
}

// Probes is what a daemon answers that serves no pages: whether it lives, whether
// it is ready, and, to this machine, its metrics.
func Probes(d Deps) http.Handler {
	s := &server{Deps: d}
	mux := http.NewServeMux()
	for _, rt := range s.probes() {
		mux.HandleFunc("GET "+rt.pattern, func(w http.ResponseWriter, r *http.Request) {
			if rt.scope == forItself && !fromThisMachine(r) || rt.get(w, r) != nil {
				noPages(w, r)
			}
		})
	}
	mux.HandleFunc("/", noPages)
	return mux
}

func noPages(w http.ResponseWriter, _ *http.Request) {
	writeText(w, http.StatusNotFound, "This daemon serves no pages: it was started with --only.\n")
}

func (s *server) probes() []route {
	return []route{
		{pattern: "/healthz", get: s.healthz},
		{pattern: "/readyz", get: s.readyz},
		{pattern: "/metrics", get: s.metrics, scope: forItself},
	}
}
