package toolcell

import (
	"bytes"

	"toolcell.dev/sdk/internal/host"
)

// Store holds small values that outlive the call, private to this plugin. The plugin asks for it in plugin.toml, and the operator
// grants it.
type Store struct{}

// Store is the plugin's store.
func (c *Call) Store() Store { return Store{} }

// Get reads a key; found is false if it is not there.
func (Store) Get(key string) (value []byte, found bool, err error) { return host.Current.Get(key) }

// Set sets a key. It is durable when this returns.
func (Store) Set(key string, value []byte) error { return host.Current.Set(key, value) }

// Delete removes a key; one that is not there is no error.
func (Store) Delete(key string) error { return host.Current.Delete(key) }

// Absent stands for a key that is not there, in [Store.CompareAndSet].
var Absent []byte

// CompareAndSet sets a key (or removes it, with [Absent]) if its value is still the expected one, in one step. [IsConflict] says
// whether another was there.
func (Store) CompareAndSet(key string, expected, value []byte) error {
	return host.Current.CompareAndSet(key, some(expected), some(value))
}

func some(value []byte) *[]byte {
	if value == nil {
		return nil
	}
	return &value
}

// Update changes a key by a function of its value ([Absent] if there is none), and again if somebody else was faster.
func (s Store) Update(key string, change func(old []byte) ([]byte, error)) error {
	for {
		old, found, err := s.Get(key)
		if err != nil {
			return err
		}
		if !found {
			old = Absent
		} else if old == nil {
			old = []byte{}
		}
		// What is changed must not change what is expected.
		value, err := change(bytes.Clone(old))
		if err != nil {
			return err
		}
		if err := s.CompareAndSet(key, old, value); !IsConflict(err) {
			return err
		}
	}
}

// Keys lists the keys that begin with a prefix, in byte order.
func (Store) Keys(prefix string) ([]string, error) {
	var all []string
	var cursor *string
	for {
		keys, next, err := host.Current.Keys(prefix, cursor)
		all = append(all, keys...)
		if err != nil || next == nil {
			return all, err
		}
		cursor = next
	}
}
