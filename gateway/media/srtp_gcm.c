/* SPDX-License-Identifier: Apache-2.0 */
/* srtp_gcm.c: SRTP and SRTCP with AES-GCM by OpenSSL, in place. RFC 7714, key derivation RFC 3711 section 4.3, RFC
 * 6188. It is here because the libsrtp2 of Debian is built on NSS, which looks its key up in a list of all keys of the
 * process for each packet: at 200 calls that was a fifth of the gateway's CPU. Knows no streams: bytes in, bytes out.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "media/rtp.h"
#include "media/srtp_kind.h"
#include "media/srtp_source.h"

#define TAG_BYTES   16
#define SALT_BYTES  12
#define INDEX_BYTES 4 /* SRTCP: E flag and index */
#define RTCP_CLEAR  8 /* the part of an SRTCP packet that is not encrypted */
#define E_FLAG      0x80000000u
#define SOURCE_MAX  64 /* SSRCs of one direction */
#define INDEX_MAX   (((uint64_t)1 << 48) - 1)

enum label { LABEL_RTP_KEY = 0, LABEL_RTP_SALT = 2, LABEL_RTCP_KEY = 3, LABEL_RTCP_SALT = 5 };

struct direction {
    EVP_CIPHER_CTX *rtp, *rtcp; /* keyed once; each packet sets its IV */
    uint8_t rtp_salt[SALT_BYTES], rtcp_salt[SALT_BYTES];
    struct list sources; /* the last used first */
    unsigned source_count;
};

struct gcm {
    struct direction in, out;
};

/* ---- keys ---- */

static EVP_CIPHER *gcm_128, *gcm_256, *ctr_128, *ctr_256;

static void fetch_ciphers(void)
{
    gcm_128 = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
    gcm_256 = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    ctr_128 = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL);
    ctr_256 = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
}

/* RFC 3711 4.3.1 with a key derivation rate of 0: the label is put into the salt, the key stream of that counter is the
 * key. */
static int derive(uint8_t *out, int n, const uint8_t *master, unsigned key_bytes, enum label label)
{
    static const uint8_t zeros[32];
    uint8_t counter[16] = {0};
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int done = 0, is_good;

    memcpy(counter, master + key_bytes, SALT_BYTES);
    counter[7] ^= (uint8_t)label;
    is_good = ctx && EVP_EncryptInit_ex2(ctx, key_bytes == 32 ? ctr_256 : ctr_128, master, counter, NULL) &&
              EVP_EncryptUpdate(ctx, out, &done, zeros, n) && done == n;
    EVP_CIPHER_CTX_free(ctx);
    return is_good ? 0 : -ENOMEM;
}

static int key_context(EVP_CIPHER_CTX **ctxp, const uint8_t *master, unsigned key_bytes, enum label label, bool is_out)
{
    uint8_t key[32];
    int err = derive(key, (int)key_bytes, master, key_bytes, label);

    *ctxp = EVP_CIPHER_CTX_new();
    if (!err && (!*ctxp || !EVP_CipherInit_ex2(*ctxp, key_bytes == 32 ? gcm_256 : gcm_128, key, NULL, is_out, NULL)))
        err = -ENOMEM;
    explicit_bzero(key, sizeof(key));
    return err;
}

static int open_direction(struct direction *direction, struct span key, bool is_out)
{
    unsigned key_bytes = (unsigned)key.n - SALT_BYTES;
    uint8_t master[SRTP_KEY_MAX];
    int err;

    list_init(&direction->sources);
    memcpy(master, key.p, key.n);
    err = key_context(&direction->rtp, master, key_bytes, LABEL_RTP_KEY, is_out);
    if (!err)
        err = key_context(&direction->rtcp, master, key_bytes, LABEL_RTCP_KEY, is_out);
    if (!err)
        err = derive(direction->rtp_salt, SALT_BYTES, master, key_bytes, LABEL_RTP_SALT);
    if (!err)
        err = derive(direction->rtcp_salt, SALT_BYTES, master, key_bytes, LABEL_RTCP_SALT);
    explicit_bzero(master, sizeof(master));
    return err;
}

static void close_direction(struct direction *direction)
{
    struct list *link;

    while ((link = list_first(&direction->sources))) {
        list_remove(link);
        mem_unref(container_of(link, struct srtp_source, link));
    }
    EVP_CIPHER_CTX_free(direction->rtp);
    EVP_CIPHER_CTX_free(direction->rtcp);
    explicit_bzero(direction->rtp_salt, SALT_BYTES);
    explicit_bzero(direction->rtcp_salt, SALT_BYTES);
}

static void gcm_destroy(void *self)
{
    struct gcm *gcm = self;

    close_direction(&gcm->in);
    close_direction(&gcm->out);
}

