/* SPDX-License-Identifier: Apache-2.0 */
/* srtp_openssl.c: AES-GCM, AES counter mode and HMAC-SHA1 by OpenSSL, in the shape that libsrtp2 asks for (cipher.h,
 * auth.h). It is here because the libsrtp2 of Debian is built on NSS, which looks its key up in a list of all keys of
 * the process for each packet. RFC 3711 4.1.1 and 4.2.1, RFC 7714. Knows no packets, indices or sessions: a key, then
 * per packet an IV and bytes. */
#include "media/srtp_openssl.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <srtp2/auth.h>
#include <srtp2/cipher.h>
#include <stdbool.h>
#include <string.h>

#include "base/warm.h"

#define SHA1_BLOCK   64
#define SHA1_BYTES   20
#define GCM_SALT     12 /* libsrtp2 counts it as part of the key, but keeps and uses it itself */
#define ICM_SALT     14
#define GCM_TAG_MAX  16
#define COUNTER_SIZE 16

/* OpenSSL's state of a cipher, as seen from its IV (3.0: AES-GCM from -88 to 856), and the bytes of its EVP_CIPHER_CTX.
 */
#define STATE_BEFORE  96
#define STATE_BYTES   960
#define CONTEXT_BYTES 176

static EVP_CIPHER *gcm_128, *gcm_256, *ctr_128, *ctr_256;
static EVP_MD *sha1;

struct cipher {
    srtp_cipher_t base;
    EVP_CIPHER_CTX *ctx; /* keyed once; each packet sets its IV */
    const EVP_CIPHER *algorithm;
    uint8_t salt[COUNTER_SIZE]; /* counter mode */
    int tag_bytes;
};

static _Thread_local const struct cipher *first_made;

static srtp_err_status_t status_of(bool is_good)
{
    return is_good ? srtp_err_status_ok : srtp_err_status_cipher_fail;
}

/* ---- any cipher ---- */

/* The library owns these objects, and has no reference to count: so not mem_new(). */
static srtp_err_status_t cipher_dealloc(srtp_cipher_t *base)
{
    struct cipher *cipher = base->state;

    EVP_CIPHER_CTX_free(cipher->ctx);
    OPENSSL_clear_free(cipher, sizeof(*cipher));
    return srtp_err_status_ok;
}

static srtp_err_status_t cipher_new(srtp_cipher_t **basep, const srtp_cipher_type_t *type, const EVP_CIPHER *algorithm,
                                    int key_bytes, int tag_bytes)
{
    struct cipher *cipher = OPENSSL_zalloc(sizeof(*cipher));

    if (!cipher)
        return srtp_err_status_alloc_fail;
    cipher->ctx = EVP_CIPHER_CTX_new();
    if (!cipher->ctx) {
        OPENSSL_free(cipher);
        return srtp_err_status_alloc_fail;
    }
    cipher->base = (srtp_cipher_t){.type = type, .state = cipher, .key_len = key_bytes, .algorithm = (int)type->id};
    cipher->algorithm = algorithm;
    cipher->tag_bytes = tag_bytes;
    *basep = &cipher->base;
    if (!first_made)
        first_made = cipher;
    return srtp_err_status_ok;
}

const void *srtp_openssl_first(void)
{
    const void *first = first_made;

    first_made = NULL;
    return first;
}

/* It tells where its IV stands, not where its state begins. */
void srtp_openssl_warm(const void *self, struct warm *warm)
{
    const struct cipher *cipher = self;
    void *iv = NULL;
    OSSL_PARAM params[] = {OSSL_PARAM_octet_ptr(OSSL_CIPHER_PARAM_IV, &iv, COUNTER_SIZE), OSSL_PARAM_END};

    if (!cipher)
        return;
    warm_add(warm, cipher, sizeof(*cipher));
    warm_add(warm, cipher->ctx, CONTEXT_BYTES);
    if (EVP_CIPHER_CTX_get_params(cipher->ctx, params) && iv)
        warm_add(warm, (const char *)iv - STATE_BEFORE, STATE_BYTES);
}

/* ---- AES-GCM ---- */

static const srtp_cipher_type_t gcm_128_type, gcm_256_type;

