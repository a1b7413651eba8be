/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* probe.h: the readiness check: `sipway probe [-c FILE] [--call NUMBER] [--json] [TRUNK]`. A process of its own beside
 * the running gateway: it listens on ports that nobody else uses, and takes back what it makes. */

/** The whole of it: arguments (argv[0] is "probe"), checks, report on standard output. Main thread.
 *  @return exit code: 0 nothing has failed, 1 something has, 2 it could not run */
int probe_main(int argc, char **argv, const char *default_file);
