/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "base/text.h"

/* conf.h: the configuration file as an immutable snapshot. One YAML file; every key is a row of conf.def (path, type,
 * range, default, unit, help), from which come parsing, the errors and the man page's list. Knows nothing of SIP or
 * media: addresses and URIs are texts here that passed a shape check; the floors that use them parse them once. A
 * snapshot is shared by all workers: references by conf_ref/conf_unref are atomic, the contents never change. */

struct conf_listen {
    char scheme[8]; /* http https udp tcp tls */
    char *host;     /* numeric address, without brackets */
    uint16_t port;
};

struct conf_listens {
    struct conf_listen *items;
    size_t count;
};

struct conf_strings {
    char **items;
    size_t count;
};

/** JWTs of browsers; the claim `sub` names the account. */
struct conf_token {
    char *issuer;
    char *key; /* path of a PEM file */
    struct conf_strings algorithms;
    unsigned line;
};

struct conf_account {
    char *name;     /* SIP user name, digest user name */
    char *password; /* one of password and ha1; both may be NULL where tokens are accepted */
    char *ha1;      /* 32 hex digits: MD5(name:domain:password) */
    char *display;
    struct conf_strings numbers;
    struct conf_strings routes;             /* names of routes this account may use; empty: all */
    struct conf_strings allowed;            /* prefixes of numbers that it may dial; empty: all */
    unsigned max_calls;                     /* 0: no limit */
    unsigned calls_per_day, max_duration_s; /* 0: no limit */
    struct conf_strings watchers;           /* accounts that may see its presence and calls; "*": any */
    struct conf_strings pickup;             /* accounts whose calls it may take over; "*": any */
    unsigned line;
    struct map_node by_name; /* for conf_find_account() */
};

/** "PATTERN => REPLACEMENT": what a pattern matches is replaced as a whole. */
struct conf_rule {
    regex_t regex;     /* regexec() is thread-safe */
    char *replacement; /* \1 ... \9 are its groups */
};

struct conf_rules {
    struct conf_rule *items;
    size_t count;
};

/** Headers that name the caller to a trunk, a bit each. */
enum conf_identity { CONF_PAI = 1, CONF_PPI = 2, CONF_RPID = 4, CONF_FROM_ONLY = 8 };
enum conf_diversion { CONF_DIVERSION_PASS, CONF_DIVERSION_OFF, CONF_DIVERSION_HISTORY };

#define CONF_CODES_MAX 16

/** SIP statuses. */
struct conf_codes {
    struct conf_code_range {
        uint16_t from, to;
    } items[CONF_CODES_MAX];
    size_t count;
};

enum conf_dtmf { CONF_DTMF_RFC4733, CONF_DTMF_INFO, CONF_DTMF_INBAND };
enum conf_prack { CONF_PRACK_AUTO, CONF_PRACK_OFF, CONF_PRACK_REQUIRE };
enum conf_redirect { CONF_REDIRECT_OFF, CONF_REDIRECT_FOLLOW, CONF_REDIRECT_PASS };
enum conf_srtp { CONF_SRTP_OFF, CONF_SRTP_OFFER, CONF_SRTP_REQUIRE };

struct conf_trunk {
    char *name;
    char *uri; /* next hop, sip: or sips: */
    char *username;
    char *password;
    bool is_register;
    char *registrar;
    struct conf_strings accept; /* CIDR texts, checked */
    unsigned max_calls;         /* 0: no limit */
    unsigned max_cps;
    unsigned cps_wait_ms;       /* for a turn; 0: refused at once */
    unsigned max_users;         /* of registrar; 0: no limit */
    struct conf_strings codecs; /* upper case names, in order of preference */
    enum conf_srtp srtp;
    enum conf_dtmf dtmf;
    enum conf_prack prack;
    enum conf_redirect redirect;
    unsigned options_every_s;
    bool may_refer;
    bool hides_number;            /* caller_id: false */
    char *certificate, *key, *ca; /* of TLS connections to it; NULL: none, whom the system trusts */
    bool verifies;
    struct conf_codes failover;
    struct conf_rules numbers_in, numbers_out, callers_in, callers_out;
    bool ignores_early_media;
    unsigned identity; /* enum conf_identity */
    enum conf_diversion diversion;
    struct conf_strings headers_add; /* "Name: value", checked */
    struct conf_strings headers_pass, headers_remove;
    unsigned line;
    struct map_node by_name; /* for conf_find_trunk() */
};

#define CONF_ROUTE_TRUNKS_MAX 64

/** How a route chooses among its trunks: lowest priority first, within it at random by weight (as SRV: RFC 2782). */
struct conf_rank {
    unsigned priority, weight;
};