static int make(void **selfp, const struct srtp_keys *keys)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct gcm *gcm;
    int err;

    pthread_once(&once, fetch_ciphers);
    gcm = mem_new(sizeof(*gcm), gcm_destroy);
    if (!gcm)
        return -ENOMEM;
    err = open_direction(&gcm->in, keys->remote, false);
    if (!err)
        err = open_direction(&gcm->out, keys->local, true);
    if (err) {
        mem_unref(gcm);
        return err;
    }
    *selfp = gcm;
    return 0;
}

/* ---- sources ---- */

static struct srtp_source *find_source(struct direction *direction, uint32_t ssrc)
{
    struct list *link, *next;

    list_each (link, next, &direction->sources) {
        struct srtp_source *source = container_of(link, struct srtp_source, link);

        if (source->ssrc == ssrc) {
            if (direction->sources.next != link) {
                list_remove(link);
                list_prepend(&direction->sources, link);
            }
            return source;
        }
    }
    return NULL;
}

/* Only for what was authenticated, or is ours: the one allocation, at a source's first packet. */
static struct srtp_source *add_source(struct direction *direction, uint32_t ssrc)
{
    struct srtp_source *source = NULL;

    if (direction->source_count < SOURCE_MAX)
        source = mem_new(sizeof(*source), NULL);
    if (!source)
        return NULL;
    source->ssrc = ssrc;
    direction->source_count++;
    list_prepend(&direction->sources, &source->link);
    return source;
}

static struct srtp_source *get_own_source(struct direction *direction, uint32_t ssrc)
{
    struct srtp_source *source = find_source(direction, ssrc);

    return source ? source : add_source(direction, ssrc);
}

/* ---- one packet ---- */

/* RFC 7714 8.1 and 9.1: two zero bytes, SSRC, 48 bits of index; then the salt over it. */
static void make_iv(uint8_t iv[static SALT_BYTES], const uint8_t *salt, uint32_t ssrc, uint64_t index)
{
    rtp_put_u16(iv, 0);
    rtp_put_u32(iv + 2, ssrc);
    rtp_put_u16(iv + 6, (uint16_t)(index >> 32));
    rtp_put_u32(iv + 8, (uint32_t)index);
    for (unsigned i = 0; i < SALT_BYTES; i++)
        iv[i] ^= salt[i];
}

struct piece {
    const uint8_t *clear; /* authenticated */
    size_t clear_bytes;
    const uint8_t *more_clear; /* the SRTCP index; NULL: none */
    uint8_t *secret;           /* encrypted in place; the tag stands behind */
    size_t secret_bytes;
};

static bool set_clear(EVP_CIPHER_CTX *ctx, const struct piece *piece, const uint8_t *iv)
{
    int n;

    return EVP_CipherInit_ex2(ctx, NULL, NULL, iv, -1, NULL) &&
           EVP_CipherUpdate(ctx, NULL, &n, piece->clear, (int)piece->clear_bytes) &&
           (!piece->more_clear || EVP_CipherUpdate(ctx, NULL, &n, piece->more_clear, INDEX_BYTES));
}

static bool seal(EVP_CIPHER_CTX *ctx, const struct piece *piece, const uint8_t *iv)
{
    uint8_t rest[TAG_BYTES];
    int n;

    return set_clear(ctx, piece, iv) &&
           EVP_CipherUpdate(ctx, piece->secret, &n, piece->secret, (int)piece->secret_bytes) &&
           EVP_CipherFinal_ex(ctx, rest, &n) &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, piece->secret + piece->secret_bytes);
}

static bool open_sealed(EVP_CIPHER_CTX *ctx, const struct piece *piece, const uint8_t *iv)
{
    uint8_t rest[TAG_BYTES];
    int n;

    return set_clear(ctx, piece, iv) &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, piece->secret + piece->secret_bytes) &&
           EVP_CipherUpdate(ctx, piece->secret, &n, piece->secret, (int)piece->secret_bytes) &&
           EVP_CipherFinal_ex(ctx, rest, &n);
}

/* Bytes of the RTP header with CSRCs and extension; 0: they do not fit. */
static size_t header_bytes(const uint8_t *bytes, size_t n)
{
    size_t header;

    if (n < RTP_HEADER_BYTES || bytes[0] >> 6 != 2)
        return 0;
    header = RTP_HEADER_BYTES + (size_t)4 * (bytes[0] & 0x0f);
    if (bytes[0] & 0x10) {
        if (n < header + 4)
            return 0;
        header += 4 + (size_t)4 * rtp_get_u16(bytes + header + 2);
    }
    return n >= header ? header : 0;
}

