package web

import (
	"maps"
	"net/http"
)

// privateHeader is documentHeader for what only one reader may see.
var privateHeader = func() map[string][]string {
	h := maps.Clone(documentHeader)
	h["Cache-Control"] = []string{"private, max-age=300"}
	h["Referrer-Policy"] = []string{"no-referrer"}
	h["Cross-Origin-Resource-Policy"] = []string{"same-origin"}
	delete(h, "Access-Control-Allow-Origin")
	delete(h, "Access-Control-Expose-Headers")
	return h
}()

// private serves a reader's own feed. The token in its address is all that
// protects it, so that a wrong one and one that has ended get the same answer.
func (s *server) private(w http.ResponseWriter, r *http.Request) error {
	reader, err := s.People.Feed(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	snap := s.Snapshot()
	if snap == nil || s.feeds() == nil {
		return errStarting
	}
	in, ok := s.tongues.locales.Find(reader.Language)
	if !ok {
		in = s.tongues.own
	}
	f, err := s.Private(r.Context(), snap, in.T("feed.private"), reader.By...)
	if err != nil {
		return err
	}
	for _, o := range offered {
		if doc := f.Docs[o.format]; doc != nil && o.format.FileName() == r.PathValue("file") {
			s.documentAs(privateHeader, w, r, s.queried.of(doc))
			return nil
		}
	}
	return errNotFound
}
