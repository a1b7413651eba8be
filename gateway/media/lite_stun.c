/* SPDX-License-Identifier: Apache-2.0 */
/* lite_stun.c: connectivity checks as messages, by libnice's STUN library (no GLib call is made). RFC 8489, RFC 8445
 * section 7.3. Unknown users and wrong passwords get no answer at all: neither reflection nor a hint. Knows no sockets,
 * no peers. */
#include "media/lite_stun.h"

#include <errno.h>
#include <string.h>
#include <stun/usages/ice.h>

/* Comprehension-required ones that we understand; another one is answered with 420. The library keeps the pointer. */
static uint16_t known_attributes[] = {
    STUN_ATTRIBUTE_MAPPED_ADDRESS,     STUN_ATTRIBUTE_USERNAME,       STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
    STUN_ATTRIBUTE_ERROR_CODE,         STUN_ATTRIBUTE_PRIORITY,       STUN_ATTRIBUTE_USE_CANDIDATE,
    STUN_ATTRIBUTE_ICE_CONTROLLING,    STUN_ATTRIBUTE_ICE_CONTROLLED, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
    STUN_ATTRIBUTE_UNKNOWN_ATTRIBUTES, STUN_ATTRIBUTE_FINGERPRINT,    0,
};

struct look {
    struct lite_stun *stun;
    void *owner;
};

void lite_stun_init(struct lite_stun *stun, lite_password_fn *password_of, void *arg)
{
    stun->password_of = password_of;
    stun->arg = arg;
    stun_agent_init(&stun->agent, known_attributes, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
}

/* The user name is "ours:theirs"; the password pointer has to live until the reply is finished. */
static bool find_password(StunAgent *agent, StunMessage *message, uint8_t *username, uint16_t username_bytes,
                          uint8_t **password, size_t *password_bytes, void *arg)
{
    struct look *look = arg;
    struct span rest = span_make(username, username_bytes), ours, found;

    if (!username || span_find(rest, ':') < 0)
        return false;
    ours = span_cut(&rest, ':');
    found = look->stun->password_of(look->stun->arg, ours, &look->owner);
    if (!found.n)
        return false;
    *password = (uint8_t *)(uintptr_t)found.p;
    *password_bytes = found.n;
    return true;
}

static void answer(struct lite_stun *stun, StunMessage *request, const struct addr *from, struct lite_check *check)
{
    struct sockaddr_storage source;
    StunUsageIceReturn result;
    StunMessage response;
    bool is_controlling = false; /* a lite agent never is: RFC 8445 6.1.1 */
    size_t n = sizeof(check->reply);

    memset(&source, 0, sizeof(source));
    memcpy(&source, &from->sa, addr_len(from));
    result =
        stun_usage_ice_conncheck_create_reply(&stun->agent, request, &response, check->reply, &n, &source,
                                              addr_len(from), &is_controlling, 0, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
    check->reply_bytes = n;
    check->is_valid = result == STUN_USAGE_ICE_RETURN_SUCCESS;
    check->is_nominated = check->is_valid && stun_usage_ice_conncheck_use_candidate(request);
}

int lite_stun_receive(struct lite_stun *stun, const uint8_t *bytes, size_t n, const struct addr *from,
                      struct lite_check *check)
{
    struct look look = {.stun = stun};
    StunValidationStatus status;
    StunMessage request, response;

    memset(check, 0, offsetof(struct lite_check, reply));
    check->reply_bytes = 0;
    if (stun_message_validate_buffer_length(bytes, n, true) != (int)n)
        return -EBADMSG;
    status = stun_agent_validate(&stun->agent, &request, bytes, n, find_password, &look);
    if (status == STUN_VALIDATION_UNKNOWN_REQUEST_ATTRIBUTE && look.owner) {
        check->reply_bytes = stun_agent_build_unknown_attributes_error(&stun->agent, &response, check->reply,
                                                                       sizeof(check->reply), &request);
        return -EPROTO;
    }
    if (status != STUN_VALIDATION_SUCCESS)
        return -EACCES;
    if (stun_message_get_method(&request) != STUN_BINDING)
        return -EPROTO;
    if (stun_message_get_class(&request) == STUN_INDICATION)
        return 0; /* a keep-alive: proves nothing, wants nothing */
    if (stun_message_get_class(&request) != STUN_REQUEST || !look.owner)
        return -EPROTO;
    answer(stun, &request, from, check);
    check->owner = look.owner;
    return check->is_valid ? 0 : -EPROTO;
}
