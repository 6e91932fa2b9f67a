"""A small Go module that mimics VirtEngine's layout: its paths, packages and names of benchmarks.

The module path, the folders and the functions are those of VirtEngine, and so are the files that
hold its baselines. The work is a little of the same kind, by the standard library alone.
"""

import json
from pathlib import Path

from tests.support.go_modules import Files, benchmark, benchmark_file

MODULE = "github.com/virtengine/virtengine"
_VECTORS = Path(__file__).resolve().parents[1] / "vectors"

_BID_ENGINE = """// Package provider_daemon bids on orders.
package provider_daemon

import "crypto/ed25519"

// Order is what a customer asks for.
type Order struct {
\tID     string
\tRegion string
\tCores  int64
}

// Provider is what can serve orders.
type Provider struct {
\tRegions []string
\tFree    int64
\tRates   [4]int64
}

// Matches tells whether the provider can serve the order.
//
//go:noinline
func (p *Provider) Matches(order *Order) bool {
\thits := 0
%(scan)s
\treturn hits > 0 && p.Free >= order.Cores
}

// Price is that of the order, in units of 1e-6.
//
//go:noinline
func (p *Provider) Price(order *Order) int64 {
\ttotal := int64(0)
\tfor _, rate := range p.Rates {
\t\ttotal += rate * order.Cores
\t}
\treturn total + total/10
}

// Sign signs a bid on the order.
func Sign(key ed25519.PrivateKey, order *Order) []byte {
%(copies)s\treturn ed25519.Sign(key, []byte(order.ID+order.Region))
}
"""
_SCAN = """\tfor _, region := range p.Regions {
\t\tif region == order.Region {
\t\t\thits++
\t\t}
\t}"""
_COPY = "\tkey = append(key[:0:0], key...)\n"
_EXAMPLES = """
var (
\torder    = &Order{ID: "order-1", Region: "eu-west", Cores: 4}
\tprovider = &Provider{Free: 64, Rates: [4]int64{100, 50, 10, 1000}}
\tkey      = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
\tkept     [][]byte
)

func init() {
\tfor i := 0; i < 2000; i++ {
\t\tprovider.Regions = append(provider.Regions, "region-"+strconv.Itoa(i))
\t}
\tprovider.Regions = append(provider.Regions, order.Region)
}
"""
_KEEPER = """// Package keeper keeps identities.
package keeper

import (
\t"crypto/aes"
\t"crypto/cipher"
\t"crypto/sha256"
)

// Decrypt opens a sealed scope.
func Decrypt(key, sealed []byte) ([]byte, error) {
\tblock, err := aes.NewCipher(key)
\tif err != nil {
\t\treturn nil, err
\t}
\tgcm, err := cipher.NewGCM(block)
\tif err != nil {
\t\treturn nil, err
\t}
\treturn gcm.Open(nil, make([]byte, gcm.NonceSize()), sealed, nil)
}

// Commit commits to a value.
func Commit(value, salt []byte) [32]byte {
\treturn sha256.Sum256(append(append([]byte(nil), value...), salt...))
}
"""
_SEALED = """
var kept [32]byte

func sealed(b *testing.B, key []byte) []byte {
\tblock, err := aes.NewCipher(key)
\tif err != nil {
\t\tb.Fatal(err)
\t}
\tgcm, err := cipher.NewGCM(block)
\tif err != nil {
\t\tb.Fatal(err)
\t}
\treturn gcm.Seal(nil, make([]byte, gcm.NonceSize()), make([]byte, 8192), nil)
}

func BenchmarkScopeDecryption(b *testing.B) {
\tkey := make([]byte, 32)
\tscope := sealed(b, key)
\tb.SetBytes(int64(len(scope)))
\tb.ResetTimer()
\tfor i := 0; i < b.N; i++ {
\t\tif _, err := Decrypt(key, scope); err != nil {
\t\t\tb.Fatal(err)
\t\t}
\t}
}
"""
_STORE = """// Package keeper keeps the market's orders.
package keeper

import "sort"

// Store keeps orders by owner.
type Store map[string][]string

// Query returns a page of an owner's orders, sorted.
func (s Store) Query(owner string, offset, limit int) []string {
\torders := append([]string(nil), s[owner]...)
\tsort.Strings(orders)
\treturn orders[offset:min(offset+limit, len(orders))]
}
"""
_QUERIES = """
func BenchmarkQueryOrdersByOwner(b *testing.B) {
\tstore := Store{}
\tfor i := 0; i < 500; i++ {
\t\tstore["owner"] = append(store["owner"], "order-"+strconv.Itoa(i*7919%500))
\t}
\tb.ResetTimer()
\tfor i := 0; i < b.N; i++ {
\t\tsink += uint64(len(store.Query("owner", 100, 50)))
\t}
}
"""
_SCALE = """
func BenchmarkValidatorScale(b *testing.B) {
\tfor _, validators := range []int{100, 1000, 10000} {
\t\tb.Run(strconv.Itoa(validators), func(b *testing.B) {
\t\t\tpower := make([]uint64, validators)
\t\t\tfor i := 0; i < b.N; i++ {
\t\t\t\tfor j := range power {
\t\t\t\t\tpower[j] += uint64(i ^ j)
\t\t\t\t\tsink += power[j]
\t\t\t\t}
\t\t\t}
\t\t})
\t}
}
"""


