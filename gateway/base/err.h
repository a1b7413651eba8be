/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** Text for an error number: 0 or a negative errno, as every function of ours returns it.
 *  @return static text, never NULL. Any thread. */
const char *err_text(int err);
