/* SPDX-License-Identifier: Apache-2.0 */
/* words.c: from a SIP status to advice. RFC 3261 21 says what they mean, carriers what they mean by them. Knows no
 * checks. */
#include "probe/words.h"

static const struct {
    enum sip_method method; /* SIP_METHOD_OTHER: any */
    unsigned status;
    const char *words;
} rows[] = {
    {SIP_REGISTER, 403,
     "the carrier forbids this user to register: is the account active, and `username` the one it gave?"},
    {SIP_REGISTER, 404,
     "the carrier does not know this user: compare `username` and the host of `uri` with its letter"},
    {SIP_REGISTER, 405, "nothing registers there: set `register: false`"},
    {SIP_REGISTER, 501, "nothing registers there: set `register: false`"},
    {SIP_METHOD_OTHER, 403,
     "the carrier forbids it: is our address on its list, the account active, the number allowed?"},
    {SIP_METHOD_OTHER, 404, "the number is not known there: give one that the carrier can reach, in the form it wants"},
    {SIP_METHOD_OTHER, 408, "the far end did not answer the carrier: try another number"},
    {SIP_METHOD_OTHER, 480, "the far end is not there now: try another number"},
    {SIP_METHOD_OTHER, 484, "the number is incomplete: write it as the carrier wants it, often with country code"},
    {SIP_METHOD_OTHER, 486, "the number is busy: try again, or another one"},
    {SIP_METHOD_OTHER, 488,
     "our description was not accepted: compare `codecs` and `srtp` with what the carrier asks for"},
    {SIP_METHOD_OTHER, 606,
     "our description was not accepted: compare `codecs` and `srtp` with what the carrier asks for"},
    {SIP_METHOD_OTHER, 500, "the carrier has a fault, or cannot read what we sent: ask it, with the time of this test"},
    {SIP_METHOD_OTHER, 503, "the carrier takes no calls now: are all channels taken, or is it being maintained?"},
    {SIP_METHOD_OTHER, 600, "the far end refuses: try another number"},
    {SIP_METHOD_OTHER, 603, "the far end refuses: try another number"},
};

const char *words_for_status(enum sip_method method, unsigned status, bool has_password)
{
    if (status == 401 || status == 407)
        return has_password ? "the carrier does not accept `username` and `password`: compare them with its letter"
                            : "the carrier asks for credentials: set `username` and `password` of the trunk";
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (rows[i].status == status && (rows[i].method == method || rows[i].method == SIP_METHOD_OTHER))
            return rows[i].words;
    return "";
}
