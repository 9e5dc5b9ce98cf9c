package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"tidings/internal/mail"
	"tidings/internal/relay/relaytest"
)

// BenchmarkSendSigned sends an edition as BenchmarkSendToFastSink does, each
// mail with an RSA-2048 signature, in turns with signatures alone: as many as
// the key can make on all processors.
func BenchmarkSendSigned(b *testing.B) {
	text, err := mail.MakeKey(mail.RSA)
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(b.TempDir(), "dkim.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		b.Fatal(err)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		b.Fatal(err)
	}
	server := relaytest.Start(b, relaytest.Options{Discard: true})
	m := newMailing(b, server.Port(), fmt.Sprintf("  dkim: {domain: localhost, selector: s1, key_file: %q}", file))
	compare(b, m, "signatures", func() spent { return signatures(b, key.(*rsa.PrivateKey), benchPeople/4) })
}

// signatures makes n signatures, and nothing else.
func signatures(b *testing.B, key *rsa.PrivateKey, n int) spent {
	began := time.Now()
	digest := sha256.Sum256([]byte("a header"))
	var wg sync.WaitGroup
	processors := runtime.GOMAXPROCS(0)
	for range processors {
		wg.Go(func() {
			for range n / processors {
				if _, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:]); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return spent{rate: float64(n) / time.Since(began).Seconds()}
}
