/* SPDX-License-Identifier: Apache-2.0 */
/* ws_house.c: one libwebsockets context on the worker's loop, its virtual hosts (web plain, web TLS, admin) and our own
 * listening sockets, whose connections it adopts. RFC 6455 and 9112 are libwebsockets' part.
 *
 * Of its traps: it cannot share a port among workers (so it does not listen), speaks HTTP/2 unless ALPN is limited,
 * sends in pieces of rx_buffer_size unless tx_packet_size is given, and needs the loop to run for its last handles. */
#include "net/ws_house.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/worker.h"
#include "net/listener.h"
#include "net/peer_count.h"
#include "net/tls.h"

#define RX_BYTES      2048  /* per open WebSocket; longer messages come in pieces and are put together */
#define TX_BYTES      65536 /* per system call */
#define HEADER_BYTES  4096
#define HANDSHAKE_S   10
#define KEEP_ALIVE_S  30
#define CLOSING_TURNS 16

static void emit_log(int level, const char *line)
{
    size_t n = strcspn(line, "\n");

    log_peer("libwebsockets: %.*s", (int)n, line);
}

/* Accepting. */

static void on_accept(int fd_taken, const struct addr *remote, struct peer_slot *slot_taken, void *arg)
{
    struct ws_door *door = arg;
    struct ws *ws = mem_new(sizeof(*ws), NULL);
    struct lws *wsi;

    if (!ws) {
        close(fd_taken);
        peer_slot_leave(slot_taken);
        return;
    }
    wsi = lws_adopt_socket_vhost(door->vhost, fd_taken); /* closes fd itself when it fails */
    if (!wsi) {
        peer_slot_leave(slot_taken);
        mem_unref(ws);
        return;
    }
    ws->door = door;
    ws->wsi = wsi;
    ws->slot = slot_taken;
    ws->remote = *remote;
    list_init(&ws->queue);
    list_append(&door->house->connections, &ws->link);
    lws_set_opaque_user_data(wsi, ws);
}

static int door_open(struct ws_house *house, struct ws_door *door, const struct conf_listen *listen)
{
    struct listener_options options = {.counts = house->counts,
                                       .max_per_address = house->conf->web.max_per_address,
                                       .refused_stat = STAT_WEBSOCKET_REFUSED,
                                       .on_accept = on_accept,
                                       .arg = door};
    int err = addr_parse(&options.local, span_of(listen->host), listen->port);

    if (err)
        return err;
    door->house = house;
    door->is_secure = !strcmp(listen->scheme, "https");
    door->vhost = door->is_admin ? house->admin : door->is_secure ? house->secure : house->plain;
    err = listener_new(&door->listener, &options);
    if (!err)
        door->port = addr_port(listener_local(door->listener));
    return err;
}

static int open_doors(struct ws_house *house, bool has_admin, const char **why_out)
{
    const struct conf_listens *listens = &house->conf->web.listen;
    struct ws_door *admin = &house->doors[listens->count];
    int err;

    for (size_t i = 0; i < listens->count; i++) {
        err = door_open(house, &house->doors[i], &listens->items[i]);
        if (err) {
            *why_out = "an address of web.listen cannot be used";
            return err;
        }
    }
    house->door_count = (unsigned)listens->count;
    if (!has_admin || !house->conf->admin.listen.host)
        return 0;
    admin->is_admin = true;
    err = door_open(house, admin, &house->conf->admin.listen);
    if (err)
        *why_out = "admin.listen cannot be used";
    return err;
}

/* libwebsockets. */

static void set_protocols(struct ws_house *house, const struct ws_protocol *protocols)
{
    struct lws_protocols http = {.name = "http", .callback = ws_on_lws, .tx_packet_size = TX_BYTES};
    unsigned n = 1;

    house->protocols[0] = house->admin_protocols[0] = http;
    for (; protocols && protocols->name && n <= WS_PROTOCOLS_MAX; protocols++, n++)
        house->protocols[n] = (struct lws_protocols){.name = protocols->name,
                                                     .callback = ws_on_lws,
                                                     .rx_buffer_size = RX_BYTES,
                                                     .tx_packet_size = TX_BYTES,
                                                     .user = (void *)protocols};
}

static struct lws_vhost *add_vhost(struct ws_house *house, const char *name, bool is_secure)
{
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .vhost_name = name,
        .protocols = strcmp(name, "admin") ? house->protocols : house->admin_protocols,
        .keepalive_timeout = KEEP_ALIVE_S,
        .timeout_secs = HANDSHAKE_S,
        .retry_and_idle_policy = &house->no_idle_policy,
        .alpn = "http/1.1",
    };

    if (is_secure) {
        info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT /* without it here the port silently speaks plain text */ |
                       LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS; /* no client certificates to check: saves their memory */
        info.ssl_cert_filepath = house->conf->web.certificate;
        info.ssl_private_key_filepath = house->conf->web.key;
    }
    return lws_create_vhost(house->context, &info);
}

