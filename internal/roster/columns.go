package roster

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Names of columns that plain lists have for the same thing, in the languages of
// the pages and in those of other products.
var (
	emailNames = []string{"email", "email_address", "e_mail", "mail", "e_mail_address", "user_email", "subscriber_email", "contact_email", "email_id",
		"E-Mail-Adresse", "Emailadresse", "Mailadresse", "adresse e-mail", "adresse mail", "adresse électronique", "courriel",
		"correo electrónico", "correo", "dirección de correo electrónico", "メールアドレス", "メール", "電子メール", "البريد الإلكتروني", "البريد", "عنوان البريد الإلكتروني"}
	nameNames  = []string{"name", "full_name", "fullname", "nom complet", "nombre completo", "vollständiger Name", "名前", "氏名", "الاسم", "الاسم الكامل"}
	firstNames = []string{"first_name", "firstname", "fname", "given_name", "Vorname", "prénom", "nombre", "名", "الاسم الأول"}
	lastNames  = []string{"last_name", "lastname", "lname", "surname", "family_name", "Nachname", "Familienname", "nom", "nom de famille", "apellido", "apellidos", "姓", "اسم العائلة"}

	// Where a person stands, in a word.
	statusNames = []string{"status", "subscription_status", "subscriber_status", "contact_status", "member_status", "email_status", "mailing_status",
		"newsletter_status", "marketing_status", "Abostatus", "statut", "ステータス", "購読状況", "状態", "الحالة"}
	// The same, or a part of a country.
	stateNames = []string{"state", "estado", "état", "Zustand"}

	// That a person left, by yes or no or by when.
	leftNames = []string{"unsubscribed", "unsubscribe", "unsub", "left", "opt_out", "opted_out", "optout", "has_opted_out_of_email", "HasOptedOutOfEmail",
		"do_not_email", "do_not_mail", "do_not_contact", "DoNotEmail", "DoNotContact", "no_mail", "removed", "deleted", "cancelled", "canceled", "disabled", "inactive", "deactivated",
		"is_unsubscribed", "is_deleted", "is_disabled", "is_inactive", "email_disabled",
		"unsubscribed_at", "unsubscribed_on", "unsubscribe_date", "unsubscribed_date", "date_unsubscribed", "unsubscription_date", "unsub_time", "opt_out_date", "opt_out_time", "opted_out_at",
		"left_at", "removed_at", "deleted_at", "cancelled_at", "canceled_at",
		"abgemeldet", "abgemeldet am", "Abmeldung", "Abmeldedatum", "ausgetragen", "ausgetreten", "gekündigt", "gelöscht", "inaktiv",
		"désabonné", "désabonnée", "désabonné le", "désabonnement", "désinscrit", "désinscrite", "désinscrit le", "désinscription", "date de désinscription", "supprimé", "inactif",
		"baja", "dado de baja", "fecha de baja", "desuscrito", "cancelado", "eliminado", "inactivo",
		"退会", "退会日", "解除", "解除日", "配信停止", "配信停止日", "購読解除", "ألغى الاشتراك", "إلغاء الاشتراك", "تاريخ إلغاء الاشتراك", "غير مشترك"}
	bouncedNames = []string{"bounced", "bounced_at", "bounce", "hard_bounce", "hard_bounced", "bounce_date", "undeliverable", "cleaned", "clean_time",
		"unzustellbar", "rebotado", "rebote", "rejeté", "エラー", "不達"}
	complainedNames = []string{"complained", "complained_at", "complaint", "spam", "spam_complaint", "marked_as_spam", "spam_reported", "Beschwerde", "plainte", "queja"}
	blockedNames    = []string{"blocked", "blocklisted", "blacklisted", "email_blacklisted", "blocklist", "blacklist", "gesperrt", "bloqué", "bloqueado", "ブロック", "محظور"}

	// That a person is a reader, by yes or no or by when.
	joinedNames = []string{"subscribed", "is_subscribed", "opt_in", "opted_in", "optin", "email_opt_in", "newsletter_opt_in", "newsletter", "consent", "marketing_consent", "email_consent",
		"accepts_marketing", "accepts_email_marketing", "active", "is_active", "enabled",
		"abonniert", "angemeldet", "aktiv", "Einwilligung", "abonné", "abonnée", "inscrit", "inscrite", "actif", "consentement",
		"suscrito", "suscrita", "activo", "consentimiento", "購読", "購読中", "有効", "مشترك", "نشط"}
	// That a person confirmed, by yes or no or by when.
	confirmedNames = []string{"confirmed_at", "confirmed", "is_confirmed", "confirm_time", "confirmed_on", "verified", "double_opt_in", "bestätigt", "bestätigt am", "confirmé", "confirmado"}

	createdNames = []string{"created_at", "created", "joined", "joined_at", "signup_date", "sign_up_date", "signed_up_at", "subscribed_at", "subscribed_on", "subscribe_date", "subscription_date",
		"optin_time", "opt_in_time", "opt_in_date", "date_added", "added_at", "Anmeldedatum", "angemeldet am", "date d'inscription", "inscrit le", "fecha de alta", "登録日", "تاريخ الاشتراك"}
)

// Parts of names that tell of leaving, or of not having left. A column with one
// of them is read by its cells.
var (
	leavingParts = folded("unsub", "opt_out", "optout", "opted_out", "optedout", "bounce", "complain", "spam", "blacklist", "blocklist", "suppress", "do_not_", "donot", "no_mail", "no_email", "no_newsletter",
		"disabled", "deactivated", "blocked", "banned",
		"abgemeld", "abmeld", "kündig", "désabon", "désinscri", "baja", "desuscri", "退会", "解除", "停止", "إلغاء", "ألغى")
	joiningParts = folded("opt_in", "optin", "opted_in", "optedin", "subscribed", "consent", "accepts_", "receives_", "receive_", "wants_", "allow_", "permission", "einwillig", "abonni", "suscrit", "購読", "مشترك")
	// What comes for everybody, whoever left.
	harmlessEnds = []string{"_url", "_link", "_token", "_hash", "_id", "_ip", "_text"}
)

// folded are names as the table knows them.
func folded(names ...string) []string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = strings.Trim(fold(n), "_")
		if strings.HasSuffix(n, "_") {
			all[i] += "_"
		}
	}
	return all
}

// fold is a name, or a word, whatever its letters, accents, blanks and signs:
// "E-Mail (Désabonné)" is "e_mail_desabonne".
func fold(name string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFKD.String(strings.ToLower(name)) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r), unicode.IsDigit(r):
			if gap && b.Len() > 0 {
				b.WriteByte('_')
			}
			b.WriteRune(r)
			gap = false
		default:
			gap = true
		}
	}
	return b.String()
}

// containsAny reports whether a folded name has one of the parts.
func containsAny(name string, parts []string) bool {
	return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(name, p) })
}

// all gives the cells of those of the names that the table has.
func (t *table) all(names []string) (found []named) {
	for _, n := range folded(names...) {
		if i, ok := t.columns[n]; ok && !t.used[i] {
			found = append(found, named{i, t.names[i], t.column(n)})
		}
	}
	return found
}

// A named column.
type named struct {
	at   int
	name string
	cell column
}

// unused are the columns that nobody has asked for.
func (t *table) unused() (found []named) {
	for i, n := range t.names {
		if !t.used[i] {
			found = append(found, named{i, n, func(cells []string) string { return cells[i] }})
		}
	}
	return found
}
