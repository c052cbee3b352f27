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

// keysAhead is how many keys lie ready for clients that have to show a password:
// one's burst of channels need not wait.
const keysAhead = 4

// keyPool has the RSA keys for tickets. A ticket that was overheard must not open
// another connection, so each has a key of its own, made ahead of need. Where
// any ticket will do there is nothing to gain, and one key serves all.
type keyPool struct {
	shared func() (*rsa.PrivateKey, error)
	keys   chan *rsa.PrivateKey
	done   chan struct{}
	wg     sync.WaitGroup
	share  sync.Once
	fill   sync.Once
}

func newKeyPool() *keyPool {
	return &keyPool{
		shared: sync.OnceValues(newKey),
		keys:   make(chan *rsa.PrivateKey, keysAhead),
		done:   make(chan struct{}),
	}
}

func newKey() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, keyBits) }

// start begins to make the keys that connections will need: open ones, to which
// any ticket will do, or others.
func (p *keyPool) start(open bool) {
	if open {
		p.share.Do(func() { p.wg.Go(func() { _, _ = p.shared() }) })
		return
	}
	p.fill.Do(func() { p.wg.Go(p.run) })
}

func (p *keyPool) run() {
	for {
		// Only a broken source of randomness makes this fail, and that panics.
		key, err := newKey()
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

// take returns a key, for other than open connections one that nobody else has,
// with its public half as the reply carries it. It waits for start.
func (p *keyPool) take(open bool) (key *rsa.PrivateKey, der []byte, err error) {
	if open {
		key, err = p.shared()
	} else {
		key, err = p.own()
	}
	if err != nil {
		return nil, nil, err
	}
	if der, err = x509.MarshalPKIXPublicKey(&key.PublicKey); err != nil {
		return nil, nil, fmt.Errorf("encoding an RSA key: %w", err)
	}
	if len(der) != keySize {
		return nil, nil, fmt.Errorf("encoded RSA key has %d bytes, not %d", len(der), keySize)
	}
	return key, der, nil
}

func (p *keyPool) own() (*rsa.PrivateKey, error) {
	select {
	case key, ok := <-p.keys:
		if !ok {
			return nil, fmt.Errorf("making an RSA key of %d bits failed", keyBits)
		}
		return key, nil
	case <-p.done:
		return nil, ErrClosed
	}
}

// close ends the pool's goroutines. No start may follow.
func (p *keyPool) close() {
	close(p.done)
	p.wg.Wait()
}
