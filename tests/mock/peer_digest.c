/* SPDX-License-Identifier: Apache-2.0 */
/* peer_digest.c: the answer to a digest challenge (RFC 7616, RFC 8760), as a browser's SIP library computes it. */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "peer_sip.h"

enum { HEX_BYTES = EVP_MAX_MD_SIZE * 2 + 1 };

struct challenge {
    char realm[PEER_SIP_FIELD_BYTES];
    char nonce[PEER_SIP_FIELD_BYTES];
    char opaque[PEER_SIP_FIELD_BYTES];
    char algorithm[32];
    char qop[64];
};

/* Value of name=value or name="value" in a comma list. */
static void take(char *out, size_t room, struct peer_span list, const char *name)
{
    const char *at = list.at, *end = list.at + list.size;
    size_t size = strlen(name);

    out[0] = 0;
    while (at < end) {
        while (at < end && (*at == ' ' || *at == ','))
            at++;
        const char *equal = memchr(at, '=', (size_t)(end - at));
        if (!equal)
            return;
        bool is_quoted = equal + 1 < end && equal[1] == '"';
        const char *value = equal + (is_quoted ? 2 : 1);
        const char *stop = memchr(value, is_quoted ? '"' : ',', (size_t)(end - value));
        if (!stop)
            stop = end;
        if ((size_t)(equal - at) == size && !strncasecmp(at, name, size)) {
            peer_span_copy(out, room, (struct peer_span){value, (size_t)(stop - value)});
            return;
        }
        at = stop < end && *stop == '"' ? stop + 1 : stop;
    }
}

static void hash_hex(char out[static HEX_BYTES], const EVP_MD *md, const char *text)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    EVP_Digest(text, strlen(text), bytes, &size, md, NULL);
    for (unsigned i = 0; i < size; i++)
        snprintf(out + i * 2, 3, "%02x", bytes[i]);
}

static int read_challenge(struct challenge *c, struct peer_span span)
{
    if (span.size < 7 || strncasecmp(span.at, "Digest ", 7) != 0)
        return -EPROTO;
    span = (struct peer_span){span.at + 7, span.size - 7};
    take(c->realm, sizeof(c->realm), span, "realm");
    take(c->nonce, sizeof(c->nonce), span, "nonce");
    take(c->opaque, sizeof(c->opaque), span, "opaque");
    take(c->algorithm, sizeof(c->algorithm), span, "algorithm");
    take(c->qop, sizeof(c->qop), span, "qop");
    return c->nonce[0] ? 0 : -EPROTO;
}

static void respond(char response[static HEX_BYTES], const EVP_MD *md, const struct peer_login *login,
                    const struct challenge *c, const char *cnonce, const char *method, const char *uri)
{
    char text[4 * PEER_SIP_FIELD_BYTES], secret[HEX_BYTES], request[HEX_BYTES];

    snprintf(text, sizeof(text), "%s:%s:%s", login->user, c->realm, login->password);
    hash_hex(secret, md, text);
    snprintf(text, sizeof(text), "%s:%s", method, uri);
    hash_hex(request, md, text);
    if (c->qop[0])
        snprintf(text, sizeof(text), "%s:%s:%08x:%s:auth:%s", secret, c->nonce, login->nonce_count, cnonce, request);
    else
        snprintf(text, sizeof(text), "%s:%s:%s", secret, c->nonce, request);
    hash_hex(response, md, text);
}

int peer_digest_answer(char *out, size_t room, struct peer_login *login, struct peer_span challenge, const char *method,
                       const char *uri)
{
    char response[HEX_BYTES], cnonce[17], extra[2 * PEER_SIP_FIELD_BYTES] = "";
    struct challenge c;
    const EVP_MD *md;
    int size;

    if (read_challenge(&c, challenge))
        return -EPROTO;
    if (!c.algorithm[0] || !strcasecmp(c.algorithm, "MD5"))
        md = EVP_md5();
    else if (!strcasecmp(c.algorithm, "SHA-256"))
        md = EVP_sha256();
    else
        return -EPROTO;
    if (strcmp(login->nonce, c.nonce) != 0)
        login->nonce_count = 0;
    snprintf(login->nonce, sizeof(login->nonce), "%s", c.nonce);
    login->nonce_count++;
    peer_random_hex(cnonce, sizeof(cnonce));
    respond(response, md, login, &c, cnonce, method, uri);
    if (c.qop[0])
        snprintf(extra, sizeof(extra), ", qop=auth, nc=%08x, cnonce=\"%s\"", login->nonce_count, cnonce);
    size = snprintf(out, room,
                    "Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", response=\"%s\"%s%s%s%s%s%s",
                    login->user, c.realm, c.nonce, uri, response, extra, c.algorithm[0] ? ", algorithm=" : "",
                    c.algorithm, c.opaque[0] ? ", opaque=\"" : "", c.opaque, c.opaque[0] ? "\"" : "");
    return size > 0 && (size_t)size < room ? 0 : -ENOSPC;
}
