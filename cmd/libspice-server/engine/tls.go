//go:build cgo && libspice

package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
)

// tlsConfig reads a certificate chain and its key. Of a cipher list in OpenSSL's
// language only names of suites are understood; TLS 1.3 has its own.
func tlsConfig(certs, key, passwd, ciphers string) (*tls.Config, error) {
	chain, err := os.ReadFile(certs)
	if err != nil {
		return nil, err
	}
	secret, err := os.ReadFile(key)
	if err != nil {
		return nil, err
	}
	if secret, err = decrypt(secret, passwd); err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	pair, err := tls.X509KeyPair(chain, secret)
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, CipherSuites: suites(ciphers)}, nil
}

// decrypt opens a PEM key that a password protects.
func decrypt(key []byte, passwd string) ([]byte, error) {
	block, _ := pem.Decode(key)
	if block == nil {
		return nil, errors.New("no PEM data")
	}
	if !strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
		return key, nil
	}
	//lint:ignore SA1019 the files of virtual machines in use are encrypted this way
	der, err := x509.DecryptPEMBlock(block, []byte(passwd))
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: der}), nil
}

// suites are those of a list that are known, nil for Go's choice.
func suites(list string) (ids []uint16) {
	for _, name := range strings.FieldsFunc(list, func(r rune) bool { return r == ':' || r == ',' || r == ' ' }) {
		for _, s := range tls.CipherSuites() {
			if strings.ReplaceAll(strings.TrimPrefix(s.Name, "TLS_"), "_", "-") == name || s.Name == name {
				ids = append(ids, s.ID)
			}
		}
	}
	return ids
}
