/* SPDX-License-Identifier: Apache-2.0 */
/* browser_stun.c: bytes of STUN binding requests and replies. RFC 8489. Knows no ICE state. */
#include "browser_stun.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum {
    HEADER_BYTES = 20,
    HMAC_BYTES = 20,
    COOKIE = 0x2112a442,
    FINGERPRINT_XOR = 0x5354554e,
    ATTR_USERNAME = 0x0006,
    ATTR_INTEGRITY = 0x0008,
    ATTR_ERROR = 0x0009,
    ATTR_XOR_MAPPED = 0x0020,
    ATTR_PRIORITY = 0x0024,
    ATTR_USE_CANDIDATE = 0x0025,
    ATTR_FINGERPRINT = 0x8028,
    ATTR_CONTROLLED = 0x8029,
    ATTR_CONTROLLING = 0x802a
};

static unsigned get16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value & 0xffff);
}

static uint32_t crc32_of(const uint8_t *bytes, size_t size)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xedb88320 & (0 - (crc & 1)));
    }
    return ~crc;
}

/* HMAC over the message up to @p size, with a length field that counts MESSAGE-INTEGRITY as the last attribute. */
static void integrity_of(uint8_t mac[static HMAC_BYTES], const uint8_t *bytes, size_t size, const char *password)
{
    uint8_t copy[2048];
    unsigned mac_size = HMAC_BYTES;

    memcpy(copy, bytes, size);
    put16(copy + 2, (unsigned)(size - HEADER_BYTES + 4 + HMAC_BYTES));
    HMAC(EVP_sha1(), password, (int)strlen(password), copy, size, mac, &mac_size);
}

bool stun_is_message(const uint8_t *bytes, size_t size)
{
    return size >= HEADER_BYTES && bytes[0] < 4 && get32(bytes + 4) == COOKIE;
}

static void read_attribute(struct stun_view *view, unsigned type, const uint8_t *value, size_t size)
{
    switch (type) {
    case ATTR_USERNAME:
        if (size < sizeof(view->username))
            memcpy(view->username, value, size);
        break;
    case ATTR_USE_CANDIDATE:
        view->use_candidate = true;
        break;
    case ATTR_CONTROLLING:
        view->is_controlling = true;
        break;
    case ATTR_CONTROLLED:
        view->is_controlled = true;
        break;
    case ATTR_ERROR:
        if (size >= 4)
            view->error_code = (value[2] & 7u) * 100 + value[3];
        break;
    default:
        break;
    }
}

int stun_read(struct stun_view *view, const uint8_t *bytes, size_t size, const char *password)
{
    memset(view, 0, sizeof(*view));
    if (!stun_is_message(bytes, size) || size > 2048 || get16(bytes + 2) != size - HEADER_BYTES)
        return -EBADMSG;
    view->kind = get16(bytes);
    memcpy(view->id, bytes + 8, STUN_ID_BYTES);
    for (size_t at = HEADER_BYTES; at + 4 <= size;) {
        unsigned type = get16(bytes + at), length = get16(bytes + at + 2);

        if (at + 4 + length > size)
            return -EBADMSG;
        if (type == ATTR_INTEGRITY) {
            uint8_t mac[HMAC_BYTES];

            integrity_of(mac, bytes, at, password);
            view->is_proved = length == HMAC_BYTES && !CRYPTO_memcmp(mac, bytes + at + 4, HMAC_BYTES);
            break; /* what follows is not protected */
        }
        read_attribute(view, type, bytes + at + 4, length);
        at += 4 + ((length + 3) & ~3u);
    }
    return 0;
}

static size_t start(uint8_t *out, unsigned kind, const uint8_t *id)
{
    put16(out, kind);
    put32(out + 4, COOKIE);
    memcpy(out + 8, id, STUN_ID_BYTES);
    return HEADER_BYTES;
}

static size_t add(uint8_t *out, size_t size, unsigned type, const void *value, size_t length)
{
    size_t padded = (length + 3) & ~(size_t)3;

    put16(out + size, type);
    put16(out + size + 2, (unsigned)length);
    memset(out + size + 4, 0, padded);
    if (length)
        memcpy(out + size + 4, value, length);
    return size + 4 + padded;
}

static size_t finish(uint8_t *out, size_t size, const char *password)
{
    uint8_t mac[HMAC_BYTES], crc[4];

    integrity_of(mac, out, size, password);
    size = add(out, size, ATTR_INTEGRITY, mac, HMAC_BYTES);
    put16(out + 2, (unsigned)(size - HEADER_BYTES + 8));
    put32(crc, crc32_of(out, size) ^ FINGERPRINT_XOR);
    return add(out, size, ATTR_FINGERPRINT, crc, sizeof(crc));
}

size_t stun_write_check(uint8_t *out, const struct stun_check *check)
{
    size_t size = start(out, STUN_REQUEST, check->id);
    uint8_t priority[4], tie[8];

    put32(priority, check->priority);
    put32(tie, (uint32_t)(check->tie_breaker >> 32));
    put32(tie + 4, (uint32_t)check->tie_breaker);
    size = add(out, size, ATTR_USERNAME, check->username, strlen(check->username));
    size = add(out, size, check->is_controlling ? ATTR_CONTROLLING : ATTR_CONTROLLED, tie, sizeof(tie));
    if (check->use_candidate)
        size = add(out, size, ATTR_USE_CANDIDATE, NULL, 0);
    size = add(out, size, ATTR_PRIORITY, priority, sizeof(priority));
    return finish(out, size, check->password);
}

size_t stun_write_reply(uint8_t *out, const struct stun_view *request, const struct sockaddr_in *from,
                        const char *password, unsigned error_code)
{
    size_t size = start(out, error_code ? STUN_FAILURE : STUN_SUCCESS, request->id);
    uint8_t value[8] = {0, 1};

    if (error_code) {
        memcpy(value, (uint8_t[4]){0, 0, (uint8_t)(error_code / 100), (uint8_t)(error_code % 100)}, 4);
        size = add(out, size, ATTR_ERROR, value, 4);
    } else {
        put16(value + 2, ntohs(from->sin_port) ^ (COOKIE >> 16));
        put32(value + 4, ntohl(from->sin_addr.s_addr) ^ COOKIE);
        size = add(out, size, ATTR_XOR_MAPPED, value, sizeof(value));
    }
    return finish(out, size, password);
}
