package roster

import (
	"strings"

	"tidings/internal/store"
)

// A meaning is what a word says of where a person stands.
type meaning struct{ status, suppress string }

// statuses are the words of all products, and of the languages of the pages, for
// where a person stands, folded.
var statuses = map[string]meaning{}

// gone are those of them that can mean nothing else than that a person is not to
// be mailed; idle are words that may mean it.
var gone, idle = map[string]bool{}, map[string]bool{}

func init() {
	for _, list := range []struct {
		meaning meaning
		plain   bool // whatever the column
		words   []string
	}{
		{meaning{}, false, []string{""}},
		{meaning{status: store.StatusActive}, false, []string{"active", "confirmed", "subscribed", "enabled", "opted in", "opt in", "opt-in",
			"aktiv", "abonniert", "angemeldet", "bestätigt", "actif", "active", "abonné", "abonnée", "inscrit", "inscrite", "confirmé",
			"activo", "activa", "suscrito", "suscrita", "confirmado", "confirmada", "購読中", "有効", "登録済み", "مشترك", "نشط", "مؤكد",
			// Buttondown: those that it mails, whatever they pay.
			"regular", "premium", "trialed", "unpaid", "gifted", "churning", "churned", "paused", "past_due"}},
		{meaning{status: store.StatusPending}, false, []string{"pending", "unconfirmed", "unactivated", "not confirmed",
			"ausstehend", "unbestätigt", "nicht bestätigt", "en attente", "non confirmé", "pendiente", "sin confirmar", "未確認", "確認待ち", "معلق", "غير مؤكد"}},
		{meaning{status: store.StatusUnsubscribed}, false, []string{"left", "disabled", "removed", "deleted", "gelöscht", "supprimé", "eliminado", "削除"}},
		{meaning{status: store.StatusUnsubscribed}, true, []string{"unsubscribed", "unsubscribe", "opted out", "opt out", "opt-out", "optout", "cancelled", "canceled",
			"abgemeldet", "ausgetragen", "ausgetreten", "gekündigt", "désabonné", "désabonnée", "désinscrit", "désinscrite",
			"baja", "dado de baja", "dada de baja", "desuscrito", "desuscrita", "cancelado", "cancelada",
			"退会", "退会済み", "解除", "解除済み", "配信停止", "購読解除", "ألغى الاشتراك", "غير مشترك", "ملغى"}},
		{meaning{store.StatusUnsubscribed, store.ReasonBounce}, true, []string{"cleaned", "bounced", "hard bounce", "hard bounced", "hard-bounced", "undeliverable",
			"unzustellbar", "rebotado", "rejeté", "不達"}},
		{meaning{store.StatusUnsubscribed, store.ReasonComplaint}, true, []string{"complained", "complaint", "marked as spam", "spam complaint", "reported spam"}},
		{meaning{store.StatusUnsubscribed, store.ReasonManual}, true, []string{"blocklisted", "blacklisted", "spammy"}},
		{meaning{store.StatusUnsubscribed, store.ReasonManual}, false, []string{"blocked", "suppressed", "gesperrt", "bloqué", "bloqueado", "محظور"}},
	} {
		for _, w := range list.words {
			statuses[fold(w)] = list.meaning
			if list.plain {
				gone[fold(w)] = true
			}
		}
	}
	for _, w := range []string{"inactive", "deactivated", "suspended", "archived", "expired", "inaktiv", "inactif", "inactivo", "無効", "غير نشط"} {
		idle[fold(w)] = true
	}
}

// setStatus reads a word for where a person stands. One that nobody knows may
// mean that they left.
func (rec *Record) setStatus(word string) error {
	s, known := statuses[word]
	if !known {
		s, known = statuses[fold(word)]
	}
	if !known || word != "" && s == (meaning{}) {
		return badLine("status %q is none of active, pending, unsubscribed, bounced, complained, blocklisted", shorten(word))
	}
	rec.Status, rec.Suppress = s.status, s.suppress
	if s.suppress != "" {
		rec.Note = strings.ToLower(word)
	}
	return nil
}

var affirmations, negations = map[string]bool{}, map[string]bool{}

func init() {
	for _, w := range []string{"true", "t", "1", "yes", "y", "x", "on", "ja", "j", "wahr", "oui", "vrai", "sí", "verdadero", "はい", "نعم", "صحيح"} {
		affirmations[fold(w)] = true
	}
	for _, w := range []string{"false", "f", "0", "no", "n", "off", "never", "none", "null", "nil", "n/a", "nein", "falsch", "nie", "non", "faux", "jamais", "falso", "nunca", "いいえ", "لا"} {
		negations[fold(w)] = true
	}
	affirmations["✓"], affirmations["✔"] = true, true
	negations[""], negations["-"], negations["–"], negations["✗"], negations["0000-00-00"], negations["0000-00-00 00:00:00"] = true, true, true, true, true, true
}

// yes reads a cell that is true or false; "" is false.
func yes(cell string) bool { return affirmations[cell] || cell != "" && affirmations[fold(cell)] }

// no reports whether a cell says so; "" does.
func no(cell string) bool {
	return negations[cell] || fold(cell) != "" && negations[fold(cell)]
}
