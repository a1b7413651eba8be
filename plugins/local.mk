# SPDX-License-Identifier: Apache-2.0
# Plugins: libtool modules in libdir/sipway. They link nothing of the gateway.
plugindir = $(libdir)/sipway
plugin_ldflags = $(AM_LDFLAGS) -avoid-version -shared
sipwayincludedir = $(includedir)/sipway
sipwayinclude_HEADERS = include/sipway/host.h include/sipway/plugin.h

plugin_LTLIBRARIES = plugins/echo/echo.la
plugins_echo_echo_la_SOURCES = plugins/echo/echo.c
plugins_echo_echo_la_CPPFLAGS = -I$(top_srcdir)/include
plugins_echo_echo_la_LDFLAGS = -module $(plugin_ldflags)

# libdir/sipway holds what dlopen() needs and nothing else
install-data-hook:
	-rm -f '$(DESTDIR)$(plugindir)/echo.la'
uninstall-hook:
	-rm -f '$(DESTDIR)$(plugindir)/echo.so'
