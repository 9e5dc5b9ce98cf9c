package catalog

import (
	"maps"
	"net/url"
	"os"
	"path"
	"strings"

	"tidings/internal/post"
)

// smallest is the size in bytes from which on a file is taken for a recording.
// What is smaller stands for one that is kept elsewhere, as with Git LFS.
const smallest = 1 << 10

// recording gives where a post's recording would be below the posts directory:
// beside the post, or from the root for an address that starts there. It is ""
// for an address elsewhere.
func recording(p *post.Post) string {
	if p == nil || p.Enclosure.URL == "" {
		return ""
	}
	u, err := url.Parse(p.Enclosure.URL)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Path == "" {
		return ""
	}
	at := u.Path
	if !strings.HasPrefix(at, "/") {
		at = path.Join("/", path.Dir(p.File), at)
	}
	return strings.TrimPrefix(path.Clean(at), "/")
}

// measure gives the size of a post's recording in bytes; 0 if it is not here.
func (f *folder) measure(p *post.Post) int64 {
	rel := recording(p)
	if rel == "" {
		return 0
	}
	info, err := os.Stat(f.path(rel))
	if err != nil || !info.Mode().IsRegular() || info.Size() < smallest {
		return 0
	}
	return info.Size()
}

// follow notes that a file holds the post after now, and no more the one
// before, so that events of its recording can be told from others.
func (f *folder) follow(rel string, before, after *post.Post) {
	old, now := recording(before), recording(after)
	if old == now {
		return
	}
	if delete(f.media[old], rel); len(f.media[old]) == 0 {
		delete(f.media, old)
	}
	if now == "" {
		return
	}
	if f.media[now] == nil {
		f.media[now] = map[string]bool{}
	}
	f.media[now][rel] = true
}

// withPosts adds to names the posts whose recordings are among them, and has
// those read anew.
func (f *folder) withPosts(names map[string]bool) map[string]bool {
	all := names
	for rel := range names {
		for of := range f.media[rel] {
			if len(all) == len(names) {
				all = maps.Clone(names)
			}
			all[of] = true
		}
	}
	return all
}