static int protect(void *self, uint8_t *bytes, size_t *n)
{
    struct direction *out = &((struct gcm *)self)->out;
    size_t header = header_bytes(bytes, *n);
    uint32_t ssrc = header ? rtp_get_u32(bytes + 8) : 0;
    struct srtp_source *source = header ? get_own_source(out, ssrc) : NULL;
    struct piece piece = {.clear = bytes, .clear_bytes = header, .secret = bytes + header, .secret_bytes = *n - header};
    uint8_t iv[SALT_BYTES];
    uint64_t index;

    if (!source || !srtp_source_guess(source, rtp_get_u16(bytes + 2), &index) || index > INDEX_MAX)
        return -EIO;
    make_iv(iv, out->rtp_salt, ssrc, index);
    if (!seal(out->rtp, &piece, iv))
        return -EIO;
    srtp_source_note(source, index);
    *n += TAG_BYTES;
    return 0;
}

static int unprotect(void *self, uint8_t *bytes, size_t *n)
{
    static const struct srtp_source unknown;
    struct direction *in = &((struct gcm *)self)->in;
    size_t header = *n > TAG_BYTES ? header_bytes(bytes, *n - TAG_BYTES) : 0;
    uint32_t ssrc = header ? rtp_get_u32(bytes + 8) : 0;
    struct srtp_source *source = find_source(in, ssrc);
    struct piece piece = {
        .clear = bytes, .clear_bytes = header, .secret = bytes + header, .secret_bytes = *n - header - TAG_BYTES};
    uint8_t iv[SALT_BYTES];
    uint64_t index;

    if (!header)
        return -EBADMSG;
    if (!srtp_source_guess(source ? source : &unknown, rtp_get_u16(bytes + 2), &index) || index > INDEX_MAX)
        return -EALREADY;
    if (source && srtp_source_is_replay(source, index))
        return -EALREADY;
    make_iv(iv, in->rtp_salt, ssrc, index);
    if (!open_sealed(in->rtp, &piece, iv))
        return -EACCES;
    if (!source)
        source = add_source(in, ssrc);
    if (!source)
        return -ENOMEM;
    srtp_source_note(source, index);
    *n -= TAG_BYTES;
    return 0;
}

static int protect_rtcp(void *self, uint8_t *bytes, size_t *n)
{
    struct direction *out = &((struct gcm *)self)->out;
    struct srtp_source *source = *n >= RTCP_CLEAR ? get_own_source(out, rtp_get_u32(bytes + 4)) : NULL;
    uint8_t iv[SALT_BYTES], word[INDEX_BYTES];
    struct piece piece = {.clear = bytes,
                          .clear_bytes = RTCP_CLEAR,
                          .more_clear = word,
                          .secret = bytes + RTCP_CLEAR,
                          .secret_bytes = *n - RTCP_CLEAR};

    if (!source || source->rtcp_highest >= E_FLAG - 1)
        return -EIO;
    source->rtcp_highest++;
    rtp_put_u32(word, E_FLAG | source->rtcp_highest);
    make_iv(iv, out->rtcp_salt, source->ssrc, source->rtcp_highest);
    if (!seal(out->rtcp, &piece, iv))
        return -EIO;
    memcpy(bytes + *n + TAG_BYTES, word, INDEX_BYTES);
    *n += TAG_BYTES + INDEX_BYTES;
    return 0;
}

static int unprotect_rtcp(void *self, uint8_t *bytes, size_t *n)
{
    struct direction *in = &((struct gcm *)self)->in;
    size_t body = *n - INDEX_BYTES; /* with the tag */
    uint8_t iv[SALT_BYTES];
    struct srtp_source *source;
    struct piece piece;
    uint32_t word, ssrc;

    if (*n < RTCP_CLEAR + TAG_BYTES + INDEX_BYTES)
        return -EBADMSG;
    piece = (struct piece){.clear = bytes,
                           .clear_bytes = RTCP_CLEAR,
                           .more_clear = bytes + body,
                           .secret = bytes + RTCP_CLEAR,
                           .secret_bytes = body - RTCP_CLEAR - TAG_BYTES};
    word = rtp_get_u32(bytes + body);
    ssrc = rtp_get_u32(bytes + 4);
    if (!(word & E_FLAG))
        return -EACCES; /* unencrypted SRTCP was not agreed to: RFC 4568 6.3.2 */
    source = find_source(in, ssrc);
    if (source && srtp_source_is_rtcp_replay(source, word & ~E_FLAG))
        return -EALREADY;
    make_iv(iv, in->rtcp_salt, ssrc, word & ~E_FLAG);
    if (!open_sealed(in->rtcp, &piece, iv))
        return -EACCES;
    if (!source)
        source = add_source(in, ssrc);
    if (!source)
        return -ENOMEM;
    srtp_source_note_rtcp(source, word & ~E_FLAG);
    *n = body - TAG_BYTES;
    return 0;
}

const struct srtp_kind srtp_gcm = {make, protect, protect_rtcp, unprotect, unprotect_rtcp};
