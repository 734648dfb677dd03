package http1

// Classes of bytes.
const (
	tokenByte  = 1 << iota // RFC 9110, 5.6.2
	valueByte              // RFC 9110, 5.5: visible ones, space, tab and those above 127
	targetByte             // visible ASCII without "#": a fragment is never sent
	hostByte               // RFC 3986, 3.2: registered name, address, port
	hexByte
)

var class = classes()

func classes() (table [256]uint8) {
	mark := func(bytes string, bit uint8) {
		for _, b := range []byte(bytes) {
			table[b] |= bit
		}
	}
	const letters, digits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	mark(letters+digits+"!#$%&'*+-.^_`|~", tokenByte)
	mark(letters+digits+"-._~!$&'()*+;=:[]%", hostByte)
	mark(digits+"abcdefABCDEF", hexByte)
	for b := range table {
		if b == '\t' || b >= ' ' && b != 0x7f {
			table[b] |= valueByte
		}
		if b > ' ' && b < 0x7f && b != '#' {
			table[b] |= targetByte
		}
	}
	return table
}

// all says that every byte is of the class.
func all(b []byte, bit uint8) bool {
	for _, c := range b {
		if class[c]&bit == 0 {
			return false
		}
	}
	return true
}

// Is compares without regard to case; lower is in lower case.
func Is(b []byte, lower string) bool { return len(b) == len(lower) && HasPrefix(b, lower) }

// HasPrefix is like Is, for a beginning.
func HasPrefix(b []byte, lower string) bool {
	if len(b) < len(lower) {
		return false
	}
	for i := range len(lower) {
		c := b[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// trim takes the optional white space around a value off.
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// number reads what Content-Length may be: digits only, at most 15 of them.
func number(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 15 {
		return 0, false
	}
	n := int64(0)
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}
