/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <ares.h>

#include "base/map.h"
#include "base/timer.h"
#include "net/dns.h"

/* dns_private.h: shared by dns.c (the house: c-ares on the loop), dns_name.c (the table of names and who waits for
 * them) and dns_record.c (from an answer's bytes to records). */

#define DNS_NAMES_MAX 1024

struct worker;

struct dns {
    struct worker *worker;
    ares_channel channel;
    struct map names;
    struct list oldest; /* names, the one used longest ago first */
    struct list watches;
    struct timer timeout;
    bool is_closing;
};

enum dns_kind { DNS_ADDR, DNS_SRV, DNS_NAPTR };

/** What an answer held: an array of struct addr, dns_srv or dns_naptr in one block. */
struct dns_records {
    void *items; /* mem_unref() */
    unsigned count;
    unsigned ttl_s;
};
/** @return 0; -ENOENT: nothing of the kind; -EBADMSG; -ENOMEM */
int dns_take_addrs(struct dns_records *records, const struct ares_addrinfo *info);
int dns_take_srvs(struct dns_records *records, const unsigned char *bytes, int n);
int dns_take_naptrs(struct dns_records *records, const unsigned char *bytes, int n);

/** One wish for one name; fn is a dns_fn, dns_srv_fn or dns_naptr_fn. */
struct dns_wish {
    enum dns_kind kind;
    uint16_t port; /* of addresses */
    union {
        dns_fn *on_addrs;
        dns_srv_fn *on_srvs;
        dns_naptr_fn *on_naptrs;
    };
    void *arg;
};
/** From the table, or by asking. @return as dns_resolve() */
int dns_find(struct dns_query **queryp, struct dns *dns, struct span name, const struct dns_wish *wish);
/** The house goes: forget them all. */
void dns_forget_all(struct dns *dns);
/** c-ares has something to wait for: its timer. */
void dns_set_timeout(struct dns *dns);
