// Package http1 reads HTTP/1.1 messages (RFC 9110, RFC 9112) for a proxy that no server behind it may understand
// differently, and that passes header fields on as the bytes that they are.
//
// What belongs here: heads, framing and chunks, as functions of bytes. Connections and what is done with a message
// belong to the keeper.
//
// Where the standard lets a recipient be lenient, this one refuses: lines end in CR LF and nothing else, a field's
// name ends at the colon, no line is folded, a body has one length given once, and what follows a percent sign in a
// target are two hexadecimal digits. Nothing is repaired.
package http1

// Error is a message that is not taken. Status is the answer's, where the message was a request.
type Error struct {
	Status int
	Text   string
}

func (e *Error) Error() string { return e.Text }

func bad(text string) *Error { return &Error{400, text} }

// What a message is refused for. They are values, so that a refusal costs no memory.
var (
	errLine      = bad("a line of the head does not end in CR LF")
	errStart     = bad("the first line is not method, target and version, separated by one space")
	errMethod    = bad("the method is not a token")
	errTarget    = bad("the target is no path, or has bytes that belong percent-encoded")
	errPercent   = bad("a percent sign in the target is not followed by two hexadecimal digits")
	errName      = bad("a header field's name is not a token with a colon right after it")
	errValue     = bad("a header field's value has control characters")
	errHost      = bad("there has to be one Host field with a plain value")
	errLength    = bad("the body's length is not given once, as a number")
	errCodingOld = bad("HTTP/1.0 has no transfer codings")
	errChunk     = bad("a chunk of the body is malformed")
	errLong      = &Error{414, "path and query are longer than 8 KiB"}
	errFields    = &Error{431, "there are more than 100 header fields"}
	errLarge     = &Error{431, "the head is larger than 20 KiB"}
	errCoding    = &Error{501, "the only transfer coding known is chunked"}
	errVersion   = &Error{505, "the version is not HTTP/1.1 or HTTP/1.0"}
	errConnect   = &Error{405, "this method is not for a site"}
	errExpect    = &Error{417, "the only expectation known is 100-continue"}
	errStatus    = bad("the status line is malformed")
)
