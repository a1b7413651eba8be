/* SPDX-License-Identifier: Apache-2.0 */
/* digest_hash.c: MD5, SHA-256, SHA-512-256 and HMAC-SHA256 by OpenSSL EVP, as RFC 7616 and our nonces need them.
 * Does not know what is hashed. */
#include "sip/digest_hash.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>

#include "base/mem.h"
#include "base/rand.h"

/* Written once under `once`, then read only. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *md[DIGEST_ALGORITHM_COUNT];
static EVP_MAC *hmac;
static unsigned char mac_key[32];
static pthread_key_t context_key;

struct contexts {
    EVP_MD_CTX *md;
    EVP_MAC_CTX *mac;
};
static _Thread_local struct contexts *mine;

static void free_contexts(void *self)
{
    struct contexts *contexts = self;

    EVP_MD_CTX_free(contexts->md);
    EVP_MAC_CTX_free(contexts->mac);
    OPENSSL_free(contexts);
}

static void fetch_all(void)
{
    md[DIGEST_MD5] = EVP_MD_fetch(NULL, "MD5", NULL);
    md[DIGEST_SHA256] = EVP_MD_fetch(NULL, "SHA256", NULL);
    md[DIGEST_SHA512_256] = EVP_MD_fetch(NULL, "SHA512-256", NULL);
    hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    rand_bytes(mac_key, sizeof(mac_key));
    pthread_key_create(&context_key, free_contexts);
}

static struct contexts *get_contexts(void)
{
    struct contexts *contexts = mine;

    if (contexts)
        return contexts;
    pthread_once(&once, fetch_all);
    contexts = OPENSSL_zalloc(sizeof(*contexts));
    if (!contexts)
        return NULL;
    contexts->md = EVP_MD_CTX_new();
    contexts->mac = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
    if (!contexts->md || !contexts->mac || pthread_setspecific(context_key, contexts)) {
        free_contexts(contexts);
        return NULL;
    }
    mine = contexts;
    return contexts;
}

void digest_write_hex(char *hex, const unsigned char *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[2 * n] = '\0';
}

int digest_hash_joined(char hex[static DIGEST_HEX_MAX], enum digest_algorithm algorithm, const struct span *part,
                       unsigned part_count)
{
    struct contexts *contexts = get_contexts();
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned hash_n = 0;
    bool is_ok;

    hex[0] = '\0';
    if (!contexts || !md[algorithm])
        return -ENOMEM;
    is_ok = EVP_DigestInit_ex2(contexts->md, md[algorithm], NULL) == 1;
    for (unsigned i = 0; i < part_count && is_ok; i++) {
        is_ok = i == 0 || EVP_DigestUpdate(contexts->md, ":", 1) == 1;
        if (is_ok && part[i].n)
            is_ok = EVP_DigestUpdate(contexts->md, part[i].p, part[i].n) == 1;
    }
    if (!is_ok || EVP_DigestFinal_ex(contexts->md, hash, &hash_n) != 1)
        return -ENOMEM;
    digest_write_hex(hex, hash, hash_n);
    mem_wipe(hash, sizeof(hash));
    return (int)hash_n * 2;
}

int digest_mac(unsigned char mac[static DIGEST_MAC_BYTES], struct span bytes)
{
    struct contexts *contexts = get_contexts();
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
                           OSSL_PARAM_construct_end()};
    size_t n = 0;

    if (!contexts || EVP_MAC_init(contexts->mac, mac_key, sizeof(mac_key), params) != 1 ||
        EVP_MAC_update(contexts->mac, (const unsigned char *)bytes.p, bytes.n) != 1 ||
        EVP_MAC_final(contexts->mac, mac, &n, DIGEST_MAC_BYTES) != 1 || n != DIGEST_MAC_BYTES)
        return -ENOMEM;
    return 0;
}

bool digest_same_hex(struct span left, struct span right)
{
    unsigned char difference = 0;

    if (left.n != right.n)
        return false;
    for (size_t i = 0; i < left.n; i++) {
        unsigned char l = (unsigned char)left.p[i], r = (unsigned char)right.p[i];

        /* 'A'..'F' become lower case; the digits have this bit already */
        difference |= (unsigned char)((l | 0x20) ^ (r | 0x20));
    }
    return difference == 0;
}