static srtp_err_status_t gcm_alloc(srtp_cipher_t **basep, int key_bytes, int tag_bytes)
{
    if ((key_bytes != 16 + GCM_SALT && key_bytes != 32 + GCM_SALT) || (tag_bytes != 8 && tag_bytes != GCM_TAG_MAX))
        return srtp_err_status_bad_param;
    if (key_bytes == 32 + GCM_SALT)
        return cipher_new(basep, &gcm_256_type, gcm_256, key_bytes, tag_bytes);
    return cipher_new(basep, &gcm_128_type, gcm_128, key_bytes, tag_bytes);
}

static srtp_err_status_t gcm_init(void *state, const uint8_t *key)
{
    static const uint8_t no_iv[GCM_SALT];
    struct cipher *cipher = state;

    return status_of(EVP_CipherInit_ex2(cipher->ctx, cipher->algorithm, key, no_iv, 1, NULL));
}

static srtp_err_status_t gcm_set_iv(void *state, uint8_t *iv, srtp_cipher_direction_t direction)
{
    struct cipher *cipher = state;

    return status_of(EVP_CipherInit_ex2(cipher->ctx, NULL, NULL, iv, direction == srtp_direction_encrypt, NULL));
}

static srtp_err_status_t gcm_set_aad(void *state, const uint8_t *aad, uint32_t aad_bytes)
{
    struct cipher *cipher = state;
    int n;

    return status_of(EVP_CipherUpdate(cipher->ctx, NULL, &n, aad, (int)aad_bytes));
}

static srtp_err_status_t gcm_encrypt(void *state, uint8_t *bytes, unsigned *bytes_count)
{
    struct cipher *cipher = state;
    int n;

    return status_of(!*bytes_count || EVP_CipherUpdate(cipher->ctx, bytes, &n, bytes, (int)*bytes_count));
}

static srtp_err_status_t gcm_get_tag(void *state, uint8_t *tag, uint32_t *tag_bytes)
{
    struct cipher *cipher = state;
    uint8_t rest[GCM_TAG_MAX];
    int n;

    *tag_bytes = (uint32_t)cipher->tag_bytes;
    return status_of(EVP_CipherFinal_ex(cipher->ctx, rest, &n) &&
                     EVP_CIPHER_CTX_ctrl(cipher->ctx, EVP_CTRL_AEAD_GET_TAG, cipher->tag_bytes, tag));
}

static srtp_err_status_t gcm_decrypt(void *state, uint8_t *bytes, unsigned *bytes_count)
{
    struct cipher *cipher = state;
    int n, secret_bytes = (int)*bytes_count - cipher->tag_bytes;
    uint8_t rest[GCM_TAG_MAX];

    if (secret_bytes < 0)
        return srtp_err_status_bad_param;
    if (!EVP_CIPHER_CTX_ctrl(cipher->ctx, EVP_CTRL_AEAD_SET_TAG, cipher->tag_bytes, bytes + secret_bytes) ||
        (secret_bytes && !EVP_CipherUpdate(cipher->ctx, bytes, &n, bytes, secret_bytes)) ||
        !EVP_CipherFinal_ex(cipher->ctx, rest, &n))
        return srtp_err_status_auth_fail;
    *bytes_count = (unsigned)secret_bytes;
    return srtp_err_status_ok;
}

/* ---- AES in counter mode ---- */

static const srtp_cipher_type_t icm_128_type, icm_256_type;

static srtp_err_status_t icm_alloc(srtp_cipher_t **basep, int key_bytes, int tag_bytes)
{
    (void)tag_bytes;
    if (key_bytes == 16 + ICM_SALT)
        return cipher_new(basep, &icm_128_type, ctr_128, key_bytes, 0);
    if (key_bytes == 32 + ICM_SALT)
        return cipher_new(basep, &icm_256_type, ctr_256, key_bytes, 0);
    return srtp_err_status_bad_param;
}

static srtp_err_status_t icm_init(void *state, const uint8_t *key)
{
    struct cipher *cipher = state;

    memcpy(cipher->salt, key + cipher->base.key_len - ICM_SALT, ICM_SALT);
    return status_of(EVP_CipherInit_ex2(cipher->ctx, cipher->algorithm, key, NULL, 1, NULL));
}

static srtp_err_status_t icm_set_iv(void *state, uint8_t *iv, srtp_cipher_direction_t direction)
{
    struct cipher *cipher = state;
    uint8_t counter[COUNTER_SIZE];

    (void)direction; /* both are the same */
    for (unsigned i = 0; i < COUNTER_SIZE; i++)
        counter[i] = cipher->salt[i] ^ iv[i];
    return status_of(EVP_CipherInit_ex2(cipher->ctx, NULL, NULL, counter, -1, NULL));
}

