// Signed notes by code that is not ours: golang.org/x/mod/sumdb/note, which also reads what we made.
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run tests/vectors/signed_note.go < questions > answers
//
// (Debian: golang-go, golang-golang-x-mod-dev.) A question with Signers is a text that they sign, in this order; one with a
// Time cosigns it as C2SP's tlog-cosignature says (0x04), for which the library has no type of its own. A question with a Note
// is opened under Keys, in the text form of policy files. The answer is the question with what was made or found.
// Python's generate_signed_note.py asks.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

type signer struct {
	Name string
	Seed []byte
	Time uint64 `json:",omitempty"`
	Key  string
}

type question struct {
	Text       string
	Signers    []signer `json:",omitempty"`
	Keys       []string `json:",omitempty"`
	Note       string
	Verified   []string `json:",omitempty"`
	Unverified int      `json:",omitempty"`
	Error      string   `json:",omitempty"`
}

const ed25519Key, cosignature = 1, 4

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func keyHash(name string, kind byte, public []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n"+string([]byte{kind})), public...))
	return binary.BigEndian.Uint32(sum[:])
}

func textForm(name string, kind byte, key []byte, public []byte) string {
	encoded := base64.StdEncoding.EncodeToString(append([]byte{kind}, key...))
	return fmt.Sprintf("%s+%08x+%s", name, keyHash(name, kind, public), encoded)
}

// A cosigner's key: the header, a line with the time, and the text are signed.
type cosigner struct {
	name   string
	public ed25519.PublicKey
	secret ed25519.PrivateKey
	time   uint64
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return keyHash(c.name, cosignature, c.public) }

func cosigned(time uint64, text []byte) []byte {
	return append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", time)), text...)
}

func (c *cosigner) Sign(text []byte) ([]byte, error) {
	signed := make([]byte, 8)
	binary.BigEndian.PutUint64(signed, c.time)
	return append(signed, ed25519.Sign(c.secret, cosigned(c.time, text))...), nil
}

func (c *cosigner) Verify(text, signed []byte) bool {
	if len(signed) != 8+ed25519.SignatureSize {
		return false
	}
	return ed25519.Verify(c.public, cosigned(binary.BigEndian.Uint64(signed), text), signed[8:])
}

func verifierOf(key string) note.Verifier {
	name, rest, _ := strings.Cut(key, "+")
	_, encoded, _ := strings.Cut(rest, "+")
	data := must(base64.StdEncoding.DecodeString(encoded))
	if data[0] == cosignature {
		return &cosigner{name: name, public: data[1:]}
	}
	return must(note.NewVerifier(key))
}

func sign(q *question) {
	var signers []note.Signer
	for i := range q.Signers {
		each := &q.Signers[i]
		secret := ed25519.NewKeyFromSeed(each.Seed)
		public := secret.Public().(ed25519.PublicKey)
		if each.Time != 0 {
			each.Key = textForm(each.Name, cosignature, public, public)
			signers = append(signers, &cosigner{each.Name, public, secret, each.Time})
			continue
		}
		each.Key = must(note.NewEd25519VerifierKey(each.Name, public))
		signers = append(signers, must(note.NewSigner("PRIVATE+KEY+"+textForm(each.Name, ed25519Key, each.Seed, public))))
	}
	q.Note = string(must(note.Sign(&note.Note{Text: q.Text}, signers...)))
}

func open(q *question) {
	var known []note.Verifier
	for _, key := range q.Keys {
		known = append(known, verifierOf(key))
	}
	opened, err := note.Open([]byte(q.Note), note.VerifierList(known...))
	if err != nil {
		q.Error = err.Error()
		return
	}
	q.Text, q.Unverified = opened.Text, len(opened.UnverifiedSigs)
	for _, each := range opened.Sigs {
		q.Verified = append(q.Verified, each.Name)
	}
}

func main() {
	log.SetFlags(0)
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		log.Fatal(err)
	}
	for i := range questions {
		if q := &questions[i]; q.Note == "" {
			sign(q)
		} else {
			open(q)
		}
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetIndent("", " ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(questions); err != nil {
		log.Fatal(err)
	}
	os.Stdout.Write(out.Bytes())
}
