/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* rest_trunks.h: GET /trunks. */

struct http_request;

/** Answered on the admin's worker, from its own copy of what is known. arg is not used. */
void rest_get_trunks(struct http_request *request, void *arg);
