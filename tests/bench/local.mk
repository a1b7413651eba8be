# SPDX-License-Identifier: Apache-2.0
# Benchmarks: `make bench-programs` builds, `make bench` runs (some minutes), `make bench BENCH_ARGS=--quick` under a minute.
EXTRA_PROGRAMS += tests/bench/bench_load tests/bench/bench_null_relay tests/bench/bench_srtp
tests_bench_bench_load_SOURCES = tests/bench/load.c tests/bench/load.h tests/bench/load_mark.c tests/bench/pool.c tests/bench/pool.h \
	tests/bench/load_relay.c tests/bench/load_setup.c tests/bench/load_register.c tests/bench/load_phones.c tests/bench/load_raw.c
tests_bench_bench_load_CPPFLAGS = $(AM_CPPFLAGS) $(peers_cppflags) -I$(top_srcdir)/tests/bench
tests_bench_bench_load_LDADD = $(peers_libs)
tests_bench_bench_null_relay_SOURCES = tests/bench/null_relay.c
tests_bench_bench_srtp_SOURCES = tests/bench/srtp.c
tests_bench_bench_srtp_LDADD = libsipway.a $(house_libs)
EXTRA_DIST += tests/bench/README.md tests/bench/bench.mjs tests/bench/lib tests/bench/peer tests/bench/sipp
CLEANFILES += tests/bench/bench_load$(EXEEXT) tests/bench/bench_null_relay$(EXEEXT) \
	tests/bench/bench_srtp$(EXEEXT)

bench-programs: tests/bench/bench_load$(EXEEXT) tests/bench/bench_null_relay$(EXEEXT) tests/bench/bench_srtp$(EXEEXT)
bench: bench-programs sipway$(EXEEXT)
	node $(top_srcdir)/tests/bench/bench.mjs --programs tests/bench --sipway ./sipway$(EXEEXT) $(BENCH_ARGS)
.PHONY: bench bench-programs
