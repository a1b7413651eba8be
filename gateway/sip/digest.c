/* SPDX-License-Identifier: Apache-2.0 */
/* digest.c: HTTP digest for SIP, client and server side. RFC 7616, RFC 8760, RFC 3261 section 22. qop "auth" and none;
 * no auth-int, no -sess, no userhash. Quoted values are hashed and written back as they stood, escapes included.
 * Does not know nonces (digest_nonce.c), accounts, or which nc was seen before. */
#include "sip/digest.h"

#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/rand.h"
#include "sip/digest_hash.h"
#include "sip/grammar.h"
#include "sip/params.h"

static const char *const algorithm_names[DIGEST_ALGORITHM_COUNT] = {"MD5", "SHA-256", "SHA-512-256"};

const char *digest_algorithm_name(enum digest_algorithm algorithm)
{
    return algorithm < DIGEST_ALGORITHM_COUNT ? algorithm_names[algorithm] : "";
}

int digest_algorithm_find(struct span name, enum digest_algorithm *algorithm)
{
    for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT; i++) {
        if (span_ieq(name, span_of(algorithm_names[i]))) {
            *algorithm = (enum digest_algorithm)i;
            return 0;
        }
    }
    return -EPROTO;
}

/* @return 0; -EPROTO: another scheme */
static int take_scheme(struct span *rest)
{
    *rest = span_trim(*rest);
    if (!span_ieq(grammar_take(rest, GRAMMAR_TOKEN), SPAN("Digest")))
        return -EPROTO;
    if (rest->n && !grammar_is(*rest->p, GRAMMAR_BLANK))
        return -EBADMSG;
    return 0;
}

/* name = token or "quoted"; @return 1, 0 at the end, -EBADMSG */
static int take_pair(struct span *rest, struct span *name, struct span *value)
{
    struct span item;

    do {
        grammar_skip_blanks(rest);
        if (!list_next(rest, &item))
            return 0;
    } while (!item.n);
    *name = grammar_take(&item, GRAMMAR_TOKEN);
    grammar_skip_blanks(&item);
    if (!name->n || !grammar_take_char(&item, '='))
        return -EBADMSG;
    grammar_skip_blanks(&item);
    if (!item.n || *item.p != '"') {
        *value = item;
        return span_find(item, '"') < 0 ? 1 : -EBADMSG;
    }
    return grammar_take_quoted(&item, value) || item.n ? -EBADMSG : 1;
}

static int keep_challenge_pair(struct digest_challenge *challenge, struct span name, struct span value)
{
    if (span_ieq(name, SPAN("realm"))) {
        challenge->realm = value;
    } else if (span_ieq(name, SPAN("nonce"))) {
        challenge->nonce = value;
    } else if (span_ieq(name, SPAN("opaque"))) {
        challenge->opaque = value;
    } else if (span_ieq(name, SPAN("algorithm"))) {
        return digest_algorithm_find(value, &challenge->algorithm);
    } else if (span_ieq(name, SPAN("stale"))) {
        challenge->is_stale = span_ieq(value, SPAN("true"));
    } else if (span_ieq(name, SPAN("qop"))) {
        challenge->has_qop = span_trim(value).n > 0;
        challenge->has_qop_auth = list_has_token(value, SPAN("auth"));
    }
    return 0;
}

int digest_challenge_parse(struct digest_challenge *challenge, struct span value)
{
    struct digest_challenge found = {.realm = SPAN_NULL};
    struct span name, text;
    int err, status = 0, next;

    err = take_scheme(&value);
    if (err)
        return err;
    while ((next = take_pair(&value, &name, &text)) == 1) {
        err = keep_challenge_pair(&found, name, text);
        if (err)
            status = err;
    }
    if (next < 0 || !found.realm.p || !found.nonce.n)
        return -EBADMSG;
    if (status || (found.has_qop && !found.has_qop_auth))
        return -EPROTO;
    *challenge = found;
    return 0;
}

