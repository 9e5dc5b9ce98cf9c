package post

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// extensions of Markdown files; posts in HTML need a date in their name.
var markdownExtensions = []string{".md", ".markdown", ".mdown", ".mkd", ".mkdn", ".mdx"}

func isHTML(file string) bool {
	ext := strings.ToLower(path.Ext(file))
	return ext == ".html" || ext == ".htm"
}

// IsCandidate tells by its name alone whether a file may be a post; file is
// its slash-separated path below the posts directory. Hidden files and
// folders, what editors leave behind, section pages and READMEs are none.
func IsCandidate(file string) bool {
	dirs := strings.Split(file, "/")
	base := dirs[len(dirs)-1]
	dirs = dirs[:len(dirs)-1]
	if slices.ContainsFunc(dirs, skippedFolder) || strings.ContainsAny(base[:min(1, len(base))], "._#~") {
		return false
	}
	if strings.Contains(base, ".sync-conflict-") {
		return false
	}
	name := parseName(file)
	if name.section {
		return false
	}
	return slices.Contains(markdownExtensions, strings.ToLower(path.Ext(base))) || isHTML(base) && name.dated()
}

// skippedFolder tells whether generators never look for posts in a folder.
func skippedFolder(dir string) bool {
	switch dir {
	case "_posts", "_drafts":
		return false
	case "node_modules":
		return true
	}
	return strings.HasPrefix(dir, ".") || strings.HasPrefix(dir, "_")
}

// BundleResource tells whether a file belongs to another post: it lies in or
// below a folder whose index file is the post. hasIndex tells whether a
// folder holds one; it is asked for slash-separated paths, never for the
// posts directory itself. Files with a date in their name are posts of their
// own.
func BundleResource(file string, hasIndex func(dir string) bool) bool {
	name := parseName(file)
	dir := path.Dir(file)
	if name.index {
		dir = path.Dir(dir)
	} else if name.dated() {
		return false
	}
	for ; dir != "." && dir != "/"; dir = path.Dir(dir) {
		if base := path.Base(dir); base == "_posts" || base == "_drafts" {
			return false
		}
		if hasIndex(dir) {
			return true
		}
	}
	return false
}

// A fileName is what the path of a file says about its post.
type fileName struct {
	slug     string     // without date, language and extension; the folder's name for an index file
	day      *civilDate // date in the name
	dirDay   *civilDate // date in the folders
	language string
	index    bool // the folder is the post
	section  bool // the page of a section, or a README: no post
	draft    bool // lies in _drafts
	terms    []string
}

func (n fileName) dated() bool { return n.day != nil }

type civilDate struct{ year, month, day int }

// in gives midnight in a zone.
func (d civilDate) in(loc *time.Location) time.Time {
	return time.Date(d.year, time.Month(d.month), d.day, 0, 0, 0, 0, loc)
}

func parseName(file string) fileName {
	dirs := strings.Split(path.Dir(file), "/")
	stem := path.Base(file)
	stem = strings.TrimSuffix(stem, path.Ext(stem))
	n := fileName{draft: slices.Contains(dirs, "_drafts"), terms: foldersOfPosts(dirs)}
	stem, n.language = cutLanguage(stem)
	lower := strings.ToLower(stem)
	n.section = lower == "_index" || lower == "readme"
	if n.language == "" {
		n.language = folderLanguage(dirs)
	}
	if n.index = lower == "index" && path.Dir(file) != "."; n.index {
		stem, dirs = dirs[len(dirs)-1], dirs[:len(dirs)-1]
	}
	n.day, n.slug = cutDate(stem)
	n.dirDay = folderDate(dirs)
	if n.slug == "" {
		n.slug = stem
	}
	if n.index && n.day == nil {
		// posts/2024/05/07/index.md: the folders hold the date and no name
		n.dirDay = folderDate(append(dirs, stem))
	}
	return n
}

var datedStem = regexp.MustCompile(`^(\d{4})-(\d{1,2})-(\d{1,2})(?:[-_ ](.+))?$`)

// cutDate cuts a leading date off a name. A date that the calendar does not
// know is part of the name.
func cutDate(stem string) (*civilDate, string) {
	if stem == "" || stem[0] < '0' || stem[0] > '9' {
		return nil, stem
	}
	m := datedStem.FindStringSubmatch(stem)
	if m == nil {
		return nil, stem
	}
	day := makeDate(m[1], m[2], m[3])
	if day == nil {
		return nil, stem
	}
	return day, m[4]
}

// makeDate gives nil for a day that does not exist, or lies before 1970.
func makeDate(year, month, day string) *civilDate {
	y, _ := strconv.Atoi(year)
	m, _ := strconv.Atoi(month)
	d, _ := strconv.Atoi(day)
	at := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if y < firstYear || y > lastYear || int(at.Month()) != m || at.Day() != d {
		return nil
	}
	return &civilDate{y, m, d}
}

var datePath = regexp.MustCompile(`(?:^|/)(\d{4})/(\d{1,2})/(\d{1,2})(?:[-_/]|$)`)

// folderDate finds the date in the names of folders: 2024/05/07, 2024-05-07
// or 2024-05-07-name; the innermost counts.
func folderDate(dirs []string) *civilDate {
	for _, dir := range slices.Backward(dirs) {
		if day, _ := cutDate(dir); day != nil {
			return day
		}
	}
	return pathDate(strings.Join(dirs, "/"))
}

// pathDate finds /2024/05/07/ in an address.
func pathDate(address string) *civilDate {
	if len(address) < len("2006/1/2") {
		return nil
	}
	m := datePath.FindStringSubmatch(address)
	if m == nil {
		return nil
	}
	return makeDate(m[1], m[2], m[3])
}

// foldersOfPosts gives the folders above _posts, which Jekyll takes for
// categories.
func foldersOfPosts(dirs []string) []string {
	if i := slices.Index(dirs, "_posts"); i > 0 {
		return dirs[:i]
	}
	return nil
}
