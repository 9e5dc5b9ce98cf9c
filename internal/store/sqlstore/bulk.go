package sqlstore

import "strings"

// A bulk inserts many rows into one table.
type bulk struct {
	*tx
	table   string
	columns []string
	insert  string  // of one row; "" where they are copied together
	rows    [][]any // to be copied
}

// bulkRows is how many rows are in memory until they are copied.
const bulkRows = 5000

// bulk begins to insert rows; columns have commas between them.
func (t *tx) bulk(table, columns string) *bulk {
	b := &bulk{tx: t, table: table, columns: strings.Split(columns, ", ")}
	if t.dialect.Copy == nil {
		b.insert = `INSERT INTO ` + table + ` (` + columns + `) VALUES ` + placeholders(len(b.columns))
	}
	return b
}

// add inserts a row, at the latest with the next flush.
func (b *bulk) add(values ...any) error {
	if b.insert != "" {
		_, err := b.exec(b.insert, values...)
		return err
	}
	b.rows = append(b.rows, values)
	if len(b.rows) == bulkRows {
		return b.flush()
	}
	return nil
}

// flush inserts what was added.
func (b *bulk) flush() error {
	if len(b.rows) == 0 {
		return nil
	}
	if d := b.dialect; d.Text != nil {
		for _, row := range b.rows {
			for i, v := range row {
				if s, ok := v.(string); ok {
					row[i] = d.Text(s)
				}
			}
		}
	}
	err := b.conn.Raw(func(conn any) error { return b.dialect.Copy(b.ctx, conn, b.table, b.columns, b.rows) })
	b.rows = b.rows[:0]
	return err
}
