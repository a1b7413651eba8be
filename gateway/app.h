/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/text.h"

/* app.h: the whole house: conf > store > workers, each with net > sip > media > calls > web, built in order, torn down
 * in reverse. Main thread only, unless said otherwise. */

struct app;
struct conf;
struct house;
struct worker;

/** Build everything for this snapshot; nothing runs yet. @param err_out one sentence on failure */
int app_new(struct app **appp, struct conf *conf, struct text *err_out);
int app_start(struct app *app);
/** Take a new snapshot: for calls and requests from now on; certificates are read again. Running calls are not touched.
 */
void app_reload(struct app *app, struct conf *conf);

/** No new calls from now on; /ready says so. */
void app_drain(struct app *app);
/** How long running calls may go on then, by the snapshot of now. */
unsigned app_drain_s(const struct app *app);
/** Calls alive on all workers. Any thread. */
unsigned long app_call_count(const struct app *app);
/** Registrations and subscriptions that drain ends, and that still stand. Any thread. */
unsigned long app_farewell_count(const struct app *app);
/** End every call with this sentence. */
void app_end_calls(struct app *app, const char *why);
/** Stop the workers. mem_unref() afterwards frees all. */
void app_stop(struct app *app);

/* For the operator's doors (rest.c). */
bool app_is_draining(const struct app *app);
struct calls *house_calls(const struct worker *worker);
struct conf *house_conf(const struct worker *worker);