static int create_context(struct ws_house *house)
{
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .foreign_loops = house->foreign_loops,
        .pcontext = &house->context,
        .count_threads = 1,
        .max_http_header_data = HEADER_BYTES,
        .timeout_secs = HANDSHAKE_S,
        .retry_and_idle_policy = &house->no_idle_policy,
        .user = house,
    };
    struct lws_context *context;

    lws_set_log_level(LLL_ERR | LLL_WARN, emit_log);
    house->foreign_loops[0] = &house->worker->loop;
    context = lws_create_context(&info);
    house->context = context;
    return context ? 0 : -ENOMEM;
}

static bool wants_tls(const struct conf *conf)
{
    for (size_t i = 0; i < conf->web.listen.count; i++)
        if (!strcmp(conf->web.listen.items[i].scheme, "https"))
            return true;
    return false;
}

static int create_vhosts(struct ws_house *house, bool has_admin, const char **why_out)
{
    const struct conf *conf = house->conf;

    *why_out = "libwebsockets cannot make a virtual host";
    house->plain = add_vhost(house, "web", false);
    if (!house->plain)
        return -ENOMEM;
    if (has_admin && !(house->admin = add_vhost(house, "admin", false)))
        return -ENOMEM;
    if (!wants_tls(conf))
        return 0;
    if (!conf->web.certificate || !conf->web.key || !conf->web.certificate[0] || !conf->web.key[0]) {
        *why_out = "https in web.listen needs web.certificate and web.key";
        return -EINVAL;
    }
    if (tls_check_pair(conf->web.certificate, conf->web.key, why_out))
        return -EINVAL;
    house->secure = add_vhost(house, "web-tls", true);
    return house->secure ? 0 : -EINVAL;
}

/* Teardown: libwebsockets closes its handles in the loop and is done with them some turns later. */
static void destroy_context(struct ws_house *house)
{
    struct list *link, *next;

    lws_context_destroy(house->context);
    for (int i = 0; i < CLOSING_TURNS && uv_run(&house->worker->loop, UV_RUN_NOWAIT); i++)
        ;
    if (house->context)
        lws_context_destroy(house->context);
    list_each (link, next, &house->connections) {
        struct ws *ws = container_of(link, struct ws, link);

        log_warn("websocket left over at the end");
        list_remove(&ws->link);
    }
}

static void house_destroy(void *self)
{
    struct ws_house *house = self;

    ws_house_stop_accepting(house);
    if (house->context)
        destroy_context(house);
    mem_unref(house->pages);
    mem_unref(house->counts);
    conf_unref((struct conf *)house->conf);
}

static int load_pages(struct ws_house *house, const char **why_out)
{
    const char *folder = house->conf->web.html;
    bool is_own = folder && folder[0];
    int err = http_pages_new(&house->pages, is_own ? folder : SIPWAY_HTMLDIR);

    if (err && !is_own) {
        log_warn("no pages (folder=\"%s\")", SIPWAY_HTMLDIR);
        return 0;
    }
    if (err)
        *why_out = "the folder of web.html cannot be read";
    return err;
}

static int build(struct ws_house *house, const struct ws_house_options *options, const char **why_out)
{
    int err = peer_counts_new(&house->counts);

    if (err)
        return err;
    if (options->conf->web.listen.count > WS_LISTENERS_MAX) {
        *why_out = "too many addresses in web.listen";
        return -EINVAL;
    }
    set_protocols(house, options->protocols);
    err = load_pages(house, why_out);
    if (err)
        return err;
    *why_out = "libwebsockets cannot start (is its libuv plugin installed?)";
    err = create_context(house);
    if (!err)
        err = create_vhosts(house, options->has_admin, why_out);
    if (!err)
        err = open_doors(house, options->has_admin, why_out);
    return err;
}

int ws_house_new(struct ws_house **housep, const struct ws_house_options *options, const char **why_out)
{
    struct ws_house *house;
    int err;

    assert(worker_current());
    *why_out = "out of memory";
    house = mem_new(sizeof(*house), house_destroy);
    if (!house)
        return -ENOMEM;
    house->worker = worker_current();
    house->conf = conf_ref((struct conf *)options->conf);
    list_init(&house->connections);
    err = build(house, options, why_out);
    if (err) {
        mem_unref(house);
        return err;
    }
    *why_out = NULL;
    *housep = house;
    return 0;
}

uint16_t ws_house_port(const struct ws_house *house, unsigned index)
{
    return index < house->door_count ? house->doors[index].port : 0;
}

uint16_t ws_house_admin_port(const struct ws_house *house)
{
    return house->doors[house->door_count].port;
}

int ws_house_reload(struct ws_house *house)
{
    const struct conf *conf = house->conf;

    if (!house->secure)
        return 0;
    return lws_tls_cert_updated(house->context, conf->web.certificate, conf->web.key, NULL, 0, NULL, 0) ? -EINVAL : 0;
}

void ws_house_set_conf(struct ws_house *house, struct conf *conf)
{
    const struct conf *old = house->conf;

    house->conf = conf_ref(conf);
    conf_unref((struct conf *)old);
}

void ws_house_stop_accepting(struct ws_house *house)
{
    for (unsigned i = 0; i <= WS_LISTENERS_MAX; i++)
        house->doors[i].listener = mem_unref(house->doors[i].listener);
}
