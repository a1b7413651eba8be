/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/events.h"
#include "call/presence.h"
#include "sip/event_in.h"

/* presence_private.h: shared by presence.c (who may), presentity.c (an account that is watched), watcher.c (one
 * subscription and its NOTIFYs) and publish.c (what the account says itself). */

struct presence {
    struct calls *calls;
    struct map accounts; /* presentities */
    struct map desks;    /* who watches */
    struct list due;     /* watchers to be told, in order */
    struct timer pump;
    struct call_listener listener;
    bool is_draining;
};

/* An account that is watched, or that has published something, or that has calls. */
struct presentity {
    struct map_node node;
    struct presence *house;
    char account[SIP_ACCOUNT_MAX];
    struct list watchers;
    bool is_registered;
    struct timer registration_end;  /* of the last binding */
    struct dialog_info_list *calls; /* NULL: none yet */
    struct list publications;       /* the newest first */
    unsigned publication_count;
    char *pidf; /* the document as it stands */
    size_t pidf_bytes;
    char *summary; /* of its mailbox, as a trunk told last; NULL: nothing was told */
};

/** @return NULL: none is there */
struct presentity *presentity_find(struct presence *house, const char *account);
/** @return NULL: out of memory */
struct presentity *presentity_get(struct presence *house, const char *account);
/** Something has changed: write the document anew, and tell the watchers if it says something else. */
void presentity_refresh(struct presentity *presentity);
/** The registration may have changed. */
void presentity_look_up(struct presentity *presentity);
/** Free it if there is no reason for it any more. */
void presentity_drop_if_idle(struct presentity *presentity);

#define PACKAGES(X)                                                                                                    \
    X(PRESENCE, "presence", "application/pidf+xml")                                                                    \
    X(SUMMARY, "message-summary", "application/simple-message-summary")                                                \
    X(DIALOG, "dialog", "application/dialog-info+xml")
enum package {
#define X(name, text, type) PACKAGE_##name,
    PACKAGES(X)
#undef X
        PACKAGE_COUNT
};
struct span package_type(enum package package);
/** @return PACKAGE_COUNT: not one of ours */
enum package package_find(struct span name);

/* All subscriptions of one account here, so that those over a connection that closes are found. */
struct desk {
    struct map_node node;
    char account[SIP_ACCOUNT_MAX];
    struct list watchers;
};

struct watcher {
    struct list link, due_link, desk_link;
    struct desk *desk; /* referenced */
    struct presentity *presentity;
    struct event_in *sub;
    enum package package;
    char account[SIP_ACCOUNT_MAX]; /* who watches */
    bool is_counted;
    bool is_late; /* due, but a NOTIFY is under way */
    bool wants_full;
    const char *end_reason; /* to be ended with this */
    uint32_t version;       /* of the next dialog-info document */
    uint64_t seen;          /* change_count of its last one */
};

/** Subscribe; the request is answered, whatever comes of it. */
void watcher_new(struct presentity *presentity, struct server_tx *tx, const char *account, enum package package);
/** It is to be told what has changed; soon, see presence.c's pump. */
void watcher_mark(struct watcher *watcher);
/** Send what is due. May free it. */
void watcher_send(struct watcher *watcher);
/** This account's subscriptions over this connection end, without a word: it is gone. */
void watchers_flow_lost(struct presence *house, const struct sip_flow *flow, const char *account);
/** May it still watch? */
bool watcher_is_allowed(const struct watcher *watcher);

/** Without a word to anybody. */
void publications_drop(struct presentity *presentity);
/** The newest document; empty: none. */
struct span publication_document(const struct presentity *presentity);

/** Run the pump in the next turn. */
void presence_pump_soon(struct presence *house);
/** May this account watch that one? Its mailbox is its own. */
bool presence_may_watch(const struct conf_account *watched, const char *watcher, enum package package);
