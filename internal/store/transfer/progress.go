package transfer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// ProgressTable is where a target notes how far a copy got: for each table,
// the primary key of the last row, as JSON. It goes when the copy is complete;
// a database that has it is not to be used.
const ProgressTable = "copying"

// ErrUnfinished is returned by whoever opens a database that has
// [ProgressTable].
var ErrUnfinished = errors.New("a copy into this database was not finished; give the same tidings db copy again, or empty it")

// sourceName is where the target notes of what it is a copy; no table is
// called so.
const sourceName = "="

// begin finds a target empty, or with the beginning of a copy of this source.
func (c *copier) begin(ctx context.Context) error {
	begun, err := c.to.Engine.Exists(ctx, c.to.Conn, ProgressTable)
	if err != nil {
		return err
	}
	if begun {
		return c.goOn(ctx)
	}
	for _, t := range c.tables {
		n, err := count(ctx, c.to, t)
		if err != nil {
			return err
		}
		if n > 0 {
			return fmt.Errorf("%w (%d rows in %s): copy into an empty database", ErrForeign, n, t.Name)
		}
	}
	return c.to.within(ctx, func() error {
		if err := c.to.exec(ctx, `CREATE TABLE `+ProgressTable+` (name TEXT PRIMARY KEY, value TEXT NOT NULL)`); err != nil {
			return err
		}
		return c.put(ctx, sourceName, c.from.Name)
	})
}

// goOn counts what an earlier run has copied.
func (c *copier) goOn(ctx context.Context) error {
	source, _, err := c.noted(ctx, sourceName)
	if err != nil {
		return err
	}
	if source != c.from.Name {
		return fmt.Errorf("%w: the beginning of a copy of %s; go on with that, or empty it", ErrForeign, source)
	}
	there := int64(0)
	for _, t := range c.tables {
		n, err := count(ctx, c.to, t)
		if err != nil {
			return err
		}
		there += n
	}
	c.advance(there)
	return nil
}

// reached gives the key of the last row of a table that the target has; nil
// if it has none.
func (c *copier) reached(ctx context.Context, t Table) ([]any, error) {
	text, found, err := c.noted(ctx, t.Name)
	if err != nil || !found {
		return nil, err
	}
	var parts []json.RawMessage
	if err := json.Unmarshal([]byte(text), &parts); err != nil || len(parts) != len(t.Key) {
		return nil, fmt.Errorf("the note of how far it got, %s: %w", text, errors.Join(err, ErrForeign))
	}
	key := make([]any, len(parts))
	for i, part := range parts {
		if key[i], err = decode(t.Columns[t.Key[i]].Kind, part); err != nil {
			return nil, fmt.Errorf("the note of how far it got, %s: %w", text, err)
		}
	}
	return key, nil
}

// decode reads a part of a key. Texts are kept as bytes: they need not be
// UTF-8.
func decode(kind string, part []byte) (any, error) {
	if kind == Integer {
		var n int64
		err := json.Unmarshal(part, &n)
		return n, err
	}
	var b []byte
	err := json.Unmarshal(part, &b)
	if kind == Text {
		return string(b), err
	}
	return b, err
}

// note remembers the key of the last row of a table that was written.
func (c *copier) note(ctx context.Context, t Table, key []any) error {
	parts := slices.Clone(key)
	for i, v := range parts {
		if s, ok := v.(string); ok {
			parts[i] = []byte(s)
		}
	}
	text, err := json.Marshal(parts)
	if err != nil {
		return err
	}
	return c.put(ctx, t.Name, string(text))
}

func (c *copier) put(ctx context.Context, name, value string) error {
	p := c.to.Engine.Param
	return c.to.exec(ctx, `INSERT INTO `+ProgressTable+` (name, value) VALUES (`+p(1)+`, `+p(2)+`)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
}

func (c *copier) noted(ctx context.Context, name string) (value string, found bool, err error) {
	return scalar[string](ctx, c.to, `SELECT value FROM `+ProgressTable+` WHERE name = `+c.to.Engine.Param(1), name)
}
