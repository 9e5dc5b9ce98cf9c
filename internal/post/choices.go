package post

// fullText gives the post's own choice for its feeds; nil if it has none.
func (f *fields) fullText() *bool {
	if on, known := f.get("fulltext").truth(); known {
		return &on
	}
	if excerpt, known := f.peek("feed").get("excerptonly").truth(); known {
		full := !excerpt
		return &full
	}
	return nil
}