static int keep_nc(struct digest_response *response, struct span value)
{
    uint32_t nc = 0;

    if (value.n != 8)
        return -EBADMSG;
    for (size_t i = 0; i < value.n; i++) {
        int digit = grammar_hex_digit(value.p[i]);

        if (digit < 0)
            return -EBADMSG;
        nc = nc << 4 | (unsigned)digit;
    }
    response->nc_text = value;
    response->nc = nc;
    return 0;
}

static int keep_response_pair(struct digest_response *response, struct span name, struct span value)
{
    const struct {
        struct span name;
        struct span *value;
    } plain[] = {
        {SPAN("username"), &response->username}, {SPAN("realm"), &response->realm},
        {SPAN("nonce"), &response->nonce},       {SPAN("uri"), &response->uri},
        {SPAN("response"), &response->response}, {SPAN("cnonce"), &response->cnonce},
        {SPAN("opaque"), &response->opaque},     {SPAN("qop"), &response->qop},
    };

    if (span_ieq(name, SPAN("algorithm")))
        return digest_algorithm_find(value, &response->algorithm);
    if (span_ieq(name, SPAN("nc")))
        return keep_nc(response, value);
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (!span_ieq(name, plain[i].name))
            continue;
        if (plain[i].value->p) /* two of one kind: which would the others have read? */
            return -EBADMSG;
        *plain[i].value = value;
    }
    return 0;
}

int digest_response_parse(struct digest_response *response, struct span value)
{
    struct digest_response found = {.nc = 0};
    struct span name, text;
    int err, status = 0, next;

    err = take_scheme(&value);
    if (err)
        return err;
    while ((next = take_pair(&value, &name, &text)) == 1) {
        err = keep_response_pair(&found, name, text);
        if (err == -EBADMSG)
            return err;
        if (err)
            status = err;
    }
    if (next < 0 || !found.username.p || !found.realm.p || !found.nonce.p || !found.uri.n || !found.response.n)
        return -EBADMSG;
    if (found.qop.n && !span_ieq(found.qop, SPAN("auth")))
        status = -EPROTO;
    if (!status && found.qop.n && (!found.cnonce.n || !found.nc_text.n))
        return -EBADMSG;
    if (!status)
        *response = found;
    return status;
}

/* HA1 = H(username:realm:password), or as it is kept for MD5 accounts. */
static int make_ha1(char hex[static DIGEST_HEX_MAX], const struct digest_secret *secret,
                    enum digest_algorithm algorithm)
{
    const struct span part[] = {secret->username, secret->realm, secret->password};

    if (secret->password.p)
        return digest_hash_joined(hex, algorithm, part, 3);
    if (algorithm != DIGEST_MD5 || secret->ha1.n != 32)
        return -EINVAL;
    for (size_t i = 0; i < secret->ha1.n; i++) {
        int digit = grammar_hex_digit(secret->ha1.p[i]);

        if (digit < 0)
            return -EINVAL;
        hex[i] = "0123456789abcdef"[digit];
    }
    hex[secret->ha1.n] = '\0';
    return (int)secret->ha1.n;
}

int digest_compute(char hex[static DIGEST_HEX_MAX], const struct digest_secret *secret,
                   const struct digest_input *input)
{
    const struct span what[] = {input->method, input->uri};
    char ha1[DIGEST_HEX_MAX], ha2[DIGEST_HEX_MAX];
    int ha1_n, ha2_n, n;

    hex[0] = '\0';
    ha1_n = make_ha1(ha1, secret, input->algorithm);
    if (ha1_n < 0)
        return ha1_n;
    ha2_n = digest_hash_joined(ha2, input->algorithm, what, 2);
    if (ha2_n < 0) {
        n = ha2_n;
    } else if (input->has_qop) {
        const struct span part[] = {
            span_make(ha1, (size_t)ha1_n), input->nonce, input->nc_text, input->cnonce, SPAN("auth"),
            span_make(ha2, (size_t)ha2_n)};
        n = digest_hash_joined(hex, input->algorithm, part, 6);
    } else {
        const struct span part[] = {span_make(ha1, (size_t)ha1_n), input->nonce, span_make(ha2, (size_t)ha2_n)};
        n = digest_hash_joined(hex, input->algorithm, part, 3);
    }
    mem_wipe(ha1, sizeof(ha1));
    return n < 0 ? n : 0;
}