static srtp_err_status_t icm_crypt(void *state, uint8_t *bytes, unsigned *bytes_count)
{
    struct cipher *cipher = state;
    int n;

    return status_of(!*bytes_count || EVP_CipherUpdate(cipher->ctx, bytes, &n, bytes, (int)*bytes_count));
}

/* ---- HMAC-SHA1 ---- */

/* The key's part of both hashes is done once and copied for each packet: a fifth less than hashing it
 * again. RFC 2104 section 4 */
struct hmac {
    srtp_auth_t base;
    EVP_MD_CTX *inner, *outer, *work;
};

static const srtp_auth_type_t hmac_type;

static srtp_err_status_t hmac_dealloc(srtp_auth_t *base)
{
    struct hmac *hmac = base->state;

    EVP_MD_CTX_free(hmac->inner);
    EVP_MD_CTX_free(hmac->outer);
    EVP_MD_CTX_free(hmac->work);
    OPENSSL_free(hmac);
    return srtp_err_status_ok;
}

static srtp_err_status_t hmac_alloc(srtp_auth_t **basep, int key_bytes, int tag_bytes)
{
    struct hmac *hmac;

    if (key_bytes > SHA1_BYTES || tag_bytes > SHA1_BYTES)
        return srtp_err_status_bad_param;
    hmac = OPENSSL_zalloc(sizeof(*hmac));
    if (!hmac)
        return srtp_err_status_alloc_fail;
    hmac->inner = EVP_MD_CTX_new();
    hmac->outer = EVP_MD_CTX_new();
    hmac->work = EVP_MD_CTX_new();
    if (!hmac->inner || !hmac->outer || !hmac->work) {
        hmac_dealloc(&(srtp_auth_t){.state = hmac});
        return srtp_err_status_alloc_fail;
    }
    hmac->base =
        (srtp_auth_t){.type = &hmac_type, .state = hmac, .out_len = tag_bytes, .key_len = key_bytes, .prefix_len = 0};
    *basep = &hmac->base;
    return srtp_err_status_ok;
}

static srtp_err_status_t hmac_init(void *state, const uint8_t *key, int key_bytes)
{
    struct hmac *hmac = state;
    uint8_t inner[SHA1_BLOCK], outer[SHA1_BLOCK];
    bool is_good;

    for (int i = 0; i < SHA1_BLOCK; i++) {
        uint8_t byte = i < key_bytes ? key[i] : 0;

        inner[i] = byte ^ 0x36;
        outer[i] = byte ^ 0x5c;
    }
    is_good = EVP_DigestInit_ex2(hmac->inner, sha1, NULL) && EVP_DigestUpdate(hmac->inner, inner, SHA1_BLOCK) &&
              EVP_DigestInit_ex2(hmac->outer, sha1, NULL) && EVP_DigestUpdate(hmac->outer, outer, SHA1_BLOCK);
    OPENSSL_cleanse(inner, sizeof(inner));
    OPENSSL_cleanse(outer, sizeof(outer));
    return status_of(is_good);
}

static srtp_err_status_t hmac_start(void *state)
{
    struct hmac *hmac = state;

    return status_of(EVP_MD_CTX_copy_ex(hmac->work, hmac->inner));
}

static srtp_err_status_t hmac_update(void *state, const uint8_t *bytes, int n)
{
    struct hmac *hmac = state;

    return status_of(EVP_DigestUpdate(hmac->work, bytes, (size_t)n));
}

static srtp_err_status_t hmac_compute(void *state, const uint8_t *bytes, int n, int tag_bytes, uint8_t *tag)
{
    struct hmac *hmac = state;
    uint8_t digest[SHA1_BYTES];
    bool is_good;

    is_good = EVP_DigestUpdate(hmac->work, bytes, (size_t)n) && EVP_DigestFinal_ex(hmac->work, digest, NULL) &&
              EVP_MD_CTX_copy_ex(hmac->work, hmac->outer) && EVP_DigestUpdate(hmac->work, digest, SHA1_BYTES) &&
              EVP_DigestFinal_ex(hmac->work, digest, NULL);
    memcpy(tag, digest, (size_t)tag_bytes);
    return status_of(is_good);
}

/* ---- one vector each; libsrtp2 asks for it, and has its own tried as well ---- */

