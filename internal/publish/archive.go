package publish

import (
	"slices"

	"tidings/internal/catalog"
	"tidings/internal/feed"
)

// crowded is how many posts of a year fill a page each month rather than one
// for the year.
const crowded = 100

// maxArchive is how large an archive is to be at the most, in bytes: readers
// that follow archives take more than others.
const maxArchive = 4 << 20

// A chain is the place of a window among the archives of its feed, by folders.
type chain struct {
	complete       bool   // the feed needs no archives
	archive        bool   // the window is an archive
	current        string // of an archive
	previous, next string
}

// links gives the chain of a window in one format.
func (p *Publisher) links(w *window, f feed.Format) feed.History {
	at := func(folder string) string {
		if folder == "" {
			return ""
		}
		return p.cfg.URL(p.cfg.docPath(folder, f))
	}
	return feed.History{
		Complete: w.complete && sizeOf(w.items, f) < maxSize/2, Archive: w.archive,
		Current: at(w.current), Previous: at(w.previous), Next: at(w.next),
	}
}

func sizeOf(items []*item, f feed.Format) (size int) {
	for _, it := range items {
		size += len(it.whole[f].bytes)
	}
	return size
}

// archived adds the archives of each feed (RFC 5005 §4), if there are to be
// any: a page for each year, or each month of a year with many posts. Which
// posts a page holds depends on their dates of publication alone, which never
// change, so that a page stays as it is once its time is over.
func (p *Publisher) archived(windows []window) []window {
	if !p.cfg.Archives {
		return windows
	}
	for i := range windows {
		w := &windows[i]
		if len(w.all) == len(w.shown) {
			w.complete = !w.retired
			continue
		}
		pages := pagesOf(*w)
		w.previous = pages[len(pages)-1].Path
		windows = append(windows, pages...)
	}
	return windows
}

// pages gives the archives of a feed, the oldest first.
func pagesOf(w window) []window {
	years := map[string]int{}
	for _, e := range w.all {
		years[e.Published.UTC().Format("2006")]++
	}
	period := func(e *catalog.Entry) string {
		if year := e.Published.UTC().Format("2006"); years[year] <= crowded {
			return year
		}
		return e.Published.UTC().Format("2006-01")
	}
	var pages []window
	for _, e := range slices.Backward(w.all) {
		folder := archiveFolder(w.Path, period(e))
		if n := len(pages); n == 0 || pages[n-1].Path != folder {
			page := window{Feed: w.Feed, brief: w.brief, chain: chain{archive: true, current: w.Path}}
			page.Path = folder
			if n > 0 {
				page.previous, pages[n-1].next = pages[n-1].Path, folder
			}
			pages = append(pages, page)
		}
		last := &pages[len(pages)-1]
		last.shown = append(last.shown, e)
	}
	for i := range pages {
		slices.Reverse(pages[i].shown)
	}
	return pages
}

// archiveFolder is where the archive of a period lies. That of the feed of
// everything does not lie at the root, where posts have their addresses.
func archiveFolder(path, period string) string {
	if path == "/" {
		path = combinedFolder
	}
	return path + "archive/" + period + "/"
}
