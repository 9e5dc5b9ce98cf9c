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
