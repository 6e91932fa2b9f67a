/* Transactions of a Cosmos SDK chain: plain transfers read from their canonical encoding, and
   signatures over sign documents verified by libsecp256k1.

   What transfer_read does not take may still be a transaction: the general decoder has the say. */

#ifndef VEPERF_TRANSACTIONS_H
#define VEPERF_TRANSACTIONS_H

#include "sha256.h"

#define SIGNATURE_BYTES 64
#define POINT_BYTES 64 /* secp256k1_pubkey, in the library's own form */
#define KEY_BYTES 33
#define ACCOUNT_BYTES 20
#define MODULE_BYTES 32
#define MAX_DIGITS 77 /* under 2^256 by their number alone */
#define MAX_BECH32 90
#define CHECKSUM_SYMBOLS 6

typedef struct {
    const uint8_t *data;
    size_t size;
} span;

typedef struct {
    span body, auth_info, signature;
    span sender, recipient, denom, amount;
    span key, fee_denom, fee_amount;
    uint64_t sequence, gas_limit;
} transfer;

/* ---------------------------------------------------------------- reading

   Each function takes its part from the front of *rest, and returns 0 where that is another. */

static int take(span *rest, span *part, size_t size) {
    if (rest->size < size)
        return 0;
    *part = (span){rest->data, size};
    rest->data += size, rest->size -= size;
    return 1;
}

static int take_text(span *rest, const char *text, size_t size) {
    span part;
    return take(rest, &part, size) && !memcmp(part.data, text, size);
}

#define TAKE_LITERAL(rest, text) take_text(rest, text, sizeof(text) - 1)

/* A varint of the fewest bytes, between 1 and 2^63: fields of 0 are left out. */
static int take_varint(span *rest, uint64_t *number) {
    *number = 0;
    for (size_t i = 0; i < rest->size && i < 9; i++) {
        uint8_t byte = rest->data[i];
        *number |= (uint64_t)(byte & 0x7F) << 7 * i;
        if (byte < 0x80) {
            rest->data += i + 1, rest->size -= i + 1;
            return byte != 0;
        }
    }
    return 0;
}

/* A field of the given tag and of length at least 1. */
static int take_field(span *rest, uint8_t tag, span *part) {
    uint64_t size;
    span head;
    return take(rest, &head, 1) && head.data[0] == tag && take_varint(rest, &size) &&
           size <= rest->size && take(rest, part, (size_t)size);
}

