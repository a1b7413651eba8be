/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sip/dialog.h"
#include "sip/uri.h"

/* replaces.h: Replaces, which names the dialog that another one takes the place of. RFC 3891; as a header within a
 * Refer-To URI by RFC 5589. Texts are copied, since within a URI they stand escaped. */

#define REPLACES_ID_MAX  256
#define REPLACES_TAG_MAX 128

struct replaces {
    char call_id[REPLACES_ID_MAX];
    char to_tag[REPLACES_TAG_MAX], from_tag[REPLACES_TAG_MAX];
    bool is_early_only;
};

/** The value of a Replaces header: one Call-ID, one to-tag, one from-tag. @return 0; -EBADMSG, -ENOSPC */
int replaces_parse(struct replaces *out, struct span value);
/** That of a URI's headers part. @return 0; -ENOENT: there is none; -EBADMSG, -ENOSPC */
int replaces_of_uri(struct replaces *out, const struct uri *uri);
/** As a header's value. */
void replaces_write(struct text *out, const struct replaces *replaces);

/** The dialog of this stack that is named. Either tag may be ours: some say to-tag and from-tag as they stood in the
 * INVITE, and not as seen from its recipient. NULL: there is none. */
struct dialog *replaces_find(struct sip_stack *stack, const struct replaces *replaces);
/** Which worker has it, by its tags; -1: they are not ours. */
int replaces_worker(const struct replaces *replaces);
