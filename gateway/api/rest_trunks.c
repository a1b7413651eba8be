/* SPDX-License-Identifier: Apache-2.0 */
/* rest_trunks.c: GET /trunks: each trunk with its registration and its health. No tour: every worker has a copy. */
#include "api/rest_trunks.h"

#include "app.h"
#include "base/worker.h"
#include "call/calls.h"
#include "call/trunk_board.h"
#include "net/http.h"

void rest_get_trunks(struct http_request *request, void *arg)
{
    struct text out;

    text_init(&out, 16 * 1024 * 1024);
    trunk_board_write(house_calls(worker_current())->board, &out);
    http_reply(request, text_err(&out) ? 500 : 200, "application/json", text_span(&out));
    text_free(&out);
}
