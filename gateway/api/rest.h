/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/* rest.h: what operators ask over HTTP on the admin address: health, metrics, calls; and the page's own /phone.json. */

struct app;
struct ws_house;

/** Add the handlers to a worker's web house, before it runs. @param is_admin this one serves the admin address */
int rest_add(struct ws_house *ws, struct app *app, bool is_admin);
