package sqlite_test

import (
	"database/sql"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"tidings/internal/store"
	"tidings/internal/store/sqlite"
	"tidings/internal/store/storetest"
)

// mayScan are parts of the queries that are meant to walk over a whole table or
// a partial index. All others find their rows by an index, but for editions,
// which are few.
var mayScan = []string{
	"SELECT count(*) FROM post", // before all of them are read
	"FROM posts ORDER BY id", "SELECT path, post_id", "FROM documents", "FROM term_slugs ORDER BY",
	"ORDER BY lower(p.email)", "FROM suppressions ORDER BY", "SELECT 1 FROM suppressions LIMIT 1", "SELECT n.name, s.status, count(*)",
	"SELECT n.name, s.left_because, count(*)",
	"SELECT DISTINCT holder",                                                        // over the claimed ones
	"CROSS JOIN edition_groups g WHERE g.edition_id = w.id",                         // a screen of editions
	"FROM signups WHERE request IS NOT NULL",                                        // the queue
	"FROM alerts",                                                                   // few
	"FROM imports",                                                                  // forgotten when they are finished
	"FROM circuits",                                                                 // only what does not work at present
	"w.at > ?1", "edition_waves WHERE at >", "UPDATE cadence", "UPDATE newsletters", // a clock is accepted seldom
	"FROM newsletters ORDER BY name", // few
	"FROM holders WHERE expires_at",  // few
	"INSERT INTO newsletters",        // the check of references, for a table that grows by hand
}

// hot are parts of the queries that read rows in the order of an index.
var hot = []string{
	"SELECT d.seq, d.subscriber_id", "SELECT d.next_at", // claim
	"SELECT s.subscriber_id, s.categories", "SELECT subscriber_id, group_number", // plan
}

// TestQueries looks at every query that the conformance suite meets.
func TestQueries(t *testing.T) {
	queries := met(t)
	s, db := sqlite.Watched(fresh(t), func(string) {})
	defer s.Close()
	for _, q := range queries {
		steps := plan(t, db, q, parameters(t, q))
		if holds(q, hot) && slices.ContainsFunc(steps, func(s string) bool { return strings.Contains(s, "TEMP B-TREE") }) {
			t.Errorf("sorts:\n%s\n%s", q, strings.Join(steps, "\n"))
		}
		for _, step := range steps {
			table, scans := strings.CutPrefix(step, "SCAN ")
			if scans && !allowed(table) && !strings.HasSuffix(table, "VALUES CLAUSE") && !holds(q, mayScan) {
				t.Errorf("walks over %s:\n%s", table, q)
			}
		}
	}
	for _, part := range slices.Concat(mayScan, hot) {
		if !slices.ContainsFunc(queries, func(q string) bool { return holds(q, []string{part}) }) {
			t.Errorf("no query holds %q any more", part)
		}
	}
}

func holds(query string, parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(query, part) })
}

func allowed(table string) bool {
	name, _, _ := strings.Cut(table, " ")
	leaps := name == "zones" || name == "bands" // what a query has found by itself
	return name == "e" || name == "editions" || table == "CONSTANT ROW" || leaps
}

var space = regexp.MustCompile(`\s+`)

// met runs the suite and gives the queries, each on one line.
func met(t *testing.T) []string {
	var mu sync.Mutex
	queries := map[string]bool{}
	storetest.RunParts(t, func(t *testing.T) store.Store {
		s, _ := sqlite.Watched(fresh(t), func(q string) {
			mu.Lock()
			defer mu.Unlock()
			queries[q] = true
		})
		t.Cleanup(func() { s.Close() })
		return s
	})
	var lines []string
	for q := range queries {
		lines = append(lines, space.ReplaceAllString(q, " "))
	}
	slices.Sort(lines)
	return lines
}

var parameter = regexp.MustCompile(`[?$:@](\w*)`)

// parameters gives how many parameters a query has. They must be numbered
// from ?1 without a gap: a bare ? or $1 is bound by order of appearance.
func parameters(t *testing.T, query string) int {
	numbers := map[int]bool{}
	for _, p := range parameter.FindAllStringSubmatch(query, -1) {
		n, err := strconv.Atoi(p[1])
		if err != nil || p[0][0] != '?' {
			t.Errorf("parameter %q:\n%s", p[0], query)
		}
		numbers[n] = true
	}
	for i := range len(numbers) {
		if !numbers[i+1] {
			t.Errorf("parameter ?%d is missing:\n%s", i+1, query)
		}
	}
	return len(numbers)
}

// plan gives the steps of SQLite's query plan.
func plan(t *testing.T, db *sql.DB, query string, parameters int) (steps []string) {
	rows, err := db.Query("EXPLAIN QUERY PLAN "+query, make([]any, parameters)...)
	if err != nil {
		t.Fatalf("%v:\n%s", err, query)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}
