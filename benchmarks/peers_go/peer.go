// Command peer measures operations of Go's standard library, and of a small IAVL tree of its own,
// for benchmarks.peers_go: CPU time of the process for each operation, the garbage collector's
// included.
//
//	peer KEYS WRITES SECONDS
//
// It prints a line "name nanoseconds" for each, and one "root HASH" that shows that the tree's work is
// that of the other side.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

var kept any // so that no work is optimised away

func cpuNanoseconds() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// measure prints the CPU time of an operation, of which work does some at once.
func measure(name string, seconds float64, operations int, work func()) {
	work()
	calls, start := 0, cpuNanoseconds()
	for {
		work()
		calls++
		if used := cpuNanoseconds() - start; float64(used) >= seconds*1e9 {
			fmt.Println(name, float64(used)/float64(calls)/float64(operations))
			return
		}
	}
}

// key returns the same keys as the other side: SHA-256 of the number as text, its first 20 bytes.
func key(number int) []byte {
	sum := sha256.Sum256([]byte(strconv.Itoa(number)))
	return sum[:20]
}

// ---------------------------------------------------------------- the tree

// A node of an immutable IAVL tree: leaves have values, inner nodes the smallest key to their right.
type node struct {
	key, value  []byte
	left, right *node
	height      int8
	size        int64
	version     int64
	hash        []byte
}

func inner(left, right *node, key []byte, version int64) *node {
	height := max(left.height, right.height) + 1
	size := left.size + right.size
	return &node{key: key, left: left, right: right, height: height, size: size, version: version}
}

func rotateRight(n *node, version int64) *node {
	l := n.left
	return inner(l.left, inner(l.right, n.right, n.key, version), l.key, version)
}

func rotateLeft(n *node, version int64) *node {
	r := n.right
	return inner(inner(n.left, r.left, n.key, version), r.right, r.key, version)
}

func balance(n *node) int8 { return n.left.height - n.right.height }

func rebalance(n *node, version int64) *node {
	switch b := balance(n); {
	case b > 1:
		if balance(n.left) < 0 {
			n = inner(rotateLeft(n.left, version), n.right, n.key, version)
		}
		return rotateRight(n, version)
	case b < -1:
		if balance(n.right) > 0 {
			n = inner(n.left, rotateRight(n.right, version), n.key, version)
		}
		return rotateLeft(n, version)
	}
	return n
}

func (n *node) set(key, value []byte, version int64) *node {
	if n != nil && n.height > 0 {
		if bytes.Compare(key, n.key) < 0 {
			return rebalance(inner(n.left.set(key, value, version), n.right, n.key, version), version)
		}
		return rebalance(inner(n.left, n.right.set(key, value, version), n.key, version), version)
	}
	leaf := &node{key: key, value: value, size: 1, version: version}
	if n == nil {
		return leaf
	}
	switch bytes.Compare(key, n.key) {
	case -1:
		return inner(leaf, n, n.key, version)
	case 1:
		return inner(n, leaf, key, version)
	}
	return leaf
}

func (n *node) get(key []byte) []byte {
	for n.height > 0 {
		if bytes.Compare(key, n.key) < 0 {
			n = n.left
		} else {
			n = n.right
		}
	}
	if !bytes.Equal(key, n.key) {
		return nil
	}
	return n.value
}

// fillHashes hashes as cosmos/iavl does: signed varints, and bytes after their lengths.
func (n *node) fillHashes() []byte {
	if n.hash != nil {
		return n.hash
	}
	buffer := make([]byte, 0, 128)
	for _, number := range []int64{int64(n.height), n.size, n.version} {
		buffer = binary.AppendVarint(buffer, number)
	}
	first, second := n.key, []byte(nil)
	if n.height > 0 {
		first, second = n.left.fillHashes(), n.right.fillHashes()
	} else {
		sum := sha256.Sum256(n.value)
		second = sum[:]
	}
	for _, part := range [][]byte{first, second} {
		buffer = binary.AppendUvarint(buffer, uint64(len(part)))
		buffer = append(buffer, part...)
	}
	sum := sha256.Sum256(buffer)
	n.hash = sum[:]
	return n.hash
}

func measureTree(keys, writes int, seconds float64) {
	var tree *node
	for i := range keys {
		tree = tree.set(key(i), make([]byte, 40), 1)
	}
	tree.fillHashes()
	chosen := make([][]byte, writes)
	for i := range chosen {
		chosen[i] = key(i * (keys / writes))
	}
	value := bytes.Repeat([]byte{1}, 40)
	write := func() {
		changed := tree
		for _, k := range chosen {
			changed = changed.set(k, value, 2)
		}
		kept = changed.fillHashes()
	}
	measure("tree_write", seconds, writes, write)
	fmt.Println("root", hex.EncodeToString(kept.([]byte)))
	measure("tree_read", seconds, writes, func() {
		for _, k := range chosen {
			kept = tree.get(k)
		}
	})
}

// ---------------------------------------------------------------- the standard library

func measureMap(keys int, seconds float64) {
	known := make(map[string]int)
	names := make([]string, keys)
	for i := range names {
		names[i] = string(key(i))
		known[names[i]] = i
	}
	measure("map_read", seconds, keys, func() {
		sum := 0
		for _, name := range names {
			sum += known[name]
		}
		kept = sum
	})
	measure("map_write", seconds, keys, func() {
		for i, name := range names {
			known[name] = i
		}
	})
	measure("map_fill", seconds, keys, func() {
		fresh := make(map[string]int)
		for i, name := range names {
			fresh[name] = i
		}
		kept = fresh
	})
}

func measureCrypto(seconds float64) {
	for _, size := range []int{64, 320, 65_536} {
		message := make([]byte, size)
		measure(fmt.Sprintf("sha256_%d", size), seconds, 100, func() {
			for range 100 {
				kept = sha256.Sum256(message)
			}
		})
	}
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	public, message := private.Public().(ed25519.PublicKey), make([]byte, 320)
	signature := ed25519.Sign(private, message)
	measure("ed25519_sign", seconds, 1, func() { kept = ed25519.Sign(private, message) })
	measure("ed25519_verify", seconds, 1, func() {
		if !ed25519.Verify(public, message, signature) {
			panic("the signature does not verify")
		}
	})
}

func main() {
	keys, err := strconv.Atoi(os.Args[1])
	writes, err2 := strconv.Atoi(os.Args[2])
	seconds, err3 := strconv.ParseFloat(os.Args[3], 64)
	if err != nil || err2 != nil || err3 != nil || writes < 1 || keys < writes {
		fmt.Fprintln(os.Stderr, "peer KEYS WRITES SECONDS")
		os.Exit(2)
	}
	measureCrypto(seconds)
	measureMap(keys, seconds)
	measureTree(keys, writes, seconds)
}