struct conf_route {
    char *name;                 /* may be NULL */
    char *from;                 /* "accounts" (default), "trunk:NAME", "account:NAME", "any" */
    char *to;                   /* pattern text, NULL: anything */
    regex_t to_regex;           /* compiled when to is not NULL; regexec() is thread-safe */
    struct conf_strings trunks; /* exactly one of trunks, account, plugin */
    struct conf_rank *ranks;    /* of each of trunks */
    char *account;              /* account name; \1 allowed */
    char *plugin;
    char *room;
    char *number;    /* rewritten number with \1 ... \9; NULL: as dialled */
    bool is_premium; /* may dial conf.dialling.premium */
    unsigned line;
};

struct conf_advertise {
    char *network; /* CIDR of the destination */
    char *address; /* what is written in SDP */
};

struct conf {
    char *file;
    char *domain;
    unsigned workers;
    char *state;
    struct {
        unsigned level;  /* enum log_level */
        unsigned format; /* enum log_format */
    } log;
    struct {
        struct conf_listens listen;
        char *certificate;
        char *key;
        struct conf_strings origins;
        char *html;
        unsigned max_per_address; /* connections of one address, 200 */
        unsigned idle_s;          /* ping after half of it, closed after it; 30 */
    } web;
    struct {
        struct conf_listen listen;
        char *token;
    } admin;
    struct {
        struct conf_listens listen;
        char *certificate;
        char *key;
        bool is_tls_modern;         /* TLS 1.3 only */
        struct conf_strings digest; /* MD5, SHA-256: what phones are challenged with */
        unsigned t1_ms;             /* RFC 3261 T1; 500 */
        unsigned ring_timeout_s;    /* 180 */
        unsigned max_duration_s;    /* 14400 */
        unsigned session_expires_s; /* 1800; 0: no session timers of ours */
        unsigned reconnect_s;       /* a browser whose socket closes keeps its call so long; 30 */
        unsigned min_expires_s;     /* 60 */
        unsigned max_expires_s;     /* 3600 */
        unsigned max_bindings;      /* per account; 10 */
        unsigned nat_ping_s;        /* 25; 0: never */
        unsigned flow_timer_s;      /* 120; 0: none */
        unsigned max_calls;         /* whole gateway; 0: no limit */
        unsigned drain_s;           /* SIGTERM: calls go on so long; 300 */
    } sip;
    struct {
        char *webrtc_host;
        uint16_t webrtc_port;
        char *rtp_address;
        uint16_t rtp_port_min, rtp_port_max;
        unsigned dscp_audio, dscp_video, dscp_sip; /* code points 0..63 */
        unsigned gather_us;
        struct conf_advertise *advertise;
        size_t advertise_count;
        bool is_ice_full;
        char *stun;
        char *turn;
        unsigned timeout_s; /* no RTP from either side ends the call; 60; 0: never */
        unsigned latch_s;   /* 3 */
        char *hold;         /* file; NULL: silence */
    } media;
    struct {
        struct conf_strings servers; /* ADDRESS or ADDRESS:PORT; empty: the system's */
    } dns;
    struct {
        struct conf_strings premium; /* prefixes */
    } dialling;
    struct {
        char *file, *http, *token;
    } cdr;
    struct {
        unsigned max_size; /* bytes of a body */
        unsigned keep_s;   /* 0: not kept */
        unsigned max_per_account, max_kept;
    } messages;
    struct {
        unsigned max_subscriptions, max_per_watcher;
        unsigned min_expires_s, max_expires_s;
    } presence;
    struct conf_token *tokens;
    size_t token_count;
    struct conf_account *accounts;
    size_t account_count;
    struct conf_trunk *trunks;
    size_t trunk_count;
    struct conf_route *routes;
    size_t route_count;
    struct conf_strings plugins; /* names under plugins: */
    struct {                     /* quick start only: what /phone.json says */
        bool is_on;
        char *account;
        struct conf_strings numbers; /* "600=Echo" */
    } demo;

    struct map account_by_name, trunk_by_name; /* read-only once loaded */
    int refs;                                  /* atomic */
};

/** Read and check a file. Relative paths in it are relative to its folder; certificates and keys must be readable.
 * @param err_out every error, one line each: "FILE:LINE: key: what is wrong"
 *  @return 0; -EINVAL with texts; -ENOENT/-EACCES when the file cannot be read. Main thread, may block. */
int conf_load(struct conf **confp, const char *file, struct text *err_out);

/** The same from memory; `file` is the name to show. */
int conf_parse(struct conf **confp, const char *file, struct span yaml, struct text *err_out);

struct conf *conf_ref(struct conf *conf);
void conf_unref(struct conf *conf);

/** The list of keys with type, default and help, a line each, as plain text. */
void conf_write_help(struct text *text);

const struct conf_account *conf_find_account(const struct conf *conf, struct span name);
const struct conf_trunk *conf_find_trunk(const struct conf *conf, struct span name);
/** Is the name in the list, or "*", which is all? */
bool conf_names_allow(const struct conf_strings *names, const char *name);
