/* SPDX-License-Identifier: Apache-2.0 */
/* house.c: builds the floors below the checks and takes them down: worker > udp > dns > SIP stack. Takes no calls: what
 * comes in from outside is refused. */
#include "probe/house.h"

#include <errno.h>

#include "base/mem.h"
#include "base/worker.h"
#include "media/media.h"
#include "net/tls_clients.h"
#include "net/udp.h"
#include "sip/server_tx.h"

/* ---- requests from outside ---- */

static unsigned place(const struct sip_msg *msg, const struct sip_flow *flow, void *arg)
{
    return 0;
}

static void admit(const struct sip_incoming *incoming, struct sip_verdict *verdict, void *arg)
{
    if (incoming->msg->method == SIP_OPTIONS)
        return;
    verdict->status = 480;
    verdict->why = "only a readiness check runs here";
}

static void on_request(struct server_tx *tx, const char *account, void *arg)
{
    server_tx_reply(tx, &(struct sip_reply){.status = 200});
}

static void on_flow_lost(const struct sip_flow *flow, const char *account, void *arg)
{
}

/* As the gateway writes it, but for the port. */
static void advertise(struct addr *out, const struct addr *local, const struct addr *towards, void *arg)
{
    const struct probe_house *house = arg;

    media_advertised(out, house->conf, local, towards);
    addr_set_port(out, addr_port(local));
}

static const struct sip_user sip_user = {
    .place = place, .admit = admit, .on_request = on_request, .on_flow_lost = on_flow_lost, .advertise = advertise};

/* ---- the floors ---- */

struct floors {
    struct probe_house house; /* first: it is given out */
    struct tls *server_tls;
    struct tls_clients *tls_clients;
};

static void floors_destroy(void *self)
{
    struct floors *floors = self;

    mem_unref(floors->house.stack);
    mem_unref(floors->house.dns);
    mem_unref(floors->house.udp);
    mem_unref(floors->house.client_tls);
    mem_unref(floors->server_tls);
    mem_unref(floors->tls_clients);
}

static int open_tls(struct floors *floors, const char **why_out)
{
    const struct conf *conf = floors->house.conf;
    int err;

    tls_set_modern(conf->sip.is_tls_modern);
    err = tls_client_new(&floors->house.client_tls, NULL, true, why_out);
    if (!err)
        err = tls_clients_new(&floors->tls_clients, conf, why_out);
    if (!err && conf->sip.certificate && conf->sip.certificate[0])
        err = tls_new(&floors->server_tls, conf->sip.certificate, conf->sip.key, why_out);
    return err;
}

static int open_floors(struct floors *floors, const char **why_out)
{
    struct probe_house *house = &floors->house;
    int err = udp_house_new(&house->udp, 0);

    if (!err)
        err = dns_new(&house->dns, &house->conf->dns.servers);
    if (!err)
        err = open_tls(floors, why_out);
    if (!err)
        err = sip_stack_new(&house->stack,
                            &(struct stack_options){.worker = 0,
                                                    .user = &sip_user,
                                                    .user_arg = house,
                                                    .conf = house->conf,
                                                    .udp = house->udp,
                                                    .server_tls = floors->server_tls,
                                                    .client_tls = house->client_tls,
                                                    .tls_clients = floors->tls_clients},
                            why_out);
    return err;
}

int probe_house_open(struct probe_house **housep, struct worker **workerp, struct conf *conf, const char **why_out)
{
    struct floors *floors = mem_new(sizeof(*floors), floors_destroy);
    struct worker *worker = NULL;
    int err = floors ? worker_new(&worker, 0, 1) : -ENOMEM;

    *why_out = "out of memory";
    for (size_t i = 0; i < conf->sip.listen.count; i++)
        conf->sip.listen.items[i].port = 0; /* the gateway's own ports stay its own */
    if (!err) {
        worker_set_current(worker);
        floors->house.conf = conf;
        err = open_floors(floors, why_out);
    }
    if (err) {
        probe_house_close(floors ? &floors->house : NULL, worker);
        return err;
    }
    *housep = &floors->house;
    *workerp = worker;
    return 0;
}

void probe_house_close(struct probe_house *house, struct worker *worker)
{
    worker_set_current(worker);
    mem_unref(house);
    worker_set_current(NULL);
    mem_unref(worker);
}