bool digest_verify(const struct digest_response *response, const struct digest_secret *secret, struct span method)
{
    char hex[DIGEST_HEX_MAX];
    const struct digest_input input = {
        .algorithm = response->algorithm,
        .method = method,
        .uri = response->uri,
        .nonce = response->nonce,
        .cnonce = response->cnonce,
        .nc_text = response->nc_text,
        .has_qop = response->qop.n > 0,
    };

    if (!span_eq(response->username, secret->username) || !span_eq(response->realm, secret->realm))
        return false;
    if (digest_compute(hex, secret, &input))
        return false;
    return digest_same_hex(response->response, span_of(hex));
}

/* A value of ours or one that was quoted before: a quote or backslash in it is escaped already if the peer sent it. */
static void write_quoted(struct text *out, const char *name, struct span value)
{
    text_add_str(out, name);
    text_add_str(out, "=\"");
    text_add(out, value);
    text_add_char(out, '"');
}

/* What would end the quotes or the line of a header. */
static bool is_quotable(struct span value)
{
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '\\')
            i++;
        else if (value.p[i] == '"')
            return false;
        if (i >= value.n || value.p[i] == '\r' || value.p[i] == '\n' || value.p[i] == '\0')
            return false;
    }
    return true;
}

int digest_write_response(struct text *out, const struct digest_challenge *challenge,
                          const struct digest_secret *secret, struct span method, struct span uri, uint32_t nc)
{
    char hex[DIGEST_HEX_MAX], nc_text[9], cnonce[17];
    struct digest_secret with_realm = *secret;
    struct digest_input input = {.algorithm = challenge->algorithm,
                                 .method = method,
                                 .uri = uri,
                                 .nonce = challenge->nonce,
                                 .cnonce = {cnonce, 16},
                                 .nc_text = {nc_text, 8},
                                 .has_qop = challenge->has_qop_auth};
    int err;

    if (!is_quotable(secret->username) || !is_quotable(uri) || !is_quotable(challenge->realm) ||
        !is_quotable(challenge->nonce) || !is_quotable(challenge->opaque))
        return -EINVAL;
    snprintf(nc_text, sizeof(nc_text), "%08x", nc);
    rand_text(cnonce, 16);
    with_realm.realm = challenge->realm;
    err = digest_compute(hex, &with_realm, &input);
    if (err)
        return err;
    text_add_str(out, "Digest ");
    write_quoted(out, "username", secret->username);
    write_quoted(out, ", realm", challenge->realm);
    write_quoted(out, ", nonce", challenge->nonce);
    write_quoted(out, ", uri", uri);
    write_quoted(out, ", response", span_of(hex));
    text_addf(out, ", algorithm=%s", digest_algorithm_name(challenge->algorithm));
    if (input.has_qop) {
        write_quoted(out, ", cnonce", input.cnonce);
        text_addf(out, ", qop=auth, nc=%s", nc_text);
    }
    if (challenge->opaque.p)
        write_quoted(out, ", opaque", challenge->opaque);
    return text_err(out);
}

void digest_write_challenge(struct text *out, struct span realm, enum digest_algorithm algorithm, struct span nonce,
                            bool is_stale)
{
    if (!is_quotable(realm) || !is_quotable(nonce)) {
        out->err = out->err ? out->err : -EBADMSG;
        return;
    }
    text_add_str(out, "Digest ");
    write_quoted(out, "realm", realm);
    write_quoted(out, ", nonce", nonce);
    text_addf(out, ", algorithm=%s, qop=\"auth\"", digest_algorithm_name(algorithm));
    if (is_stale)
        text_add_str(out, ", stale=true");
}
