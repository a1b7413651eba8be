/* SPDX-License-Identifier: Apache-2.0 */
/* stranger.c: a shared object that is no plugin, for test_loader. */
const int stranger = 1;
