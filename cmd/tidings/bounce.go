package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/spf13/cobra"

	"tidings/internal/alert"
	"tidings/internal/bounce"
	"tidings/internal/config"
	"tidings/internal/daemon"
	"tidings/internal/newsletter"
	"tidings/internal/smtpd"
)

func bounceCommand(a *app) *cobra.Command {
	var recipient string
	cmd := &cobra.Command{
		Use:   "bounce",
		Short: "Read one bounce or complaint on standard input, for a mail server's pipe",
		Long: "Reads a message that came back, finds the mail that it is about, and records what\n" +
			"became of it. Whoever does not exist any more, or complained, is not mailed again;\n" +
			"what is no report, or cannot prove to be about a mail from here, is ignored.\n\n" +
			"Exits with 0 if the message was dealt with or is ignored, and with 75 (EX_TEMPFAIL)\n" +
			"if it could not be, so that the mail server keeps it and tries again.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.bounce(cmd.Context(), recipient) },
	}
	cmd.Flags().StringVar(&recipient, "recipient", "", "the `ADDRESS` to which the message was mailed; default: what its header says")
	a.jsonFlag(cmd)
	return cmd
}

// A laterError keeps a mail server's pipe from giving a message up.
type laterError struct{ error }

func (e laterError) Unwrap() error { return e.error }

// bounce reads all of the message before anything else: a pipe that nobody
// reads to its end is an error to some mail servers.
func (a *app) bounce(ctx context.Context, recipient string) error {
	msg, err := io.ReadAll(io.LimitReader(a.in, bounce.MaxSize))
	if err == nil {
		_, err = io.Copy(io.Discard, a.in)
	}
	if err != nil {
		return laterError{fmt.Errorf("read the message: %w", err)}
	}
	err = a.withStore(ctx, func(ctx context.Context) error {
		s, err := a.service(noPosts)
		if err != nil {
			return err
		}
		v, err := newsletter.NewBounces(s, nil).Take(ctx, recipient, strings.NewReader(string(msg)))
		if err != nil {
			return err
		}
		return a.showVerdict(v)
	})
	if err != nil {
		return laterError{err}
	}
	return nil
}

func (a *app) showVerdict(v newsletter.Verdict) error {
	switch {
	case a.json:
		return printJSON(a.out, v)
	case v.Result == newsletter.ReportIgnored:
		a.say("%s ignored: %s", v.Kind, v.Reason)
	case v.Result == newsletter.ReportLeft:
		a.say("%s has left", v.Email)
	case v.Notice != 0:
		a.say("%s: %s bounce of the confirmation mail to %s, %s", v.Kind, v.Class, v.Email, v.Result)
	default:
		a.say("%s: %s bounce of edition %d to %s, %s", v.Kind, v.Class, v.Edition, v.Email, v.Result)
	}
	return nil
}

// bounces makes the part that takes what comes back; ok is false if the daemon
// is not to do that.
func (a *app) bounces(s *newsletter.Service, m *newsletter.Metrics, w *alert.Watch) (part daemon.Part, ok bool, err error) {
	c := a.cfg.Bounces
	if c.Listen == "" {
		return part, false, nil
	}
	certificate, err := bounceTLS(c.TLS)
	if err != nil {
		return part, false, err
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return part, false, fmt.Errorf("bounces.listen: %w; stop the other program, or choose another port", err)
	}
	b, host := newsletter.NewBounces(s, m), c.Address[strings.LastIndexByte(c.Address, '@')+1:]
	server := smtpd.New(smtpd.Config{
		Name: host,
		LMTP: c.Protocol == "lmtp",
		TLS:  certificate,
		Find: func(address string) smtpd.Mailbox {
			if w != nil && strings.EqualFold(address, "postmaster@"+host) {
				return func(ctx context.Context, msg io.Reader) error { return w.Letter(ctx, address, msg) }
			}
			return bounceMailbox(b, address)
		},
		Log: a.log,
	})
	a.log.Info("taking bounces", "listen", l.Addr().String(), "protocol", c.Protocol)
	return daemon.Part{Name: "bounces", Run: func(ctx context.Context) error { return server.Serve(ctx, l) }}, true, nil
}

// bounceTLS reads the certificate for bounces; nil if there is none.
func bounceTLS(c config.TLS) (*tls.Config, error) {
	if c.CertFile == "" && c.KeyFile == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("bounces.tls: %w; both files must be there, in PEM form, and belong together", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// bounceMailbox gives the mailbox of an address for bounces; nil for others.
func bounceMailbox(b *newsletter.Bounces, address string) smtpd.Mailbox {
	if !b.Takes(address) {
		return nil
	}
	return func(ctx context.Context, msg io.Reader) error {
		_, err := b.Take(ctx, address, msg)
		return err
	}
}

func isLater(err error) bool {
	_, ok := errors.AsType[laterError](err)
	return ok
}
