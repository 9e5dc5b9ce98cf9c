package web

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tidings/internal/catalog"
	"tidings/internal/locale"
	"tidings/internal/newsletter"
	"tidings/internal/page"
	"tidings/internal/store"
)

// ownPage is what a person's own page shows.
func (s *server) ownPage(in *locale.Language, p newsletter.Person) page.Preferences {
	from, to, _ := strings.Cut(p.QuietHours, "-")
	contents := page.Preferences{
		Frame: s.personal(in, in.T("own.title")), Email: p.Email, NextEmail: p.NextEmail, Fresh: p.Fresh, HasFeed: p.HasFeed,
		Zones: zoneChoices(in, zoneOf(p), p.Timezone), Languages: s.languageChoices(in, p.Language), Pause: day(p.PausedUntil),
		QuietFrom: hourChoices(in.T("choice.quiet_none"), from), QuietTo: hourChoices(in.T("choice.quiet_none"), to),
		Formats: formatChoices(in, p.Format),
	}
	switch p.Stopped {
	case "":
	case store.ReasonBounce:
		contents.Stopped = in.T("own.stopped_bounce")
	default:
		contents.Stopped = in.T("own.stopped")
	}
	for _, l := range p.Letters {
		contents.Letters = append(contents.Letters, s.letter(in, l))
	}
	for _, o := range offered {
		if p.Feed != "" {
			contents.Feed = append(contents.Feed, page.Link{Name: o.name, URL: p.Feed + o.format.FileName()})
		}
	}
	return contents
}

// zoneOf is the zone of who has chosen none.
func zoneOf(p newsletter.Person) string {
	if len(p.Letters) == 0 {
		return "UTC"
	}
	return p.Letters[0].Zone
}

func (s *server) letter(in *locale.Language, l newsletter.Letter) page.Letter {
	out := page.Letter{Name: l.Name, Title: l.Title, On: l.On, Hours: hourChoices(in.T("choice.hour_usual"), l.Hour)}
	for _, f := range l.Offers {
		out.Frequencies = append(out.Frequencies, page.Choice{Value: f, Label: frequency(in, f), Chosen: f == l.Frequency})
	}
	if snap := s.Snapshot(); snap != nil {
		out.Categories, out.Tags = topics(snap.Categories, l.Categories), topics(mostUsed(snap.Tags, l.Tags), l.Tags)
		out.Categories = withLost(out.Categories, snap.Categories, l.Categories)
		out.Tags = withLost(out.Tags, snap.Tags, l.Tags)
	}
	out.TopicsChosen = len(l.Categories)+len(l.Tags) > 0
	return out
}

// withLost adds the chosen terms that have no posts at present: saving the page
// must not take them away.
func withLost(offered []page.Choice, terms []*catalog.Term, chosen []string) []page.Choice {
	for _, key := range chosen {
		if !slices.ContainsFunc(terms, func(t *catalog.Term) bool { return names([]string{key}, t) }) {
			offered = append(offered, page.Choice{Value: key, Label: key, Chosen: true})
		}
	}
	return offered
}

// frequency names how often a newsletter comes.
func frequency(in *locale.Language, f string) string {
	switch f {
	case store.CadenceSchedule:
		return in.T("frequency.schedule")
	case "each":
		return in.T("frequency.each")
	case "daily":
		return in.T("frequency.daily")
	case "weekly":
		return in.T("frequency.weekly")
	case "monthly":
		return in.T("frequency.monthly")
	}
	return f
}

// clockTime writes an hour for people.
func clockTime(hour string) string { return fmt.Sprintf("%02s:00", hour) }

// hourChoices offers the hours of a day, and none.
func hourChoices(none, chosen string) []page.Choice {
	list := []page.Choice{{Label: none, Chosen: chosen == ""}}
	for h := range 24 {
		value := strconv.Itoa(h)
		list = append(list, page.Choice{Value: value, Label: clockTime(value), Chosen: value == chosen})
	}
	return list
}

// zoneChoices offers time zones, and the newsletter's.
func zoneChoices(in *locale.Language, usual, chosen string) []page.Choice {
	list := []page.Choice{{Label: in.T("choice.zone_usual", "zone", usual), Chosen: chosen == ""}}
	offered := zones
	if chosen != "" && !slices.Contains(zones, chosen) {
		offered = append([]string{chosen}, zones...)
	}
	for _, z := range offered {
		list = append(list, page.Choice{Value: z, Label: strings.ReplaceAll(z, "_", " "), Chosen: z == chosen})
	}
	return list
}

func formatChoices(in *locale.Language, chosen string) []page.Choice {
	return []page.Choice{
		{Value: store.FormatHTML, Label: in.T("choice.format_html"), Chosen: chosen != store.FormatText},
		{Value: store.FormatText, Label: in.T("choice.format_text"), Chosen: chosen == store.FormatText},
	}
}

func (s *server) languageChoices(in *locale.Language, chosen string) []page.Choice {
	own, found := s.tongues.locales.Find(chosen)
	list := []page.Choice{{Label: in.T("choice.language_usual"), Chosen: !found}}
	for _, l := range s.tongues.locales.Languages() {
		list = append(list, page.Choice{Value: l.Tag.String(), Label: l.Name, Chosen: found && l == own})
	}
	return list
}

// refilled is a person with what they have filled in, so that a mistake in one
// field does not lose the others.
func (s *server) refilled(p newsletter.Person, form url.Values) newsletter.Person {
	if form.Get("act") != "save" {
		return p
	}
	c := s.preferences(form)
	p.Language, p.Timezone, p.Format, p.QuietHours = c.Language, c.Timezone, c.Format, c.QuietFrom+"-"+c.QuietTo
	letters := slices.Clone(p.Letters)
	for i, l := range letters {
		want := c.Letters[l.Name]
		letters[i].On, letters[i].Categories, letters[i].Tags = want.On, want.Categories, want.Tags
		letters[i].Frequency, letters[i].Hour = want.Frequency, want.Hour
	}
	p.Letters = letters
	return p
}

// fault says beside the fields what is wrong with them.
func (s *server) fault(in *locale.Language, contents *page.Preferences, faults newsletter.FieldErrors, form url.Values) {
	contents.Faulty = true
	if faults[newsletter.FieldEmail] != nil {
		contents.NewEmail, contents.EmailError = form.Get("email"), in.T("subscribe.address_fault")
	}
	if faults[newsletter.FieldZone] != nil {
		contents.ZoneError = in.T("choice.zone_fault")
	}
	if form.Get("act") == "save" {
		contents.Pause = form.Get("pause")
	}
	contents.FormatError = faultText(in, newsletter.FieldFormat, faults[newsletter.FieldFormat])
	for i := range contents.Letters {
		l := &contents.Letters[i]
		l.FrequencyError = faultText(in, newsletter.FieldFrequency, faults[newsletter.Of(newsletter.FieldFrequency, l.Name)])
		l.HourError = faultText(in, newsletter.FieldHour, faults[newsletter.Of(newsletter.FieldHour, l.Name)])
	}
	if faults[newsletter.FieldPause] != nil {
		contents.PauseError = in.T("choice.pause_fault")
	}
	if faults[newsletter.FieldQuiet] != nil {
		contents.QuietError = in.T("choice.quiet_fault")
	}
}
