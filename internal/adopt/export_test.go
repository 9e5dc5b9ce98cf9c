package adopt

// Parse reads one page of a feed, as Read does.
func Parse(b []byte, source string) ([]Entry, error) {
	doc, err := parse(b, source)
	return doc.entries, err
}

// Address is the form in which links are compared.
func Address(link string) (host, path string) { return address(link) }
