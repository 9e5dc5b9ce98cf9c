// Package internal is the architecture page of tidings; it holds no code.
//
// Data flows one way, and each question has one place:
//
//	post file ─ post.Parse ─▶ catalog ─ publish ─▶ feed documents ─┬─▶ web (ETag, 304)
//	             (watcher: changed files only)                     └─▶ files on disk
//
//	a wave's slot / manual send ─▶ newsletter.Service.Plan ─ digest.Compose ─ mail.Compile
//	            ─▶ store: edition, wave, groups, one delivery per reader (one transaction)
//	newsletter.Sender ─▶ store.Claim ─▶ pace.Admit ─▶ mail.Template.Render ─▶ relay ─▶ journal ─▶ store.Record
//
//	sign-up form ─▶ newsletter.Service.SignUp ─▶ store: pending subscription, notice
//	newsletter.Messenger ─▶ digest.Confirm ─▶ relay;  link in the mail ─ POST ─▶ Service.Confirm
//
//	file of subscribers ─ roster.Open ─▶ newsletter.Service.Import ─▶ store: staged rows, applied a few at a time
//
//	mail that came back ─▶ smtpd, or a pipe into "tidings bounce" ─ bounce.Parse
//	            ─▶ newsletter.Bounces ─▶ store: bounce, suppression
//
//	what is wrong ─ alert.Watch ─▶ store: alerts ─ alert.Teller ─▶ newsletter.Messenger ─▶ relay
//
// What each package may import of the others (the test beside this file holds
// the table against the code; store/…, relay/… include their subpackages):
//
//	cachefile   what could be made again, kept in a file           —
//	clock       time, true or rehearsed                            —
//	codec       values → bytes and back                            —
//	locale      the words of pages and mails, by language; pure    —
//	config      config.yaml: shape, defaults, strict reading       —
//	term        keys and slugs of categories and tags              —
//	changes     tells when files below a directory have changed    —
//	inline      rules of style sheets → style attributes           —
//	tmpl        what is wrong with templates, and where            —
//	token       secrets of links, keyed hashes of addresses        —
//	schedule    cron expression + zone → slots; pure               —
//	journal     what a sender knows and the database not yet       —
//	store       records, the Store contract, its engines           codec
//	bounce      what a bounce, complaint or auto-reply says; pure  —
//	roster      files of subscribers, ours and other products'     store
//	feed        a feed's description → RSS, Atom, JSON, OPML; pure —
//	mail        messages, MIME templates with slots, DKIM          —
//	daemon      runs the parts: ordered start, drain, stop         —
//	pace        when a mail may begin: circuits, speeds, how many  clock store
//	smtpd       takes mail for a few addresses: SMTP, LMTP         —
//	websub      tells hubs of changed feeds                        store
//	post        one file → one Post; body → clean HTML             codec term
//	page        web pages from templates; no HTTP                  locale tmpl
//	relay       a message → SMTP or the capture box                mail
//	digest      posts + templates → a mail.Message; pure           inline locale mail tmpl
//	catalog     all posts: identity, snapshot, watcher             cachefile codec post store term
//	adopt       which entry of a former feed is which post         catalog
//	publish     snapshot → the current set of documents; files, buckets  cachefile catalog feed post store term
//	newsletter  the rules with state: people, plans, sending       bounce catalog clock codec digest journal mail pace post relay roster schedule store term token
//	alert       tells the maintainer what is wrong, by mail        clock digest mail newsletter pace relay schedule store
//	web         pages, feeds over HTTP, sign-up, the mailbox       catalog feed locale newsletter page publish relay store term
//
// Package templates (embedded files) imports none of them; cmd/tidings wires
// all of them. cmd/relaytest is relay/relaytest, the mail server that fails on
// demand, as a program.
package internal