def virtengine(*, scans: int = 1, copies: bool = False) -> Files:
    """Return the module; orders are matched in so many scans, and keys may be copied to sign."""
    engine = _BID_ENGINE % {"scan": "\n".join([_SCAN] * scans), "copies": _COPY if copies else ""}
    bidding = (
        benchmark("OrderMatching", "if provider.Matches(order) {\n\tsink++\n}"),
        benchmark("PriceCalculation", "sink += uint64(provider.Price(order))"),
        benchmark("BidSigning", "kept = append(kept[:0], Sign(key, order))"),
    )
    return {
        "go.mod": f"module {MODULE}\n\ngo 1.22\n",
        "README.md": "# VirtEngine, the shape of it\n",
        "cmd/virtengine/main.go": "package main\n\nfunc main() {}\n",
        "pkg/provider_daemon/bid_engine.go": engine,
        "pkg/provider_daemon/bid_engine_benchmark_test.go": benchmark_file(
            "provider_daemon", _EXAMPLES, *bidding, imports=["crypto/ed25519", "strconv"]
        ),
        "x/veid/keeper/keeper.go": _KEEPER,
        "x/veid/keeper/benchmark_test.go": benchmark_file(
            "keeper",
            _SEALED,
            benchmark("CommitmentGeneration", 'kept = Commit([]byte("value"), []byte("salt"))'),
            imports=["crypto/aes", "crypto/cipher"],
        ),
        "x/market/keeper/store.go": _STORE,
        "x/market/keeper/benchmark_test.go": benchmark_file(
            "keeper", _QUERIES, imports=["strconv"]
        ),
        "tests/benchmark/transaction_test.go": benchmark_file(
            "benchmark",
            benchmark(
                "TransactionHashComputation",
                "sum := sha256.Sum256(make([]byte, 250))\nsink += uint64(sum[0])",
            ),
            imports=["crypto/sha256"],
        ),
        "tests/benchmark/BASELINE_METRICS.json": (_VECTORS / "BASELINE_METRICS.json").read_text(),
        "tests/load/scale/scale_test.go": benchmark_file("scale", _SCALE, imports=["strconv"]),
        "tests/load/scale/SCALE_BASELINES.json": _scale_baselines(),
        # A module of its own, as the SDK for clients is.
        "sdk/go/go.mod": f"module {MODULE}/sdk/go\n\ngo 1.22\n",
        "sdk/go/util/conv/conv_test.go": benchmark_file(
            "conv",
            benchmark("UnsafeStrToBytes", "sink += uint64(len([]byte(strconv.Itoa(i))))"),
            imports=["strconv"],
        ),
    }


def _scale_baselines() -> str:
    path = _VECTORS / "SCALE_BASELINES.json"
    return path.read_text() if path.exists() else json.dumps({})
