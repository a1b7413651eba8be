# SPDX-License-Identifier: Apache-2.0
# Each test: a line in the list, and test_x_SOURCES/LDADD below.