static int is_letter(uint8_t c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

static int is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

/* The SDK's [a-zA-Z][a-zA-Z0-9/:._-]{2,127}. */
static int is_denom(span text) {
    if (text.size < 3 || text.size > 128 || !is_letter(text.data[0]))
        return 0;
    for (size_t i = 1; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (!is_letter(c) && !is_digit(c) && c != '/' && c != ':' && c != '.' && c != '_' &&
            c != '-')
            return 0;
    }
    return 1;
}

static int is_amount(span text) {
    if (!text.size || text.size > MAX_DIGITS || text.data[0] == '0')
        return 0;
    for (size_t i = 0; i < text.size; i++)
        if (!is_digit(text.data[i]))
            return 0;
    return 1;
}

/* A field that is one coin and nothing else. */
static int take_coin(span *rest, uint8_t tag, span *denom, span *amount) {
    span coin;
    return take_field(rest, tag, &coin) && take_field(&coin, 0x0A, denom) && is_denom(*denom) &&
           take_field(&coin, 0x12, amount) && is_amount(*amount) && !coin.size;
}

static int read_body(span body, transfer *t) {
    span any, message;
    return take_field(&body, 0x0A, &any) && !body.size &&
           TAKE_LITERAL(&any, "\x0A\x1C/cosmos.bank.v1beta1.MsgSend") &&
           take_field(&any, 0x12, &message) && !any.size &&
           take_field(&message, 0x0A, &t->sender) && take_field(&message, 0x12, &t->recipient) &&
           take_coin(&message, 0x1A, &t->denom, &t->amount) && !message.size;
}

static int read_auth_info(span auth, transfer *t) {
    span signer, fee, tag;
    t->sequence = 0;
    return take_field(&auth, 0x0A, &signer) &&
           TAKE_LITERAL(&signer, "\x0A\x46\x0A\x1F/cosmos.crypto.secp256k1.PubKey\x12\x23\x0A\x21") &&
           take(&signer, &t->key, KEY_BYTES) &&
           TAKE_LITERAL(&signer, "\x12\x04\x0A\x02\x08\x01") &&
           (!signer.size || (take(&signer, &tag, 1) && tag.data[0] == 0x18 &&
                             take_varint(&signer, &t->sequence) && !signer.size)) &&
           take_field(&auth, 0x12, &fee) && !auth.size &&
           take_coin(&fee, 0x0A, &t->fee_denom, &t->fee_amount) && take(&fee, &tag, 1) &&
           tag.data[0] == 0x10 && take_varint(&fee, &t->gas_limit) && !fee.size;
}

/* Returns whether raw is the canonical encoding of a transfer of one coin with one fee coin, signed
   with secp256k1, without memo or timeout. Addresses are not looked at. */
static int transfer_read(transfer *t, const uint8_t *raw, size_t size) {
    span rest = {raw, size};
    return take_field(&rest, 0x0A, &t->body) && take_field(&rest, 0x12, &t->auth_info) &&
           take_field(&rest, 0x1A, &t->signature) && !rest.size &&
           t->signature.size == SIGNATURE_BYTES && read_body(t->body, t) &&
           read_auth_info(t->auth_info, t);
}

/* ---------------------------------------------------------------- addresses */

/* BIP-173's polymod, advanced by a symbol. */
static uint32_t bech32_step(uint32_t state, uint8_t symbol) {
    static const uint32_t generator[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                          0x2a1462b3};
    uint32_t top = state >> 25;
    state = (state & 0x1FFFFFF) << 5 ^ symbol;
    for (int i = 0; i < 5; i++)
        state ^= generator[i] & (0U - (top >> i & 1));
    return state;
}

/* Returns the length of the address, 20 or 32 bytes, that text is the bech32 form of, in lower case
   and with this prefix; 0 for any other text. */
static size_t address_read(uint8_t address[MODULE_BYTES], span text, span prefix) {
    static const uint8_t symbols[256] = { /* of each letter, plus 1 */
        ['q'] = 1,  ['p'] = 2,  ['z'] = 3,  ['r'] = 4,  ['y'] = 5,  ['9'] = 6,  ['x'] = 7,
        ['8'] = 8,  ['g'] = 9,  ['f'] = 10, ['2'] = 11, ['t'] = 12, ['v'] = 13, ['d'] = 14,
        ['w'] = 15, ['0'] = 16, ['s'] = 17, ['3'] = 18, ['j'] = 19, ['n'] = 20, ['5'] = 21,
        ['4'] = 22, ['k'] = 23, ['h'] = 24, ['c'] = 25, ['e'] = 26, ['6'] = 27, ['m'] = 28,
        ['u'] = 29, ['a'] = 30, ['7'] = 31, ['l'] = 32};
    size_t head = prefix.size + 1;
    if (text.size > MAX_BECH32 || text.size < head + CHECKSUM_SYMBOLS || !prefix.size ||
        memcmp(text.data, prefix.data, prefix.size) || text.data[prefix.size] != '1')
        return 0;
    size_t count = text.size - head - CHECKSUM_SYMBOLS, size = count * 5 / 8;
    if ((size != ACCOUNT_BYTES && size != MODULE_BYTES) || count != (size * 8 + 4) / 5)
        return 0;
    uint32_t state = 1, bits = 0, held = 0;
    for (size_t i = 0; i < prefix.size; i++) {
        uint8_t c = prefix.data[i];
        if (!is_digit(c) && !(c >= 'a' && c <= 'z'))
            return 0;
        state = bech32_step(state, c >> 5);
    }
    state = bech32_step(state, 0);
    for (size_t i = 0; i < prefix.size; i++)
        state = bech32_step(state, prefix.data[i] & 31);
    for (size_t i = 0, written = 0; i < text.size - head; i++) {
        uint8_t symbol = symbols[text.data[head + i]];
        if (!symbol--)
            return 0;
        state = bech32_step(state, symbol);
        if (i >= count)
            continue;
        bits = (bits << 5 | symbol) & 0xFFF, held += 5;
        if (held >= 8)
            held -= 8, address[written++] = (uint8_t)(bits >> held);
    }
    return state == 1 && !(bits & ((1U << held) - 1)) ? size : 0;
}

/* ---------------------------------------------------------------- signatures */

/* libsecp256k1, of another module of the process: its context and two of its functions. */
typedef struct {
    const void *context;
    int (*parse)(const void *context, void *signature, const uint8_t *compact);
    int (*verify)(const void *context, const void *signature, const uint8_t *digest,
                  const void *point);
} signature_library;

typedef struct {
    const uint8_t *point, *signature;
    span body, auth_info;
    uint64_t account_number;
} document;

typedef enum { VERIFIED, WRONG_SIGNATURE, HIGH_S } verdict;

static void hash_varint(sha_message *state, uint8_t tag, uint64_t number) {
    uint8_t bytes[11] = {tag};
    size_t size = 1;
    for (; number >= 0x80; number >>= 7)
        bytes[size++] = (uint8_t)(number | 0x80);
    bytes[size++] = (uint8_t)number;
    sha_add(state, bytes, size);
}

static void hash_field(sha_message *state, uint8_t tag, span field) {
    if (!field.size)
        return;
    hash_varint(state, tag, field.size);
    sha_add(state, field.data, field.size);
}

/* SHA-256 of the SignDoc: body, auth info, chain id, account number; empty fields are left out. */
static void document_hash(uint8_t digest[HASH_BYTES], const document *d, span chain_id) {
    sha_message state;
    sha_begin(&state);
    hash_field(&state, 0x0A, d->body);
    hash_field(&state, 0x12, d->auth_info);
    hash_field(&state, 0x1A, chain_id);
    if (d->account_number)
        hash_varint(&state, 0x20, d->account_number);
    sha_end(digest, &state);
}

/* An s over half the order, and below the order itself. */
static int is_high_s(const uint8_t s[32]) {
    static const uint8_t half[32] = {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d,
                                     0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0};
    static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
                                      0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b,
                                      0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};
    return memcmp(s, half, 32) > 0 && memcmp(s, order, 32) < 0;
}

static verdict document_verify(const signature_library *library, const document *d,
                               span chain_id) {
    uint64_t parsed[SIGNATURE_BYTES / 8]; /* secp256k1_ecdsa_signature */
    uint8_t digest[HASH_BYTES];
    if (is_high_s(d->signature + 32))
        return HIGH_S;
    document_hash(digest, d, chain_id);
    return library->parse(library->context, parsed, d->signature) &&
                   library->verify(library->context, parsed, digest, d->point)
               ? VERIFIED
               : WRONG_SIGNATURE;
}

static void documents_verify(uint8_t *verdicts, const signature_library *library,
                             const document *documents, size_t count, span chain_id) {
    for (size_t i = 0; i < count; i++)
        verdicts[i] = (uint8_t)document_verify(library, &documents[i], chain_id);
}

#endif
