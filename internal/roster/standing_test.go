package roster_test

import (
	"slices"
	"strings"
	"testing"

	"tidings/internal/roster"
	"tidings/internal/store"
)

// TestWhoLeft reads where people stand from plain lists, whatever their columns
// are called: nobody who is marked as gone is active.
func TestWhoLeft(t *testing.T) {
	const left, bounced, active, refused = `"unsubscribed"`, `"Suppress":"bounce"`, "active", "refused"
	for head, cells := range map[string]map[string]string{
		"Status":                {"abgemeldet": left, "Désinscrit": left, "dado de baja": left, "退会": left, "غير مشترك": left, "opted-out": left, "Hard Bounce": bounced, "Inactive": refused, "nonsense": refused, "Aktiv": active, "": active},
		"subscription_status":   {"unsubscribed": left, "subscribed": active, "who knows": refused},
		"unsubscribed":          {"true": left, "1": left, "x": left, "yes": left, "2024-01-02": left, "02.01.2024": left, "false": active, "0": active, "": active, "no": active, "maybe": refused},
		"Unsubscribed At":       {"2024-01-02T03:04:05Z": left, "Jan 2, 2024": left, "": active, "pending": refused},
		"Opt-out":               {"Y": left, "N": active},
		"HasOptedOutOfEmail":    {"TRUE": left, "FALSE": active},
		"Do not e-mail":         {"yes": left, "": active},
		"Abgemeldet am":         {"3.4.2024": left, "": active, "nein": active},
		"Désabonné":             {"oui": left, "non": active},
		"Fecha de baja":         {"2024-05-01": left, "": active},
		"退会日":                   {"2024/05/01": left, "": active},
		"إلغاء الاشتراك":        {"نعم": left, "لا": active},
		"Opt-in":                {"no": left, "yes": active, "2024-01-02": active, "": refused, "perhaps": refused},
		"accepts_marketing":     {"no": left, "yes": active},
		"Abonniert":             {"nein": left, "ja": active},
		"active":                {"0": left, "1": active, "unsubscribed": left},
		"bounced":               {"yes": bounced, "": active, "2024-01-01": bounced},
		"Marked as spam":        {"1": `"Suppress":"complaint"`, "0": active},
		"blacklisted":           {"true": `"Suppress":"manual"`, "false": active},
		"suppressed":            {"bounce": bounced, "yes": `"Suppress":"manual"`, "no": active, "odd": refused},
		"ended_at":              {"2024-01-02": left, "": active},
		"confirmed":             {"no": `"Status":"pending"`, "yes": active, "2024-01-02": `"ConfirmedAt":"2024-01-02`},
		"state":                 {"CA": active, "unsubscribed": left, "inactive": refused, "cancelled": left},
		"Newsletter unsub why":  {"": active, "too much mail": refused},
		"EMAIL_OPTOUT_2":        {"1": left, "0": active},
		"Last remark":           {"unsubscribed": refused, "likes cats": active},
		"Emails disabled":       {"true": left, "TRUE": left, "false": active, "": active}, // Substack's list of subscribers
		"blocked_at":            {"2024-01-02 03:04:05": left, "": active},
		"Banned":                {"yes": left, "no": active},
		"No newsletter":         {"x": left, "": active},
		"receives_emails":       {"no": left, "yes": active, "": active},
		"Emails received (6mo)": {"0": active, "12": active},
		"suppressed ":           {"erased": `"Suppress":"erased"`},
		"unsubscribe_url":       {"https://example.org/u/1": active},
		"position":              {"left": active},
	} {
		for cell, want := range cells {
			text := "email," + head + "\na@example.org,\"" + cell + "\"\n"
			got, _ := readAll(t, []byte(text), "", roster.CSV)
			switch line := got[0]; {
			case want == refused && !strings.HasPrefix(line, "line 2: {"):
			case want == active && strings.Contains(line, "{") && !strings.Contains(line, "unsubscribed") && !strings.Contains(line, "Suppress") && !strings.Contains(line, "pending"):
			case want != refused && want != active && strings.Contains(line, want):
			default:
				t.Errorf("%s %q: %s; want %s", head, cell, line, want)
			}
		}
	}
}

// TestHeededColumnsAreNotIgnored looks at what the report names as ignored: not
// what made somebody leave.
func TestHeededColumnsAreNotIgnored(t *testing.T) {
	const text = "email,Unsubscribed from all email,gdpr_consent,Firma\na@example.org,yes,no,x\n"
	r, err := roster.Open(strings.NewReader(text), int64(len(text)), "", roster.Auto)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := r.Next()
	if err != nil || rec.Status != store.StatusUnsubscribed || !slices.Equal(r.Ignored(), []string{"Firma"}) {
		t.Errorf("%+v, %v, ignored %q", rec, err, r.Ignored())
	}
}

// TestStricterColumnCounts reads two columns that do not agree.
func TestStricterColumnCounts(t *testing.T) {
	const text = "email,status,unsubscribed,bounced\na@example.org,active,yes,no\nb@example.org,bounced,no,no\nc@example.org,active,no,yes\nd@example.org,pending,2024-01-02,no\n"
	got, _ := readAll(t, []byte(text), "", roster.Auto)
	for i, want := range []string{`"Status":"unsubscribed"`, `"Suppress":"bounce"`, `"Suppress":"bounce"`, `"EndedAt":"2024-01-02T00:00:00Z","Status":"unsubscribed"`} {
		if !strings.Contains(strings.NewReplacer(`"Email":"d@example.org",`, "").Replace(got[i]), want) {
			t.Errorf("%s; want %s", got[i], want)
		}
	}
}

// TestColumnsInOwnLetters finds addresses and names by what people call them.
func TestColumnsInOwnLetters(t *testing.T) {
	for _, text := range []string{
		"E-Mail-Adresse;Vorname;Nachname;Firma\nada@example.com;Ada;Löwe;x\n",
		"Courriel,Prénom,Nom,Société\nada@example.com,Ada,Löwe,x\n",
		"Correo electrónico,Nombre,Apellidos,Empresa\nada@example.com,Ada,Löwe,x\n",
		"メールアドレス,名,姓,会社\nada@example.com,Ada,Löwe,x\n",
		"البريد الإلكتروني,الاسم الأول,اسم العائلة,شركة\nada@example.com,Ada,Löwe,x\n",
	} {
		r, err := roster.Open(strings.NewReader(text), int64(len(text)), "", roster.Auto)
		if err != nil {
			t.Error(err)
			continue
		}
		rec, err := r.Next()
		if err != nil || rec.Email != "ada@example.com" || rec.Name != "Ada Löwe" || len(r.Ignored()) != 1 {
			t.Errorf("%q: %+v, %v, ignored %q", text, rec, err, r.Ignored())
		}
	}
}
