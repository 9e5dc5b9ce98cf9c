package publish

// Compress gives b in the coding "gzip", "br" or "zstd", as small as its
// siblings on disk.
func Compress(name string, b []byte) ([]byte, error) {
	c, err := newCoding(name)
	if err != nil {
		return nil, err
	}
	return c.compress(b)
}
