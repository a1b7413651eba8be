/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/text.h"

/* xml.h: as much of XML 1.0 as a gateway needs that passes documents on: is this one well formed, and where does its
 * root begin and end. No DTDs, no processing instructions, no entities but the five, UTF-8 only. Pure. */

#define XML_DEPTH_MAX 32

struct xml_doc {
    struct span name;       /* of the root, with its prefix */
    struct span attributes; /* of the root, as they stand */
    size_t inner_end;       /* where the root's end tag begins; 0: the root is an empty tag */
};

/** One well-formed document and nothing else. Bounded: one pass, XML_DEPTH_MAX levels.
 *  @return 0; -EBADMSG; -E2BIG: nested too deeply */
int xml_check(struct xml_doc *doc, struct span text);

/** The name without its prefix. */
struct span xml_local_name(struct span name);
/** Value of an attribute of a tag that xml_check() has seen, references left in. @return is it there? */
bool xml_attribute(struct span attributes, struct span name, struct span *value);

/** Write character data or an attribute's value; what XML cannot hold becomes '?'. */
void xml_add_text(struct text *out, struct span text);