#define BYTES(text) ((const uint8_t *)(text))

static uint8_t gcm_iv[12] = {0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce, 0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88};
static uint8_t icm_iv[COUNTER_SIZE];

/* McGrew and Viega, test cases 4 and 16. */
#define GCM_KEY "\xfe\xff\xe9\x92\x86\x65\x73\x1c\x6d\x6a\x8f\x94\x67\x30\x83\x08"
#define GCM_PLAIN                                                                                                      \
    "\xd9\x31\x32\x25\xf8\x84\x06\xe5\xa5\x59\x09\xc5\xaf\xf5\x26\x9a\x86\xa7\xa9\x53\x15\x34\xf7\xda"                 \
    "\x2e\x4c\x30\x3d\x8a\x31\x8a\x72\x1c\x3c\x0c\x95\x95\x68\x09\x53\x2f\xcf\x0e\x24\x49\xa6\xb5\x25"                 \
    "\xb1\x6a\xed\xf5\xaa\x0d\xe6\x57\xba\x63\x7b\x39"
#define GCM_AAD "\xfe\xed\xfa\xce\xde\xad\xbe\xef\xfe\xed\xfa\xce\xde\xad\xbe\xef\xab\xad\xda\xd2"
#define GCM_128_SECRET                                                                                                 \
    "\x42\x83\x1e\xc2\x21\x77\x74\x24\x4b\x72\x21\xb7\x84\xd0\xd4\x9c\xe3\xaa\x21\x2f\x2c\x02\xa4\xe0"                 \
    "\x35\xc1\x7e\x23\x29\xac\xa1\x2e\x21\xd5\x14\xb2\x54\x66\x93\x1c\x7d\x8f\x6a\x5a\xac\x84\xaa\x05"                 \
    "\x1b\xa3\x0b\x39\x6a\x0a\xac\x97\x3d\x58\xe0\x91\x5b\xc9\x4f\xbc\x32\x21\xa5\xdb\x94\xfa\xe9\x5a"                 \
    "\xe7\x12\x1a\x47"
#define GCM_256_SECRET                                                                                                 \
    "\x52\x2d\xc1\xf0\x99\x56\x7d\x07\xf4\x7f\x37\xa3\x2a\x84\x42\x7d\x64\x3a\x8c\xdc\xbf\xe5\xc0\xc9"                 \
    "\x75\x98\xa2\xbd\x25\x55\xd1\xaa\x8c\xb0\x8e\x48\x59\x0d\xbb\x3d\xa7\xb0\x8b\x10\x56\x82\x88\x38"                 \
    "\xc5\xf6\x1e\x63\x93\xba\x7a\x0a\xbc\xc9\xf6\x62\x76\xfc\x6e\xce\x0f\x4e\x17\x68\xcd\xdf\x88\x53"                 \
    "\xbb\x2d\x55\x1b"
/* RFC 3711 B.2, RFC 6188 7.1: the key stream, so zeros encrypted. */
#define ICM_128_KEY                                                                                                    \
    "\x2b\x7e\x15\x16\x28\xae\xd2\xa6\xab\xf7\x15\x88\x09\xcf\x4f\x3c\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7"                 \
    "\xf8\xf9\xfa\xfb\xfc\xfd"
#define ICM_256_KEY                                                                                                    \
    "\x57\xf8\x2f\xe3\x61\x3f\xd1\x70\xa8\x5e\xc9\x3c\x40\xb1\xf0\x92\x2e\xc4\xcb\x0d\xc0\x25\xb5\x82"                 \
    "\x72\x14\x7c\xc4\x38\x94\x4a\x98\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa\xfb\xfc\xfd"
#define ICM_128_STREAM                                                                                                 \
    "\xe0\x3e\xad\x09\x35\xc9\x5e\x80\xe1\x66\xb1\x6d\xd9\x2b\x4e\xb4\xd2\x35\x13\x16\x2b\x02\xd0\xf7"                 \
    "\x2a\x43\xa2\xfe\x4a\x5f\x97\xab"
#define ICM_256_STREAM                                                                                                 \
    "\x92\xbd\xd2\x8a\x93\xc3\xf5\x25\x11\xc6\x77\xd0\x8b\x55\x15\xa4\x9d\xa7\x1b\x23\x78\xa8\x54\xf6"                 \
    "\x70\x50\x75\x6d\xed\x16\x5b\xac"
