package catalog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"tidings/internal/post"
	"tidings/internal/store"
)

// A keeper runs the layers in turn: folder, roll, database, shelf.
type keeper struct {
	cfg      Config
	folder   *folder
	roll     *roll
	shelf    *shelf
	unstored bool            // the last save failed, and that was logged
	told     map[string]bool // problems that were logged
	adopted  int64           // store.Posts.Adoptions when ids were last read
}

// open reads what the database has pinned. Nothing has been looked at yet.
func open(ctx context.Context, cfg Config) (*keeper, error) { return openFor(ctx, cfg, false) }

// openFor is open for a first look that may be at the index alone, if trusting
// is set.
func openFor(ctx context.Context, cfg Config, trusting bool) (*keeper, error) {
	cfg = cfg.withDefaults()
	var err error
	if cfg.Dir, err = filepath.Abs(cfg.Dir); err != nil {
		return nil, fmt.Errorf("find the posts directory: %w", err)
	}
	k := &keeper{cfg: cfg, folder: newFolder(cfg.Dir, cfg.Location), roll: newRoll(cfg), shelf: newShelf(cfg), told: map[string]bool{}}
	var looked sync.WaitGroup
	var unread error
	looked.Go(func() { unread = k.folder.lookAhead(ctx, cfg, trusting) })
	defer looked.Wait()
	if cfg.Store == nil {
		return k, nil
	}
	if k.adopted, err = cfg.Store.Adoptions(ctx); err != nil {
		return nil, err
	}
	rows, paths, err := pinned(ctx, cfg.Store)
	if err != nil {
		return nil, err
	}
	k.roll.restore(rows, paths, cfg.Now())
	if err := k.shelf.recall(ctx, cfg.Slugs); err != nil {
		return nil, err
	}
	if looked.Wait(); unread != nil {
		return nil, unread
	}
	for name := range k.roll.present {
		k.folder.expect(name)
	}
	return k, nil
}

// pinned reads what the database knows of posts.
func pinned(ctx context.Context, db store.Posts) (rows []store.Post, paths map[string]int64, err error) {
	var group sync.WaitGroup
	var failed error
	group.Go(func() { paths, failed = db.PostPaths(ctx) })
	rows, err = db.LoadPosts(ctx)
	group.Wait()
	if err != nil {
		return nil, nil, fmt.Errorf("read what is known of the posts: %w", err)
	}
	if failed != nil {
		return nil, nil, fmt.Errorf("read the former addresses of the posts: %w", failed)
	}
	return rows, paths, nil
}

// pass looks at the named files, or at everything if names is nil, and makes
// the next snapshot. While sure is false, missing files are waited for.
func (k *keeper) pass(ctx context.Context, names map[string]bool, sure bool) (Change, error) {
	found, err := k.find(ctx, names)
	if err != nil {
		return Change{}, err
	}
	if err := k.readopt(ctx); err != nil {
		return Change{}, err
	}
	now := k.cfg.Now()
	k.roll.see(now, found)
	if err := k.recall(ctx); err != nil {
		return Change{}, err
	}
	if sure || k.roll.guard.alarm != nil {
		k.judge(now)
	}
	k.roll.admit(now)
	k.save(ctx)
	change := k.shelf.put(k.roll, k.folder, now)
	k.saveSlugs(ctx)
	k.tell(change.Snapshot.Problems)
	return change, nil
}

func (k *keeper) find(ctx context.Context, names map[string]bool) ([]finding, error) {
	if found := k.folder.recalled; found != nil {
		k.folder.recalled = nil
		return found, nil
	}
	if names != nil {
		found, err := k.folder.look(ctx, names)
		if !errors.Is(err, errLinked) {
			return found, err
		}
		k.folder.distrust()
	}
	return k.folder.walk(ctx)
}

