package roster

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"strings"

	"tidings/internal/store"
)

// A mapping turns the cells of a row into a record.
type mapping func(cells []string) (Record, error)

// mappings make the mapping for a table in a format.
var mappings = map[Format]func(t *table, file string) (mapping, error){
	CSV: ours, Listmonk: listmonk, Mailchimp: mailchimp, Substack: substack, Ghost: ghost, Buttondown: buttondown,
}

// detect tells what made a table, by columns that no other product has. A list
// that is nobody's is read as ours.
func detect(t *table, file string) Format {
	switch {
	case t.has("email", "subscribed_to_emails"):
		return Ghost
	case t.has("email", "active_subscription", "email_disabled"):
		return Substack
	case t.has("email", "uuid", "attributes", "status"):
		return Listmonk
	case t.has("optin_time"), t.has("leid", "euid"), t.has("email_address", "member_rating"):
		return Mailchimp
	case t.has("creation_date", "subscriber_type"), t.has("creation_date", "type"), t.has("creation_date", "secondary_id"):
		return Buttondown
	}
	return CSV
}

// A column gives its cell of a row; one that is not there gives "".
type column func(cells []string) string

// column finds the first of the names that the table has.
func (t *table) column(names ...string) column {
	for _, n := range names {
		if i, ok := t.columns[n]; ok {
			t.used[i] = true
			return func(cells []string) string { return cells[i] }
		}
	}
	return func([]string) string { return "" }
}

// needs refuses a table without a column.
func (t *table) needs(format Format, names ...string) (column, error) {
	for _, n := range names {
		if t.has(n) {
			return t.column(n), nil
		}
	}
	of := ""
	if format != CSV {
		of = fmt.Sprintf(" of an export of %s", format)
	}
	return nil, fmt.Errorf("there is no column %s%s; the first line has: %s", names[0], of, shorten(strings.Join(t.names, ", ")))
}

// setTimes reads the times of a record. That somebody left counts even if it
// cannot be read when.
func (rec *Record) setTimes(created, confirmed, ended string) error {
	var errs [3]error
	rec.CreatedAt, errs[0] = readTime("the time of joining", created)
	rec.ConfirmedAt, errs[1] = readTime("the time of confirming", confirmed)
	rec.EndedAt, errs[2] = readTime("the time of leaving", ended)
	if rec.Status == store.StatusUnsubscribed || rec.Suppress != "" {
		return nil
	}
	return cmp.Or(errs[:]...)
}

// listmonk reads the export of its subscribers. What it keeps as attributes has
// no place here.
func listmonk(t *table, _ string) (mapping, error) {
	email, err := t.needs(Listmonk, "email")
	if err != nil {
		return nil, err
	}
	status, err := t.needs(Listmonk, "status")
	name, created, updated := t.column("name"), t.column("created_at"), t.column("updated_at")
	return func(cells []string) (Record, error) {
		rec := Record{Email: email(cells), Name: name(cells)}
		if err := rec.setStatus(status(cells)); err != nil {
			return rec, err
		}
		ended := ""
		if rec.Status == store.StatusUnsubscribed {
			ended = updated(cells)
		}
		return rec, rec.setTimes(created(cells), "", ended)
	}, err
}

// mailchimpFile tells by its name which of the files of an audience it is.
func mailchimpFile(name string) string {
	kind, _, _ := strings.Cut(strings.ToLower(path.Base(name)), "_")
	switch kind {
	case "subscribed", "unsubscribed", "cleaned", "nonsubscribed":
		return kind
	}
	return ""
}

