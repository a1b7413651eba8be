/* SPDX-License-Identifier: Apache-2.0 */
/* auth_out.c: answers digest challenges as a client. RFC 3261 22.2 and 22.3, RFC 7616 3.3 (stale) and 3.4 (nc), RFC
 * 8760 2.4. Knows no transactions: the sender repeats the request when told to. */
#include "sip/auth_out.h"

#include <errno.h>

#include "base/mem.h"
#include "sip/digest.h"

#define CREDENTIALS_TRY_MAX                                                                                            \
    3 /* of one request: the nonce at hand or the first challenge, then two more for stale ones */

struct auth_out {
    char *username, *password;
    char *challenge; /* the header's value, as the peer wrote it; NULL: not asked yet */
    bool is_proxy;
    uint32_t nc;      /* of this nonce */
    bool has_worked;  /* the peer has let us in before */
    bool has_doubted; /* this request: a refusal without stale=true was taken for an old nonce */
    bool is_shown;    /* this request carried credentials */
    unsigned tries;   /* of this request, with credentials */
    char *line;
};

static void auth_out_destroy(void *self)
{
    struct auth_out *auth = self;

    mem_unref(auth->username);
    if (auth->password)
        mem_wipe(auth->password, strlen(auth->password));
    mem_unref(auth->password);
    mem_unref(auth->challenge);
    mem_unref(auth->line);
}

int auth_out_new(struct auth_out **authp, const char *username, const char *password)
{
    struct auth_out *auth = mem_new(sizeof(*auth), auth_out_destroy);

    if (!auth)
        return -ENOMEM;
    if (username) {
        auth->username = mem_text(username, strlen(username));
        auth->password = mem_text(password ? password : "", password ? strlen(password) : 0);
        if (!auth->username || !auth->password) {
            mem_unref(auth);
            return -ENOMEM;
        }
    }
    *authp = auth;
    return 0;
}

void auth_out_begin(struct auth_out *auth)
{
    auth->tries = 0;
    auth->has_doubted = false;
    auth->is_shown = false;
}

/* RFC 8760 2.4: the first one listed that we can answer. */
static struct span pick_challenge(struct digest_challenge *challenge, const struct sip_msg *response)
{
    enum sip_header_id id = response->status == 401 ? SIP_H_WWW_AUTHENTICATE : SIP_H_PROXY_AUTHENTICATE;
    const struct sip_header *header;
    unsigned i = 0;

    while ((header = sip_msg_next(response, id, &i)))
        if (!digest_challenge_parse(challenge, header->value))
            return header->value;
    return SPAN_NULL;
}

/* Credentials were refused: was it the nonce? stale=true says so (RFC 7616 3.3). Many peers forget the word: where the
 * nonce is a new one, and we were let in before, it is believed once. */
static bool is_old_nonce(struct auth_out *auth, const struct digest_challenge *challenge)
{
    struct digest_challenge former;

    if (digest_challenge_parse(&former, span_of(auth->challenge)) || span_eq(former.nonce, challenge->nonce))
        return false;
    if (challenge->is_stale)
        return true;
    if (auth->has_doubted || !auth->has_worked)
        return false;
    auth->has_doubted = true;
    return true;
}

int auth_out_take(struct auth_out *auth, const struct sip_msg *response)
{
    struct digest_challenge challenge;
    struct span value = pick_challenge(&challenge, response);
    char *kept;

    if (!auth->username || !value.n || auth->tries >= CREDENTIALS_TRY_MAX)
        return -EACCES;
    if (auth->is_shown && !is_old_nonce(auth, &challenge))
        return -EACCES;
    kept = mem_text(value.p, value.n);
    if (!kept)
        return -ENOMEM;
    mem_unref(auth->challenge);
    auth->challenge = kept;
    auth->is_proxy = response->status == 407;
    auth->nc = 0;
    return 0;
}

void auth_out_succeed(struct auth_out *auth)
{
    auth->has_worked = auth->has_worked || auth->is_shown;
}

int auth_out_write(struct auth_out *auth, struct text *out, enum sip_method method, struct span uri)
{
    struct digest_challenge challenge;
    struct digest_secret secret;
    struct text line;
    int err;

    if (!auth->challenge || digest_challenge_parse(&challenge, span_of(auth->challenge)))
        return 0;
    secret = (struct digest_secret){
        .username = span_of(auth->username), .realm = challenge.realm, .password = span_of(auth->password)};
    text_init(&line, 4096);
    text_add_str(&line, auth->is_proxy ? "Proxy-Authorization: " : "Authorization: ");
    err = digest_write_response(&line, &challenge, &secret, span_of(sip_method_text(method)), uri, ++auth->nc);
    text_add_str(&line, "\r\n");
    mem_unref(auth->line);
    auth->line = err ? NULL : text_take(&line);
    text_free(&line);
    if (!auth->line)
        return err ? err : -ENOMEM;
    text_add_str(out, auth->line);
    auth->is_shown = true;
    auth->tries++;
    return 0;
}

struct span auth_out_line(const struct auth_out *auth)
{
    return span_of(auth->line);
}
