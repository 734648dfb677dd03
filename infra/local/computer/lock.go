package computer

import "sync"

// locks has one lock for each key, so that what happens to one machine or address does not wait for another's.
// Whoever needs several takes a machine's first, then Computer.volumes or Computer.addresses.
type locks struct {
	mu  sync.Mutex
	all map[string]*sync.Mutex
}

// lock waits for a key's lock and returns what frees it.
func (l *locks) lock(key string) (unlock func()) {
	l.mu.Lock()
	if l.all == nil {
		l.all = map[string]*sync.Mutex{}
	}
	one, ok := l.all[key]
	if !ok {
		one = &sync.Mutex{}
		l.all[key] = one
	}
	l.mu.Unlock()
	one.Lock()
	return one.Unlock
}
