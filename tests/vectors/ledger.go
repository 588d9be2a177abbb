// A log by code that is not ours: golang.org/x/mod/sumdb/tlog, which also checks what we made.
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run tests/vectors/ledger.go < questions > answers
//
// (Debian: golang-go, golang-golang-x-mod-dev.) A question is a log of Size leaves, "leaf 0", "leaf 1", ..., with proofs that
// are asked for; where a proof comes with it, it has to hold. Tiles of C2SP under Folder, if there is one, have to give the
// same root and the same proofs. The answer is the question with root and proofs; any fault ends the program.
// Python's generate_ledger.py asks the questions of ledger.json.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

type inclusion struct {
	Index int64
	Proof tlog.RecordProof
}

type consistency struct {
	Old   int64
	Root  tlog.Hash
	Proof tlog.TreeProof
}

type question struct {
	Size          int64
	Folder        string `json:",omitempty"`
	Root          tlog.Hash
	Inclusions    []inclusion
	Consistencies []consistency
}

// Every stored hash of the largest log so far, in the library's order.
type stored []tlog.Hash

func (s *stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		hashes[i] = (*s)[index]
	}
	return hashes, nil
}

func leaf(index int64) []byte { return []byte(fmt.Sprintf("leaf %d", index)) }

// Tiles in a folder. C2SP's paths lack the height, which is 8.
type folder string

func (f folder) Height() int                         { return 8 }
func (f folder) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	read := make([][]byte, len(tiles))
	for i, tile := range tiles {
		path := "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
		data, err := os.ReadFile(filepath.Join(string(f), filepath.FromSlash(path)))
		if err != nil {
			return nil, err
		}
		read[i] = data
	}
	return read, nil
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func same(what string, one, other any) {
	if !reflect.DeepEqual(one, other) {
		log.Fatalf("%s: %v is not %v", what, one, other)
	}
}

func answer(q *question, all *stored) {
	readers := []tlog.HashReader{all}
	root := must(tlog.TreeHash(q.Size, all))
	if q.Folder != "" {
		same("the root", q.Root, root)
		readers = append(readers, tlog.TileHashReader(tlog.Tree{N: q.Size, Hash: root}, folder(q.Folder)))
	}
	q.Root = root
	for _, reader := range readers {
		same("the root from tiles", must(tlog.TreeHash(q.Size, reader)), root)
		for i := range q.Inclusions {
			each := &q.Inclusions[i]
			proof := must(tlog.ProveRecord(q.Size, each.Index, reader))
			if each.Proof != nil {
				if err := tlog.CheckRecord(each.Proof, q.Size, root, each.Index, tlog.RecordHash(leaf(each.Index))); err != nil {
					log.Fatalf("leaf %d of %d: %v", each.Index, q.Size, err)
				}
				same("a proof", []tlog.Hash(each.Proof), []tlog.Hash(proof))
			}
			each.Proof = proof
		}
		for i := range q.Consistencies {
			each := &q.Consistencies[i]
			each.Root = must(tlog.TreeHash(each.Old, all))
			proof := must(tlog.ProveTree(q.Size, each.Old, reader))
			if each.Proof != nil {
				if err := tlog.CheckTree(each.Proof, q.Size, root, each.Old, each.Root); err != nil {
					log.Fatalf("%d to %d: %v", each.Old, q.Size, err)
				}
				same("a proof", []tlog.Hash(each.Proof), []tlog.Hash(proof))
			}
			each.Proof = proof
		}
	}
}

func main() {
	log.SetFlags(0)
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		log.Fatal(err)
	}
	var all stored
	for size, i := int64(0), 0; i < len(questions); i++ {
		for ; size < questions[i].Size; size++ {
			all = append(all, must(tlog.StoredHashes(size, leaf(size), &all))...)
		}
		answer(&questions[i], &all)
		questions[i].Folder = ""
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", " ")
	if err := out.Encode(questions); err != nil {
		log.Fatal(err)
	}
}