// judge decides about missing posts and tells of an alarm's start and end.
func (k *keeper) judge(now time.Time) {
	before := k.roll.guard.alarm
	k.roll.judge(now)
	switch after := k.roll.guard.alarm; {
	case before == nil && after != nil:
		k.cfg.Log.Error("too many posts vanished at once; what was published stays published. "+
			"Bring the files back, or accept the loss with: tidings posts check --accept",
			"missing", len(after.Missing), "of", after.Known, "first", after.Missing[0], "dir", k.cfg.Dir)
	case before != nil && after == nil:
		k.cfg.Log.Info("no post is missing any more; the alarm is over")
	}
}

// recall fetches the last good version of posts that were not read since the
// start and whose file cannot be used, or left not long ago.
func (k *keeper) recall(ctx context.Context) error {
	wanted := map[int64]*record{}
	for _, set := range []map[*record]bool{k.roll.spoilt, k.roll.missing} {
		for rec := range set {
			if rec.post == nil && !rec.lost {
				wanted[rec.row.ID] = rec
			}
		}
	}
	for rec := range k.roll.touched {
		if rec.state == gone && rec.post == nil && !rec.lost && rec.row.ID != 0 && rec.remembered(k.cfg.Now()) {
			wanted[rec.row.ID] = rec
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	sources, err := k.cfg.Store.PostSources(ctx, slices.Sorted(maps.Keys(wanted)))
	if err != nil {
		return fmt.Errorf("read the last good versions of posts: %w", err)
	}
	for id, rec := range wanted {
		p, _, err := post.Parse(rec.row.File, sources[id], post.Options{Location: k.cfg.Location})
		if err != nil {
			k.cfg.Log.Error("the last good version of a post cannot be read any more, so the post is not published", "file", rec.row.File, "error", err)
			rec.lost = true
			continue
		}
		p.Body, p.Params = "", nil
		rec.post = k.cfg.naming.post(p)
		k.roll.touch(rec)
	}
	return nil
}

// batch is how many posts are saved in one transaction, so that a first run
// over a large directory does not keep others from the database for long.
const batch = 1000

// save writes what changed. A database that cannot be written is logged
// once; what is unsaved is tried again at the next pass.
func (k *keeper) save(ctx context.Context) {
	if k.cfg.Store == nil || k.cfg.ReadOnly || len(k.roll.unsaved) == 0 {
		return
	}
	var err error
	for records := range slices.Chunk(k.roll.inOrder(k.roll.unsaved), batch) {
		if err = k.saveBatch(ctx, records); err != nil {
			break
		}
	}
	switch {
	case err == nil && k.unstored:
		k.cfg.Log.Info("the state of the posts is saved again")
	case err != nil && !k.unstored && ctx.Err() == nil:
		k.cfg.Log.Error("the state of the posts cannot be saved; feeds go on, and saving is tried again. "+
			"Until it succeeds, new posts are not mailed", "error", err)
	}
	k.unstored = err != nil
}

// saveSlugs writes which slugs terms have come to. Should it fail, the next
// pass tries again.
func (k *keeper) saveSlugs(ctx context.Context) {
	if k.cfg.Slugs == nil || k.cfg.ReadOnly {
		return
	}
	var rows []store.TermSlug
	for _, x := range k.shelf.taxonomies() {
		rows = append(rows, x.news()...)
	}
	if len(rows) == 0 {
		return
	}
	if err := k.cfg.Slugs.SaveTermSlugs(ctx, rows); err != nil {
		k.cfg.Log.Debug("the addresses of categories and tags cannot be saved yet", "error", err)
		return
	}
	for _, x := range k.shelf.taxonomies() {
		clear(x.unsaved)
	}
}

// saveBatch saves records at once. If an id is taken, because another process
// pinned the same post or another post gives it up just now, they are saved
// one by one, so that one does not keep the others from being saved.
func (k *keeper) saveBatch(ctx context.Context, records []*record) error {
	err := k.write(ctx, records)
	if !errors.Is(err, store.ErrExists) {
		return err
	}
	if err := k.adopt(ctx, records); err != nil {
		return err
	}
	for range 2 {
		err = nil
		for _, rec := range records {
			if k.roll.unsaved[rec] {
				err = errors.Join(err, k.write(ctx, []*record{rec}))
			}
		}
	}
	return err
}

func (k *keeper) write(ctx context.Context, records []*record) error {
	var ready []*record
	var rows []*store.Post
	for _, rec := range records {
		row := rec.row
		var err error
		if row.Source, err = k.source(rec); err != nil && rec.state == here {
			continue // its file changed just now: the next look saves it
		}
		ready, rows = append(ready, rec), append(rows, &row)
	}
	if err := k.cfg.Store.SavePosts(ctx, rows); err != nil {
		return err
	}
	for i, rec := range ready {
		rec.row.ID, rec.row.Renamed, rec.source = rows[i].ID, false, nil
		if rows[i].Source != nil {
			rec.stored = rec.row.FileHash
		}
		k.roll.byID[rec.row.ID] = rec
		delete(k.roll.unsaved, rec)
		k.roll.touch(rec)
	}
	return nil
}

// source gives the bytes of a post that are to be saved; nil if the database
// has them.
func (k *keeper) source(rec *record) ([]byte, error) {
	if rec.stored == rec.row.FileHash || rec.source != nil {
		return rec.source, nil
	}
	return k.folder.source(rec.row.File, rec.row.FileHash)
}

// readopt takes over ids that "feeds adopt" gave to posts meanwhile, so that
// what this process saves next does not undo it.
func (k *keeper) readopt(ctx context.Context) error {
	if k.cfg.Store == nil {
		return nil
	}
	n, err := k.cfg.Store.Adoptions(ctx)
	if err != nil || n == k.adopted {
		return err
	}
	rows, err := k.cfg.Store.LoadPosts(ctx)
	if err != nil {
		return fmt.Errorf("read the ids that were adopted: %w", err)
	}
	k.roll.readopt(rows)
	k.adopted = n
	return nil
}

// adopt takes over what another process has pinned about new posts in the
// meantime, as a "build" beside the daemon does.
func (k *keeper) adopt(ctx context.Context, records []*record) error {
	rows, err := k.cfg.Store.LoadPosts(ctx)
	if err != nil {
		return fmt.Errorf("read what another process pinned: %w", err)
	}
	theirs := map[string]store.Post{}
	for _, row := range rows {
		theirs[row.GUID] = happened(normal(row), k.cfg.Now())
	}
	for _, rec := range records {
		if row, ok := theirs[rec.row.GUID]; ok && rec.row.ID == 0 {
			rec.row.ID, rec.row.FirstSeen, rec.row.Published = row.ID, row.FirstSeen, row.Published
		}
	}
	return nil
}

// mostTold is how many problems one pass logs in full.
const mostTold = 50

// tell logs every problem once.
func (k *keeper) tell(problems []post.Problem) {
	present, fresh := make(map[string]bool, len(problems)), 0
	for _, p := range problems {
		line := p.String()
		if present[line] = true; k.told[line] {
			continue
		}
		if fresh++; fresh <= mostTold {
			k.cfg.Log.Warn("problem with a post", "file", p.File, "line", p.Line, "problem", p.Message)
		}
	}
	if fresh > mostTold {
		k.cfg.Log.Warn("more problems with posts; all are listed by: tidings posts check", "more", fresh-mostTold)
	}
	k.told = present
}

// reload learns from the database which missing posts were accepted as gone.
func (k *keeper) reload(ctx context.Context) error {
	if k.cfg.Store == nil {
		return nil
	}
	rows, err := k.cfg.Store.LoadPosts(ctx)
	if err != nil {
		return fmt.Errorf("look for an accepted loss: %w", err)
	}
	for _, row := range rows {
		rec := k.roll.byID[row.ID]
		if rec != nil && rec.state == missing && !row.Gone.IsZero() {
			rec.row.Gone = instant(row.Gone)
			k.roll.bury(rec, row.Gone)
		}
	}
	return nil
}
