package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"tidings/internal/config"
	"tidings/internal/mail"
)

func dkimCommand(a *app) *cobra.Command {
	var file, kind string
	var zone bool
	cmd := &cobra.Command{
		Use:   "dkim",
		Short: "Print the DNS records of the keys that sign mails, or make such a key",
		Long: "Prints the TXT records to publish, one for each key of mail.dkim; it asks no name server.\n" +
			"With --make it writes a new private key to a file, which must not exist yet.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case file != "" && (zone || a.json), zone && a.json:
				return usagef("--make, --zone and --json exclude each other")
			case file != "":
				return a.makeDKIMKey(file, kind)
			case cmd.Flags().Changed("kind"):
				return usagef("--kind goes with --make")
			}
			return a.printRecords(zone)
		},
	}
	cmd.Flags().StringVar(&file, "make", "", "make a key and write it to `FILE`")
	cmd.Flags().StringVar(&kind, "kind", mail.RSA, "of the key to make: rsa or ed25519")
	cmd.Flags().BoolVar(&zone, "zone", false, "print the records as lines of a zone file")
	a.jsonFlag(cmd)
	return cmd
}

// makeDKIMKey writes a key that only its owner may read.
func (a *app) makeDKIMKey(file, kind string) error {
	key, err := mail.MakeKey(kind)
	if err != nil {
		return usageError{err}
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make a DKIM key: %s is there already and stays as it is; name another file", file)
	}
	if err != nil {
		return fmt.Errorf("make a DKIM key: %w", err)
	}
	_, err = f.Write(key)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("make a DKIM key: %w", errors.Join(err, os.Remove(file)))
	}
	a.say("%s has a new key. Name it in mail.dkim, and \"tidings config dkim\" prints its DNS record", file)
	return nil
}

// dkimRecord is a mail.Record as JSON.
type dkimRecord struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value string `json:"value"`
	Key   string `json:"key"`
}

func (a *app) printRecords(zone bool) error {
	if err := a.loadConfig(); err != nil {
		return err
	}
	signer, err := signerOf(a.cfg.Mail.DKIM)
	if err != nil {
		return err
	}
	if signer == nil {
		return errors.New("mails are not signed: mail.dkim names no key; \"tidings config dkim --make dkim.pem\" makes one")
	}
	records := []dkimRecord{}
	for _, r := range signer.Records() {
		records = append(records, dkimRecord{r.Name, "TXT", r.Text, r.Key})
	}
	switch {
	case a.json:
		return printJSON(a.out, map[string]any{"domain": a.cfg.Mail.DKIM.Domain, "records": records})
	case zone:
		for _, r := range records {
			fmt.Fprintf(a.out, "%s. IN TXT %s\n", r.Name, zoneText(r.Value))
		}
		return nil
	}
	for _, r := range records {
		fmt.Fprintf(a.out, "%s (%s)\n%s\n\n", r.Name, r.Key, r.Value)
	}
	return nil
}

// zoneText quotes a text for a zone file, in strings of at most 255 octets,
// which receivers put together again (RFC 1035 §3.3, RFC 6376 §3.6.2.2).
func zoneText(text string) string {
	const most = 255
	var b strings.Builder
	for len(text) > most {
		fmt.Fprintf(&b, "%q ", text[:most])
		text = text[most:]
	}
	return fmt.Sprintf("( %s%q )", &b, text)
}

// signerOf reads the keys that sign mails; nil if mails are not signed.
func signerOf(d config.DKIM) (*mail.Signer, error) {
	if d.Domain == "" {
		return nil, nil
	}
	var keys []mail.Key
	for _, k := range d.Keys() {
		key, err := mail.OpenKey(k.Name, k.KeyFile)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return mail.NewSigner(d.Domain, keys...)
}

// keyFaults gives what is wrong with the keys, for which the configuration
// names only the files.
func keyFaults(cfg *config.Config) config.Faults {
	var faults config.Faults
	d := cfg.Mail.DKIM
	for i, k := range d.Keys() {
		if _, err := mail.OpenKey(k.Name, k.KeyFile); err != nil {
			faults = append(faults, cfg.Fault(d.KeyPath(i), err.Error()))
		}
	}
	return faults
}

// keyWarnings gives what receivers may think of the keys.
func keyWarnings(cfg *config.Config) config.Faults {
	var faults config.Faults
	warn := func(key, message string) {
		f := cfg.Fault(key, message)
		f.Warning = true
		faults = append(faults, f)
	}
	d := cfg.Mail.DKIM
	universal := d.Domain == ""
	for i, k := range d.Keys() {
		key, err := mail.OpenKey(k.Name, k.KeyFile)
		if err != nil {
			continue // keyFaults tells of it
		}
		universal = universal || key.Universal()
		if key.Weak() {
			warn(d.KeyPath(i), fmt.Sprintf("%s (%s) is too small for good: some receivers want 2048 bits; make a new one", k.KeyFile, key))
		}
	}
	if !universal {
		warn("mail.dkim.key_file", "Ed25519 alone: some large mail hosts cannot verify it and take mails for unsigned; add an RSA key below mail.dkim.also")
	}
	return faults
}