/* RFC 2202, test case 1. */
#define HMAC_KEY    "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
#define HMAC_TAG    "\xb6\x17\x31\x86\x55\x05\x72\x64\xe2\x8b\xc0\xb6\xfb\x37\x8c\x8e\xf1\x46\xbe\x00"
#define NO_GCM_SALT "\0\0\0\0\0\0\0\0\0\0\0\0"

static const srtp_cipher_test_case_t gcm_128_vector = {16 + GCM_SALT,
                                                       BYTES(GCM_KEY NO_GCM_SALT),
                                                       gcm_iv,
                                                       60,
                                                       BYTES(GCM_PLAIN),
                                                       60 + GCM_TAG_MAX,
                                                       BYTES(GCM_128_SECRET),
                                                       20,
                                                       BYTES(GCM_AAD),
                                                       GCM_TAG_MAX,
                                                       NULL};
static const srtp_cipher_test_case_t gcm_256_vector = {32 + GCM_SALT,
                                                       BYTES(GCM_KEY GCM_KEY NO_GCM_SALT),
                                                       gcm_iv,
                                                       60,
                                                       BYTES(GCM_PLAIN),
                                                       60 + GCM_TAG_MAX,
                                                       BYTES(GCM_256_SECRET),
                                                       20,
                                                       BYTES(GCM_AAD),
                                                       GCM_TAG_MAX,
                                                       NULL};
static const uint8_t zeros[32];
static const srtp_cipher_test_case_t icm_128_vector = {
    16 + ICM_SALT, BYTES(ICM_128_KEY), icm_iv, 32, zeros, 32, BYTES(ICM_128_STREAM), 0, NULL, 0, NULL};
static const srtp_cipher_test_case_t icm_256_vector = {
    32 + ICM_SALT, BYTES(ICM_256_KEY), icm_iv, 32, zeros, 32, BYTES(ICM_256_STREAM), 0, NULL, 0, NULL};
static const srtp_auth_test_case_t hmac_vector = {SHA1_BYTES, BYTES(HMAC_KEY), 8,   BYTES("Hi There"),
                                                  SHA1_BYTES, BYTES(HMAC_TAG), NULL};

/* ---- what libsrtp2 is given ---- */

#define GCM_TYPE(bits)                                                                                                 \
    {                                                                                                                  \
        gcm_alloc, cipher_dealloc, gcm_init, gcm_set_aad, gcm_encrypt, gcm_decrypt, gcm_set_iv, gcm_get_tag,           \
            "AES-" #bits " GCM by OpenSSL", &gcm_##bits##_vector, SRTP_AES_GCM_##bits                                  \
    }
#define ICM_TYPE(bits)                                                                                                 \
    {                                                                                                                  \
        icm_alloc, cipher_dealloc, icm_init, NULL, icm_crypt, icm_crypt, icm_set_iv, NULL,                             \
            "AES-" #bits " counter mode by OpenSSL", &icm_##bits##_vector, SRTP_AES_ICM_##bits                         \
    }

static const srtp_cipher_type_t gcm_128_type = GCM_TYPE(128), gcm_256_type = GCM_TYPE(256);
static const srtp_cipher_type_t icm_128_type = ICM_TYPE(128), icm_256_type = ICM_TYPE(256);
static const srtp_auth_type_t hmac_type = {hmac_alloc, hmac_dealloc,           hmac_init,    hmac_compute,  hmac_update,
                                           hmac_start, "HMAC-SHA1 by OpenSSL", &hmac_vector, SRTP_HMAC_SHA1};

static bool fetch_algorithms(void)
{
    if (sha1)
        return true;
    gcm_128 = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
    gcm_256 = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    ctr_128 = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL);
    ctr_256 = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
    sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    return gcm_128 && gcm_256 && ctr_128 && ctr_256 && sha1;
}

int srtp_openssl_install(void)
{
    if (!fetch_algorithms())
        return -ENOSYS;
    if (srtp_replace_cipher_type(&gcm_128_type, SRTP_AES_GCM_128) ||
        srtp_replace_cipher_type(&gcm_256_type, SRTP_AES_GCM_256) ||
        srtp_replace_cipher_type(&icm_128_type, SRTP_AES_ICM_128) ||
        srtp_replace_cipher_type(&icm_256_type, SRTP_AES_ICM_256) || srtp_replace_auth_type(&hmac_type, SRTP_HMAC_SHA1))
        return -ENOSYS;
    return 0;
}
