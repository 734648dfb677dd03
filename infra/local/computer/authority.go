package computer

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// The authority's certificate outlives any local cloud; a server's is made anew when less than a month of it is left.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	serverLife    = 365 * 24 * time.Hour
	serverRenewal = 30 * 24 * time.Hour
)

// authority is the certificate authority that a local cloud's machines trust. Its key never leaves the state directory.
type authority struct {
	dir         string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// openAuthority reads the authority in dir, or makes one where there is none.
func openAuthority(dir, name string) (*authority, error) {
	a := &authority{dir: dir}
	bundle, err := os.ReadFile(a.path("ca"))
	if errors.Is(err, fs.ErrNotExist) {
		if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return nil, err
		}
		template := &x509.Certificate{
			Subject: pkix.Name{
				CommonName: "TWIP local cloud " + name,
			}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(authorityLife),
			IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
		}
		if bundle, err = sign(template, template, a.key, a.key); err != nil {
			return nil, err
		}
		if err := writeFile(a.path("ca"), bundle); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	if a.certificate, a.key, err = parseBundle(bundle); err != nil {
		return nil, fmt.Errorf("certificate authority in %s: %w: remove the file to have it made anew", a.path("ca"),
			err)
	}
	return a, nil
}

// server returns a certificate for the names and its key, as one PEM file, which the authority keeps under the file's
// name. It is the same one until it nears its end or the names change.
func (a *authority) server(file string, names []string) ([]byte, error) {
	if bundle, err := os.ReadFile(a.path(file)); err == nil {
		certificate, _, err := parseBundle(bundle)
		if err == nil && slices.Equal(certificate.DNSNames, names) &&
			certificate.CheckSignatureFrom(a.certificate) == nil &&
			time.Until(certificate.NotAfter) > serverRenewal {
			return bundle, nil
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject: pkix.Name{
			CommonName: names[0],
		}, DNSNames: names, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(serverLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	bundle, err := sign(template, a.certificate, key, a.key)
	if err != nil {
		return nil, err
	}
	return bundle, writeFile(a.path(file), bundle)
}

// trust is the authority's certificate alone, for those who verify.
func (a *authority) trust() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

func (a *authority) path(name string) string { return filepath.Join(a.dir, name+".pem") }

func sign(template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	certificate, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	var bundle bytes.Buffer
	for _, block := range []*pem.Block{
		{Type: "CERTIFICATE", Bytes: certificate}, {Type: "EC PRIVATE KEY", Bytes: private},
	} {
		if err := pem.Encode(&bundle, block); err != nil {
			return nil, err
		}
	}
	return bundle.Bytes(), nil
}

func parseBundle(bundle []byte) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	first, rest := pem.Decode(bundle)
	second, _ := pem.Decode(rest)
	if first == nil || second == nil {
		return nil, nil, errors.New("it does not hold a certificate and a key")
	}
	certificate, err := x509.ParseCertificate(first.Bytes)
	if err != nil {
		return nil, nil, err
	}
	key, err := x509.ParseECPrivateKey(second.Bytes)
	return certificate, key, err
}
