# SPDX-License-Identifier: Apache-2.0
# html/local.mk: the web phone. Included from the top Makefile.am; paths are relative to the top.
#
# phone.bundle.js and phone.licenses.txt are made by npm and esbuild, once, and are part of the tarball: a build from
# there fetches nothing. Without npm the pages are neither built nor installed.

htmldir_sipway = $(datadir)/sipway/html
sipwayhtmldir = $(htmldir_sipway)

html_modules = \
	html/account.js html/alert.js html/audio.js html/call.js html/callview.js html/cause.js html/devices.js \
	html/dialpad.js html/dom.js html/emitter.js html/inspect.js html/line.js html/meter.js html/mos.js \
	html/number.js html/phone.js html/prefs.js html/quality.js html/qualityview.js html/recent.js html/reoffer.js \
	html/ring.js html/settings.js
html_tools = html/build.mjs html/bundle.sh html/package.json html/package-lock.json
html_pages = html/index.html html/style.css html/icon.svg html/manifest.json
html_built = html/phone.bundle.js html/phone.licenses.txt
html_tests = \
	html/test/account.test.mjs html/test/cause.test.mjs html/test/meter.test.mjs html/test/mos.test.mjs \
	html/test/number.test.mjs html/test/page.test.mjs html/test/quality.test.mjs html/test/recent.test.mjs \
	html/test/reoffer.test.mjs html/test/run

TESTS += html/test/run

EXTRA_DIST += html/README.md $(html_modules) $(html_tools) $(html_pages) $(html_tests)

if HAVE_NPM
EXTRA_DIST += $(html_built)
sipwayhtml_DATA = $(html_pages) $(html_built)
MAINTAINERCLEANFILES = $(html_built)

html/phone.bundle.js: $(html_modules) $(html_tools)
	$(AM_V_GEN)$(SHELL) $(srcdir)/html/bundle.sh $(srcdir)/html html

html/phone.licenses.txt: html/phone.bundle.js
	@test -f $@ || test -f $(srcdir)/$@ || $(SHELL) $(srcdir)/html/bundle.sh $(srcdir)/html html
endif

# The pages of the build tree as the gateway serves them, to run without installing: -> html/serve
html-serve: html/phone.bundle.js
	@mkdir -p html/serve
	@for page in $(html_pages) $(html_built); do \
	  if test -f $$page; then cp -f $$page html/serve/; else cp -f $(srcdir)/$$page html/serve/; fi; done

# Needs node only, neither npm nor a network. TAP on standard output.
check-html:
	$(AM_V_at)$(SHELL) $(srcdir)/html/test/run

html-clean-local:
	-rm -rf html/.build html/serve

clean-local: html-clean-local

.PHONY: check-html html-clean-local html-serve
