/* SPDX-License-Identifier: Apache-2.0 */
/* browser_stun.h: the STUN messages of ICE, written for the scripted browser alone (RFC 8489, RFC 8445 section 7):
 * the gateway uses libnice's, so that each is a check of the other. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STUN_MAX_BYTES = 256, STUN_ID_BYTES = 12 };
enum stun_kind { STUN_REQUEST = 0x0001, STUN_INDICATION = 0x0011, STUN_SUCCESS = 0x0101, STUN_FAILURE = 0x0111 };

/** What ICE looks at in a received message. */
struct stun_view {
    unsigned kind;
    uint8_t id[STUN_ID_BYTES];
    char username[256];
    bool is_proved; /* MESSAGE-INTEGRITY fits the password */
    bool use_candidate;
    bool is_controlling, is_controlled;
    unsigned error_code;
};

/** A request to write. */
struct stun_check {
    const uint8_t *id;
    const char *username; /* "theirs:ours" */
    const char *password; /* theirs */
    uint32_t priority;
    uint64_t tie_breaker;
    bool is_controlling;
    bool use_candidate;
};

bool stun_is_message(const uint8_t *bytes, size_t size);
/** @param password checks MESSAGE-INTEGRITY. @return 0; -EBADMSG. */
int stun_read(struct stun_view *view, const uint8_t *bytes, size_t size, const char *password);
/** @param out room for STUN_MAX_BYTES. @return size. */
size_t stun_write_check(uint8_t *out, const struct stun_check *check);
/** Success with XOR-MAPPED-ADDRESS of @p from, or with @p error_code != 0 a failure. @return size. */
size_t stun_write_reply(uint8_t *out, const struct stun_view *request, const struct sockaddr_in *from,
                        const char *password, unsigned error_code);
