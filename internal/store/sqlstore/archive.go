package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"

	"tidings/internal/store"
)

// Whether the web shows an edition as it is in a group, as stored; queries name
// the numbers themselves.
const (
	webNot          = 0
	webNow          = 1
	webOnceApproved = 2
)

// showGroups shows the web what has been approved.
func (t *tx) showGroups(edition int64) error {
	_, err := t.exec(`UPDATE edition_groups SET web = ?2 WHERE edition_id = ?1 AND web = ?3`, edition, webNow, webOnceApproved)
	return err
}

// webNumber is the number of the group that shows the edition e, as
// [store.Archive] says which.
const webNumber = `(SELECT x.number FROM edition_groups x WHERE x.edition_id = e.id AND x.web < 2 ORDER BY x.web DESC,
	(SELECT count(*) FROM group_posts p WHERE p.edition_id = x.edition_id AND p.group_number = x.number) DESC, x.number LIMIT 1)`

// PastEditions implements [store.Archive].
func (s *Store) PastEditions(ctx context.Context, newsletter, cadence string, skip, limit int) (list []store.PastEdition, total int, err error) {
	err = s.read(ctx, "list the past editions of "+newsletter, func(t *tx) error {
		const those = `FROM editions e JOIN newsletters n ON n.id = e.newsletter_id
			WHERE n.name = ?1 AND e.sent + e.in_doubt > 0 AND (e.cadence = ?2 OR ?2 = '' AND e.cadence <> '` + store.CadenceWelcome + `')`
		if err := t.one(`SELECT count(*) `+those, []any{newsletter, cadence}, &total); err != nil {
			return err
		}
		list, err = all(t, scanPast, `SELECT w.id, w.cadence, g.date, g.base, g.subject, g.contents,
			(SELECT count(*) FROM group_posts p WHERE p.edition_id = g.edition_id AND p.group_number = g.number)
			FROM (SELECT e.id, e.cadence, `+webNumber+` AS number `+those+` ORDER BY e.id DESC LIMIT ?3 OFFSET ?4) w
			CROSS JOIN edition_groups g WHERE g.edition_id = w.id AND g.number = w.number ORDER BY w.id DESC`,
			newsletter, cadence, limit, skip)
		return err
	})
	return list, total, err
}

func scanPast(r row) (e store.PastEdition, err error) {
	var contents string
	if err = r.Scan(&e.ID, &e.Cadence, instant{&e.Date}, &e.Base, &e.Subject, &contents, &e.Posts); err != nil {
		return e, err
	}
	e.Contents, err = decodeContents(contents)
	return e, err
}

// WebGroup implements [store.Archive].
func (s *Store) WebGroup(ctx context.Context, editionID int64) (g store.Group, newsletter string, err error) {
	err = s.read(ctx, "read what the web shows of "+editionName(editionID), func(t *tx) error {
		var number *int
		found, err := t.maybe(`SELECT n.name, `+webNumber+` FROM editions e JOIN newsletters n ON n.id = e.newsletter_id
			WHERE e.id = ?1 AND e.sent + e.in_doubt > 0`, []any{editionID}, &newsletter, &number)
		if err == nil && (!found || number == nil) {
			err = store.ErrNotFound
		}
		if err != nil {
			return err
		}
		groups, err := t.groups(`WHERE edition_id = ?1 AND number = ?2`, editionID, *number)
		if err == nil {
			g = groups[0]
		}
		return err
	})
	return g, newsletter, err
}

func encodeContents(list []store.Content) (string, error) {
	if len(list) == 0 {
		return "", nil
	}
	text, err := json.Marshal(list)
	return string(text), err
}

func decodeContents(text string) (list []store.Content, err error) {
	if text == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("stored contents of an edition: %w", err)
	}
	return list, nil
}
