package link

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"sync"
)

// keyBits is fixed by the protocol: the reply has room for exactly this size.
const keyBits = 1024

// keysAhead is how many keys lie ready: a client's first burst of channels
// need not wait.
const keysAhead = 8

// keyPool makes RSA keys ahead of need, from the first start on. Each is used
// for one connection.
type keyPool struct {
	keys chan *rsa.PrivateKey
	done chan struct{}
	over chan struct{}
	once sync.Once
}

func newKeyPool() *keyPool {
	return &keyPool{
		keys: make(chan *rsa.PrivateKey, keysAhead),
		done: make(chan struct{}),
		over: make(chan struct{}),
	}
}

func (p *keyPool) start() { p.once.Do(func() { go p.fill() }) }

func (p *keyPool) fill() {
	defer close(p.over)
	for {
		// Only a broken source of randomness makes this fail, and that panics.
		key, err := rsa.GenerateKey(rand.Reader, keyBits)
		if err != nil {
			close(p.keys)
			return
		}
		select {
		case p.keys <- key:
		case <-p.done:
			return
		}
	}
}

// take returns a key that nobody else has, with its public half as the reply
// carries it.
func (p *keyPool) take() (*rsa.PrivateKey, []byte, error) {
	select {
	case key, ok := <-p.keys:
		if !ok {
			return nil, nil, fmt.Errorf("making an RSA key of %d bits failed", keyBits)
		}
		der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
		if err != nil {
			return nil, nil, fmt.Errorf("encoding an RSA key: %w", err)
		}
		if len(der) != keySize {
			return nil, nil, fmt.Errorf("encoded RSA key has %d bytes, not %d", len(der), keySize)
		}
		return key, der, nil
	case <-p.done:
		return nil, nil, ErrClosed
	}
}

// close ends the pool's goroutine.
func (p *keyPool) close() {
	close(p.done)
	p.once.Do(func() { close(p.over) })
	<-p.over
}