// mailchimp reads a file of an audience's export. It has no column for where
// people stand: that is in the file's name, and in the columns of leaving, which
// only the files of those who left have.
func mailchimp(t *table, file string) (mapping, error) {
	email, err := t.needs(Mailchimp, "email_address", "email", "e_mail_address")
	kind := mailchimpFile(file)
	switch {
	case kind == "nonsubscribed":
		return func([]string) (Record, error) {
			return Record{}, badLine("it is from the file of people who never subscribed")
		}, err
	case kind == "" && t.has("clean_time"):
		kind = "cleaned"
	case kind == "" && t.has("unsub_time"):
		kind = "unsubscribed"
	}
	first, last, tags := t.column("first_name", "fname"), t.column("last_name", "lname"), t.column("tags")
	timezone, joined, confirmed := t.column("timezone"), t.column("optin_time"), t.column("confirm_time")
	left, cleaned, reason := t.column("unsub_time"), t.column("clean_time"), t.column("unsub_reason")
	return func(cells []string) (Record, error) {
		rec := Record{Email: email(cells), Name: strings.TrimSpace(first(cells) + " " + last(cells)), Timezone: timezone(cells), Labels: quotedList(tags(cells))}
		own := kind
		switch {
		case cleaned(cells) != "":
			own = "cleaned"
		case left(cells) != "" && own != "cleaned":
			own = "unsubscribed"
		}
		if err := rec.setStatus(own); err != nil {
			return rec, err
		}
		if rec.Note == "" {
			rec.Note = reason(cells)
		}
		if strings.Contains(strings.ToLower(reason(cells)), "spam") || strings.Contains(strings.ToLower(reason(cells)), "abuse") {
			rec.Suppress = store.ReasonComplaint
		}
		return rec, rec.setTimes(firstOf(joined(cells), confirmed(cells)), confirmed(cells), firstOf(cleaned(cells), left(cells)))
	}, err
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// substackList begins the name of the list of people in an account's export.
const substackList = "email_list"

// substack reads the list of people. That somebody pays is no matter of mail.
func substack(t *table, _ string) (mapping, error) {
	email, err := t.needs(Substack, "email")
	disabled, created := t.column("email_disabled"), t.column("created_at")
	return func(cells []string) (Record, error) {
		rec := Record{Email: email(cells)}
		if yes(disabled(cells)) {
			rec.Status = store.StatusUnsubscribed
		}
		return rec, rec.setTimes(created(cells), "", "")
	}, err
}

// ghost reads the members' export.
func ghost(t *table, _ string) (mapping, error) {
	email, err := t.needs(Ghost, "email")
	name, labels, subscribed := t.column("name"), t.column("labels"), t.column("subscribed_to_emails")
	created, deleted := t.column("created_at"), t.column("deleted_at")
	return func(cells []string) (Record, error) {
		rec := Record{Email: email(cells), Name: name(cells), Labels: commaList(labels(cells))}
		if !yes(subscribed(cells)) || deleted(cells) != "" {
			rec.Status = store.StatusUnsubscribed
		}
		return rec, rec.setTimes(created(cells), "", deleted(cells))
	}, err
}

// buttondown reads the subscribers' export.
func buttondown(t *table, _ string) (mapping, error) {
	email, err := t.needs(Buttondown, "email", "email_address")
	if err != nil {
		return nil, err
	}
	kind, err := t.needs(Buttondown, "subscriber_type", "type")
	tags, confirmed := t.column("tags"), t.column("subscription_date")
	created, left := t.column("creation_date"), t.column("unsubscription_date")
	return func(cells []string) (Record, error) {
		rec := Record{Email: email(cells), Labels: jsonList(tags(cells))}
		if err := rec.setStatus(kind(cells)); err != nil {
			return rec, err
		}
		if left(cells) != "" {
			rec.Status = store.StatusUnsubscribed
		}
		return rec, rec.setTimes(created(cells), confirmed(cells), left(cells))
	}, err
}

// ours reads our own columns, and those of any other list that has an address.
func ours(t *table, _ string) (mapping, error) {
	email, err := t.needs(CSV, folded(emailNames...)...)
	if err != nil && len(t.names) == 1 {
		err = errors.New("there is no column email; a list of bare addresses, one on each line, will do too")
	}
	name, first, last := t.column(folded(nameNames...)...), t.column(folded(firstNames...)...), t.column(folded(lastNames...)...)
	suppressed, newsletters := t.column("suppressed"), t.column("newsletters")
	categories, tags, labels := t.list("categories"), t.list("tags"), t.list("labels")
	frequency, hour, timezone, quiet := t.column("frequency"), t.column("hour"), t.column("timezone"), t.column("quiet_hours")
	format, language, paused := t.column("format"), t.column("language"), t.column("paused_until")
	created, ended := t.column(folded(createdNames...)...), t.column("ended_at")
	confirmed := t.all(confirmedNames)
	standings := t.standings()
	doubtful := t.doubtful()
	return func(cells []string) (Record, error) {
		rec := Record{
			Email: email(cells), Name: firstOf(name(cells), strings.TrimSpace(first(cells)+" "+last(cells))),
			Timezone: timezone(cells), Language: language(cells), Format: strings.ToLower(format(cells)), QuietHours: quiet(cells),
			Categories: categories(cells), Tags: tags(cells), Labels: labels(cells), Newsletters: commaList(newsletters(cells)),
			Frequency: strings.ToLower(frequency(cells)), Hour: hour(cells),
		}
		for _, read := range standings {
			if err := read(cells, &rec); err != nil {
				return rec, err
			}
		}
		if err := rec.setSuppressed(suppressed(cells)); err != nil {
			return rec, err
		}
		if ended(cells) != "" && rec.Status != store.StatusPending { // which it may be again
			rec.restrict(store.StatusUnsubscribed, "", "")
		}
		for _, read := range doubtful {
			if err := read(cells, &rec); err != nil {
				return rec, err
			}
		}
		return rec, rec.setOurTimes(cells, created(cells), ended(cells), paused(cells), confirmed)
	}, err
}

func (rec *Record) setOurTimes(cells []string, created, ended, paused string, confirmed []named) (err error) {
	if rec.PausedUntil, err = readTime("paused_until", paused); err != nil {
		return err
	}
	for _, c := range confirmed {
		if err := rec.confirmation(c, cells); err != nil {
			return err
		}
	}
	left, at := rec.EndedAt, rec.ConfirmedAt
	err = rec.setTimes(created, "", ended)
	if rec.EndedAt.IsZero() {
		rec.EndedAt = left
	}
	rec.ConfirmedAt = at
	return err
}

// list gives the items of a column: none, but not nil, where the cell is empty.
func (t *table) list(name string) func(cells []string) []string {
	cell, there := t.column(name), t.has(name)
	return func(cells []string) []string {
		items := commaList(cell(cells))
		if there && items == nil {
			return []string{}
		}
		return items
	}
}

// setSuppressed reads the reason for which an address is never to be mailed.
func (rec *Record) setSuppressed(reason string) error {
	switch reason = strings.ToLower(reason); reason {
	case store.ReasonBounce, store.ReasonComplaint, store.ReasonManual, store.ReasonUnsubscribed, store.ReasonErased:
		rec.Suppress = reason
	default:
		if no(reason) {
			return nil
		}
		if yes(reason) {
			rec.Suppress = store.ReasonManual
			return nil
		}
		return badLine("suppressed %q is none of bounce, complaint, manual, unsubscribed", shorten(reason))
	}
	return nil
}
