/* SPDX-License-Identifier: Apache-2.0 */
/* keep_stun.c: a STUN binding request on the SIP port and its answer, by libnice's STUN library (no GLib call is made).
 * RFC 5626 4.4.2, RFC 8489. No credentials, no state: who may be answered is the caller's business. */
#include "sip/keep_stun.h"

#include <errno.h>
#include <string.h>
#include <stun/stunagent.h>

/* Comprehension-required ones that say nothing to us but are no reason to be silent. The library keeps the pointer. */
static uint16_t known_attributes[] = {
    STUN_ATTRIBUTE_MAPPED_ADDRESS,     STUN_ATTRIBUTE_USERNAME,           STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
    STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, STUN_ATTRIBUTE_UNKNOWN_ATTRIBUTES, 0,
};

int keep_stun_answer(uint8_t out[static KEEP_STUN_MAX], const void *bytes, size_t n, const struct addr *from)
{
    StunMessage request, response;
    struct sockaddr_storage source;
    StunAgent agent;

    if (stun_message_validate_buffer_length(bytes, n, true) != (int)n)
        return -EBADMSG;
    stun_agent_init(&agent, known_attributes, STUN_COMPATIBILITY_RFC5389, STUN_AGENT_USAGE_IGNORE_CREDENTIALS);
    if (stun_agent_validate(&agent, &request, bytes, n, NULL, NULL) != STUN_VALIDATION_SUCCESS ||
        stun_message_get_method(&request) != STUN_BINDING || stun_message_get_class(&request) != STUN_REQUEST)
        return -EBADMSG;
    memset(&source, 0, sizeof(source));
    memcpy(&source, &from->sa, addr_len(from));
    if (!stun_agent_init_response(&agent, &response, out, KEEP_STUN_MAX, &request) ||
        stun_message_append_xor_addr(&response, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &source, addr_len(from)) !=
            STUN_MESSAGE_RETURN_SUCCESS)
        return -EBADMSG;
    n = stun_agent_finish_message(&agent, &response, NULL, 0);
    return n ? (int)n : -EBADMSG;
}
