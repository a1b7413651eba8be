# SPDX-License-Identifier: Apache-2.0
# Each test: a line in the list, and test_x_SOURCES/LDADD below.
sip_tests =
sip_tests += tests/unit/sip/test_params
sip_tests += tests/unit/sip/test_uri
sip_tests += tests/unit/sip/test_name_addr
sip_tests += tests/unit/sip/test_via
sip_tests += tests/unit/sip/test_msg
sip_tests += tests/unit/sip/test_msg_golden
sip_tests += tests/unit/sip/test_msg_write
sip_tests += tests/unit/sip/test_digest
sip_tests += tests/unit/sip/test_framing
sip_tests += tests/unit/sip/test_steer
sip_tests += tests/unit/sip/test_register_in
check_PROGRAMS += $(sip_tests)
TESTS += $(sip_tests)

tests_unit_sip_test_params_SOURCES = tests/unit/sip/test_params.c tests/unit/unit.h
tests_unit_sip_test_params_LDADD = $(unit_ldadd)
tests_unit_sip_test_uri_SOURCES = tests/unit/sip/test_uri.c tests/unit/unit.h
tests_unit_sip_test_uri_LDADD = $(unit_ldadd)
tests_unit_sip_test_name_addr_SOURCES = tests/unit/sip/test_name_addr.c tests/unit/unit.h
tests_unit_sip_test_name_addr_LDADD = $(unit_ldadd)
tests_unit_sip_test_via_SOURCES = tests/unit/sip/test_via.c tests/unit/unit.h
tests_unit_sip_test_via_LDADD = $(unit_ldadd)
tests_unit_sip_test_msg_SOURCES = tests/unit/sip/test_msg.c tests/unit/unit.h
tests_unit_sip_test_msg_LDADD = $(unit_ldadd)
tests_unit_sip_test_msg_golden_SOURCES = tests/unit/sip/test_msg_golden.c tests/unit/unit.h
tests_unit_sip_test_msg_golden_LDADD = $(unit_ldadd)
tests_unit_sip_test_msg_write_SOURCES = tests/unit/sip/test_msg_write.c tests/unit/oom.h tests/unit/unit.h
tests_unit_sip_test_msg_write_LDADD = $(unit_ldadd)
tests_unit_sip_test_digest_SOURCES = tests/unit/sip/test_digest.c tests/unit/oom.h tests/unit/unit.h
tests_unit_sip_test_digest_LDADD = $(unit_ldadd)
tests_unit_sip_test_framing_SOURCES = tests/unit/sip/test_framing.c tests/unit/unit.h
tests_unit_sip_test_framing_LDADD = $(unit_ldadd)

EXTRA_DIST += tests/golden/sip

# Tests of transactions and above, on a rig that catches what the stack sends: its rig_transport.c takes transport.c's place.
sip_rig = tests/unit/sip/sip_rig.c tests/unit/sip/sip_rig.h tests/unit/sip/rig_transport.c tests/unit/oom.h tests/unit/unit.h
sip_invite_rig = $(sip_rig) tests/unit/sip/invite_rig.c tests/unit/sip/invite_rig.h
sip_rig_tests =
sip_rig_tests += tests/unit/sip/test_server_tx
sip_rig_tests += tests/unit/sip/test_client_tx
sip_rig_tests += tests/unit/sip/test_invite_in
sip_rig_tests += tests/unit/sip/test_invite_out
sip_rig_tests += tests/unit/sip/test_dialog
sip_rig_tests += tests/unit/sip/test_modify
sip_rig_tests += tests/unit/sip/test_refresh
sip_rig_tests += tests/unit/sip/test_stack
sip_rig_tests += tests/unit/sip/test_register_out
check_PROGRAMS += $(sip_rig_tests)
TESTS += $(sip_rig_tests)

tests_unit_sip_test_server_tx_SOURCES = tests/unit/sip/test_server_tx.c $(sip_rig)
tests_unit_sip_test_server_tx_LDADD = $(unit_ldadd)
tests_unit_sip_test_client_tx_SOURCES = tests/unit/sip/test_client_tx.c $(sip_rig)
tests_unit_sip_test_client_tx_LDADD = $(unit_ldadd)
tests_unit_sip_test_invite_in_SOURCES = tests/unit/sip/test_invite_in.c $(sip_invite_rig)
tests_unit_sip_test_invite_in_LDADD = $(unit_ldadd)
tests_unit_sip_test_invite_out_SOURCES = tests/unit/sip/test_invite_out.c $(sip_invite_rig)
tests_unit_sip_test_invite_out_LDADD = $(unit_ldadd)
tests_unit_sip_test_dialog_SOURCES = tests/unit/sip/test_dialog.c $(sip_invite_rig)
tests_unit_sip_test_dialog_LDADD = $(unit_ldadd)
tests_unit_sip_test_modify_SOURCES = tests/unit/sip/test_modify.c $(sip_invite_rig)
tests_unit_sip_test_modify_LDADD = $(unit_ldadd)
tests_unit_sip_test_refresh_SOURCES = tests/unit/sip/test_refresh.c $(sip_invite_rig)
tests_unit_sip_test_refresh_LDADD = $(unit_ldadd)
tests_unit_sip_test_stack_SOURCES = tests/unit/sip/test_stack.c $(sip_invite_rig)
tests_unit_sip_test_stack_LDADD = $(unit_ldadd)
tests_unit_sip_test_steer_SOURCES = tests/unit/sip/test_steer.c tests/unit/unit.h
tests_unit_sip_test_steer_LDADD = $(unit_ldadd)
tests_unit_sip_test_register_in_SOURCES = tests/unit/sip/test_register_in.c tests/unit/unit.h
tests_unit_sip_test_register_in_LDADD = $(unit_ldadd)
tests_unit_sip_test_register_out_SOURCES = tests/unit/sip/test_register_out.c $(sip_rig)
tests_unit_sip_test_register_out_LDADD = $(unit_ldadd)
