package link

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"time"
)

// MaxPassword is the longest password, in bytes.
const MaxPassword = 60

// ticketSize is the size of an encrypted password, that of the RSA modulus.
const ticketSize = keyBits / 8

// Ticket says which password opens the server. The zero Ticket opens it to
// nobody, which is how a server starts.
type Ticket struct {
	Open     bool      // any password will do
	Password string    // empty: none will do
	Expires  time.Time // the last second in which Password is good; zero: no limit
}

// accepts checks a password. The time it takes tells nothing about it.
func (t *Ticket) accepts(password []byte, now time.Time) bool {
	if t.Open {
		return true
	}
	want, got := sha256.Sum256([]byte(t.Password)), sha256.Sum256(password)
	same := subtle.ConstantTimeCompare(want[:], got[:]) == 1
	expired := !t.Expires.IsZero() && t.Expires.Unix() < now.Unix()
	return same && t.Password != "" && !expired
}

// decryptPassword opens a ticket: RSA-OAEP with SHA-1 over the password and one
// NUL. What follows the first NUL does not count.
func decryptPassword(key *rsa.PrivateKey, ticket []byte) ([]byte, error) {
	text, err := rsa.DecryptOAEP(sha1.New(), nil, key, ticket, nil)
	if err != nil {
		return nil, err
	}
	password, _, _ := bytes.Cut(text, []byte{0})
	return password, nil
}
